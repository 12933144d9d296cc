"""The files of a check's report, and the life of a pull request that they are for."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from sphinx_autogradgraph.figures.report_files import write_report
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.hosts.cli import main
from sphinx_autogradgraph.runtime.result import Traced
from sphinx_autogradgraph.snapshots.comparison import SnapshotComparison
from sphinx_autogradgraph.snapshots.part import WHOLE, Part
from sphinx_autogradgraph.snapshots.policy import SnapshotPolicy
from sphinx_autogradgraph.snapshots.report import Report
from sphinx_autogradgraph.snapshots.store import Snapshots
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.walk import trace_tensors
from tests.conftest import LINREG
from tests.graph.test_union import BEFORE, graph

AFTER = graph(("w", ()), ("v <b>`", ()), ("Mm", [0]), ("Add", [2, 1]), ("Exp", [3]), ("Sum", [4]))


def write_sample(tmp_path: Path) -> Path:
    """Write a report on a drift, a new figure, a failure and an orphan; its directory."""
    kept = tmp_path / "kept"
    kept.mkdir()
    policy = SnapshotPolicy(str(kept), "kept", project=tmp_path)
    policy.snapshots.write(kept / "gone.1.json", Traced(BEFORE))
    words = ("a.py:1  Pow became Exp ```", "leaf b became leaf <b>")
    comparisons = [
        SnapshotComparison(3, str(kept / "a.1.json"), "drifted", words, BEFORE, AFTER),
        SnapshotComparison(9, str(kept / "a.2.json"), "missing", (), None, AFTER),
        SnapshotComparison(12, str(kept / "a.3.json"), "failed", ("ZeroDivisionError: <1/0>",)),
        SnapshotComparison(15, str(kept / "a.4.json"), "same"),
    ]
    found = Report.of({"a": comparisons}, policy)
    out = tmp_path / "out"
    write_report(found, out, lambda page, line: f"docs/{page}.rst:{line}", part=WHOLE, mermaid=True)
    return out


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return write_sample(tmp_path)


def test_the_comment_has_the_words_and_a_drawing_made_of_text(report: Path) -> None:
    text = (report / "report.md").read_text("utf-8")
    assert "4 graphs: 1 as kept, 1 drifted, 1 without a snapshot, 1 failed" in text
    assert "### `docs/a.rst:3` · `kept/a.1.json`\n\n````text\na.py:1  Pow became Exp ```\n" in text
    assert "- `b` is called `v <b>'` now." in text
    assert "there is no snapshot kept/a.2.json" in text
    assert "ZeroDivisionError: <1/0>" in text
    assert "no figure has the snapshot `kept/gone.1.json`" in text
    assert text.count("```mermaid\n") == 1
    assert re.search(r'^  (n\d+)\("#43; Exp.*\n(.*\n)*  class \1 added$', text, re.M)
    assert "a.4.json" not in text


def test_the_page_stands_alone_and_shows_before_after_and_both(report: Path) -> None:
    html = (report / "index.html").read_text("utf-8")
    assert not re.search(r"(src|href)=\"(?!#)", html)
    assert "&lt;1/0&gt;" in html
    svgs = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.S)]
    assert len(svgs) == 4  # of the drift three, of what is new one
    classes = [element.get("class", "") for element in svgs[0].iter()]
    assert "node function removed" in classes
    assert "node function added" in classes
    assert "node leaf changed" in classes
    assert {"edge removed", "edge added"} <= set(classes)
    words = "".join(svgs[0].itertext())
    assert "− Pow" in words
    assert "+ Exp" in words
    assert not any("added" in element.get("class", "") for element in svgs[1].iter())
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_parts_share_all_pages() -> None:
    pages = ["c", "a", "b", "e", "d"]
    parts = [Part.parse(f"{number}/3") for number in (1, 2, 3)]
    for page in pages:
        assert sum(part.has(page, pages) for part in parts) == 1
    assert [part.suffix for part in parts] == ["-1-of-3", "-2-of-3", "-3-of-3"]
    for text in ("4/3", "0/3", "1", "a/b", "1/0", "-1/2"):
        with pytest.raises(ValueError, match="is no part"):
            Part.parse(text)


def test_more_parts_than_there_are_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path), "--shard", "3/2"])
    assert ended.value.code == 2
    assert "'3/2' is no part" in capsys.readouterr().err


TRANSFORMER = """
import torch
from torch import nn

model = nn.TransformerEncoder(
    nn.TransformerEncoderLayer(8, 2, 16), num_layers=2, enable_nested_tensor=False
)
loss = model(torch.ones(3, 1, 8)).sum()
"""


@pytest.mark.parametrize("name", ["index.html", "report.md"])
def test_only_a_report_is_overwritten_by_one(name: str, report: Path, tmp_path: Path) -> None:
    assert "Pow became Exp" in (report / name).read_text()
    found = Report.of({}, SnapshotPolicy(str(tmp_path), "kept"))
    write_report(found, report, lambda page, line: page, part=WHOLE)
    assert "Pow became Exp" not in (report / name).read_text()
    (report / name).write_text("my own")
    before = {path.name: path.read_bytes() for path in report.iterdir()}
    with pytest.raises(FileExistsError, match=f"{name} is no report of autogradgraph"):
        write_report(found, report, lambda page, line: page, part=WHOLE)
    assert {path.name: path.read_bytes() for path in report.iterdir()} == before


@pytest.mark.long
def test_the_life_of_a_pull_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docs = tmp_path / "docs"
    out = docs / "report"  # what is there is no page
    docs.mkdir()
    files = {
        "conf.py": 'extensions = ["sphinx_autogradgraph", "myst_parser"]\n'
        'autogradgraph_snapshots = "kept"\n',
        "index.rst": "A\n=\n\n.. autogradgraph:: linreg.py\n   :tensor: l\n   :name: loss\n",
        "deep.rst": ":orphan:\n\nB\n=\n\n.. autogradgraph:: deep.py\n   :tensor: loss\n",
        "linreg.py": LINREG,
        "deep.py": TRANSFORMER,
    }
    for name, text in files.items():
        (docs / name).write_text(text, "utf-8")
    assert main(["update", str(docs)]) == 0
    Snapshots(docs / "kept", docs).write(docs / "kept" / "old.1.json", Traced(BEFORE))

    # The pull request: an operation replaced, and a layer added.
    (docs / "linreg.py").write_text(LINREG.replace("** 2", "** 3"))
    (docs / "deep.py").write_text(TRANSFORMER.replace("num_layers=2", "num_layers=3"))
    (docs / "linreg.py").write_text(LINREG.replace(" ** 2", ".exp()"))
    arguments = ["check", str(docs), "--report", str(out), "--shard"]
    assert main([*arguments, "1/2"]) == 1
    assert main([*arguments, "2/2"]) == 1
    names = sorted(path.name for path in out.iterdir())
    assert names == [
        "index-1-of-2.html",
        "index-2-of-2.html",
        "report-1-of-2.md",
        "report-2-of-2.md",
    ]
    first, second = ((out / f"report-{number}-of-2.md").read_text() for number in (1, 2))
    assert "deep.rst:6" in first
    assert "old.1.json" in first
    assert "more leaves are reached now" in first
    assert "index.rst:4" in second
    assert "PowBackward0 became ExpBackward0" in second
    assert "old.1.json" not in second
    assert "+ model.layers.2" in re.sub(r"<[^>]+>", "", (out / "index-1-of-2.html").read_text())

    assert main(["update", str(docs), "--report", str(out)]) == 0
    assert "PowBackward0 became ExpBackward0" in (out / "report.md").read_text()
    capsys.readouterr()
    assert main(["check", str(docs), "--report", str(out)]) == 0
    assert "2 graphs: 2 as kept, 0 drifted" in (out / "report.md").read_text()
    assert "<svg" not in (out / "index.html").read_text()


@pytest.mark.long
def test_a_markdown_site_has_a_report_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.autogradgraph]\nsnapshots = "kept"\n')
    (tmp_path / "mkdocs.yml").write_text("site_name: S\n")
    docs = tmp_path / "docs"
    docs.mkdir()
    fence = "```autogradgraph\nimport torch\nx = torch.ones(2, requires_grad=True)\nx.exp()\n```\n"
    for name in ("a.md", "b.md"):
        (docs / name).write_text(fence)
    out = docs / "out"  # what is there is no page
    assert main(["check", str(docs), "--report", str(out), "--shard", "1/2"]) == 1
    assert main(["check", str(docs), "--report", str(out), "--shard", "2/2"]) == 1
    text = (out / "report-2-of-2.md").read_text()
    assert "docs/a.md:1" in (out / "report-1-of-2.md").read_text()
    assert "1 graphs: 0 as kept, 0 drifted, 1 without a snapshot" in text
    assert "docs/b.md:1" in text


def test_graphs_of_any_size_are_drawn_in_one(tmp_path: Path) -> None:
    long = graph(("x", ()), *[(f"Op{id}", [id]) for id in range(300)])
    half = [(f"Op{id}", [id]) for id in range(150)]
    longer = graph(("x", ()), *half, ("New", [150]), ("Op150", [151]))
    kept = SnapshotComparison(1, str(tmp_path / "a.json"), "drifted", ("many",), long, longer)
    found = Report.of({"a": [kept]}, SnapshotPolicy(str(tmp_path), "kept"))
    write_report(found, tmp_path / "out", lambda page, line: page, part=WHOLE)
    assert (tmp_path / "out" / "index.html").read_text().count("<svg") == 3


def traced(code: str, name: str = "loss") -> Graph:
    namespace: dict[str, Any] = {"__name__": "changed"}
    exec(compile(code, "changed.py", "exec"), namespace)
    return trace_tensors([(name, namespace[name])], Names(namespace))[0]


BLOCK = """
import torch
from torch import nn

inner, outer = nn.Linear(4, 4), nn.Linear(4, 4)
x = torch.ones(2, 4, requires_grad=True)
loss = (x + outer(torch.relu(inner(x)))).mean()
"""


@pytest.mark.parametrize(
    ("before", "after", "name", "seen", "words"),
    [
        (LINREG, LINREG.replace(" ** 2", ".exp()"), "l", ["− PowBackward0", "+ ExpBackward0"], "PowBackward0 became ExpBackward0"),
        (BLOCK, BLOCK.replace("x = ", "data = ").replace("(x ", "(data ").replace("(x)", "(data)"), "loss", ["~ data", "← x"], "leaf x became leaf data"),
        (BLOCK, BLOCK.replace("(x + outer(torch.relu(inner(x))))", "outer(torch.relu(inner(x)))"), "loss", ["− AddBackward0"], "AddBackward0 is gone"),
        (BLOCK, BLOCK.replace("outer(", "outer(inner(").replace(").mean", ")).mean"), "loss", ["+ AddmmBackward0"], "AddmmBackward0 is new"),
    ],
    ids=["operation replaced", "leaf renamed", "residual removed", "layer added"],
)  # fmt: skip
def test_the_drawing_of_both_shows_what_changed(
    tmp_path: Path, before: str, after: str, name: str, seen: list[str], words: str
) -> None:
    graphs = traced(before, name), traced(after, name)
    kept = SnapshotComparison(
        1, str(tmp_path / "a.json"), "drifted", tuple(graphs[0].diff(graphs[1])), *graphs
    )
    assert words in kept.words[0]
    found = Report.of({"a": [kept]}, SnapshotPolicy(str(tmp_path), "kept"))
    write_report(found, tmp_path / "out", lambda page, line: page, part=WHOLE)
    html = (tmp_path / "out" / "index.html").read_text("utf-8")
    both = re.sub(r"<[^>]+>", "", re.findall(r"<svg.*?</svg>", html, re.S)[0])
    assert all(" ".join(text.split()) in " ".join(both.split()) for text in seen)
    marked = re.findall(r'class="node [a-z]+ (added|removed|changed)', html)
    assert 0 < len(marked) <= 8
