"""The executable plugin of mystmd and Jupyter Book 2."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from sphinx_autogradgraph.figures.figure_layout import FigureLayout
from sphinx_autogradgraph.figures.options import Options
from sphinx_autogradgraph.figures.page_figures import FinishedFigure
from sphinx_autogradgraph.hosts.cli import main as command
from sphinx_autogradgraph.hosts.myst.myst_nodes import figure_nodes
from sphinx_autogradgraph.hosts.myst.myst_plugin import main
from sphinx_autogradgraph.hosts.myst.myst_tree import walk
from sphinx_autogradgraph.program.myst_fences import myst_fences
from sphinx_autogradgraph.render.drawn_graph import graph_in_svg
from sphinx_autogradgraph.render.layout import Layout
from sphinx_autogradgraph.render.mermaid import MAX_EDGES
from sphinx_autogradgraph.runtime.result import Traced
from tests.conftest import ROOT
from tests.render.test_drawing import chain

MYST = ROOT / "tests" / "npm" / "node_modules" / ".bin" / "myst"

PAGE = """\
---
title: T
---

```{code-block} python
import torch
x = torch.ones(2, requires_grad=True)
```

:::{note}
```{autogradgraph}
:tensor: x.exp().sum()
:name: the name
```
:::

```{autogradgraph} code/y.py:y
```

```{autogradgraph}
:tensor: undefined
```

```{autogradgraph}
:form: mermaid

import torch
torch.ones(2, requires_grad=True).sin()
```
"""


def ask(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *words: str,
    data: object = None,
) -> Any:
    """Ask the plugin as mystmd does."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(data)))
    assert main(words) == 0
    return json.loads(capsys.readouterr().out)


def tree(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The tree of the page as mystmd hands it to the transform."""
    children = []
    for fence in myst_fences(PAGE.splitlines()):
        position = {"start": {"line": fence.line, "column": 1}}
        if fence.language == "python":
            children.append(
                {"type": "code", "lang": "python", "value": fence.body, "position": position}
            )
            continue
        options = dict(fence.options)
        data = {
            "name": fence.language, "arg": options.pop("reference", None), "body": fence.body,
            "options": options | ({"form": "mermaid"} if "sin" in fence.body else {}),
            "node": {"position": position},
        }  # fmt: skip
        children += ask(monkeypatch, capsys, "--directive", "autogradgraph", data=data)
    return {"type": "root", "children": [{"type": "block", "children": children}]}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "myst.yml").write_text("version: 1\n")
    (tmp_path / "pyproject.toml").write_text('[tool.autogradgraph]\nsnapshots = "kept"\n')
    pages = tmp_path / "pages"
    (pages / "code").mkdir(parents=True)
    (pages / "index.md").write_text(PAGE)
    (pages / "other.md").write_text(PAGE.replace("{note}", "{tip}\n"))
    code = "import torch\ny = torch.ones(2, requires_grad=True).cos()\n"
    (pages / "code" / "y.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_page_runs_once_and_its_markers_become_figures(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = ask(monkeypatch, capsys)
    assert [item["name"] for item in spec["directives"]] == ["autogradgraph", "autogradgraph-setup"]
    assert {"tensor", "show", "caption", "name", "depth"} <= set(spec["directives"][0]["options"])
    root = tree(monkeypatch, capsys)
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(root)))
    assert main(["--transform", spec["transforms"][0]["name"]]) == 0
    told = capsys.readouterr()
    nodes = [node for node, _ in walk(json.loads(told.out))]
    assert not [node for node in nodes if node["type"] == "autogradgraph"]
    images = [node for node in nodes if node["type"] == "image"]
    chains: list[str] = []
    for image in images:
        kind, _, data = image["url"].partition(";base64,")
        assert kind == "data:image/svg+xml"
        svg = base64.b64decode(data).decode()
        ET.fromstring(svg)
        found = graph_in_svg(svg)
        assert found is not None
        chains += found.chain
        assert image["width"] == f"{float(ET.fromstring(svg).attrib['width']):.0f}px"
    assert chains == ["SumBackward0", "ExpBackward0", "CosBackward0"]
    assert "Leaves: x (2,)" in images[0]["alt"]
    # In text, mystmd's TeX and Typst cannot set an arrow.
    assert {"type": "inlineMath", "value": r"\rightarrow", "html": "→"} in nodes
    assert not [node for node in nodes if node["type"] == "text" and "→" in node["value"]]
    figure = next(node for node in nodes if node["type"] == "container")
    assert (figure["label"], figure["identifier"], figure["html_id"]) == (
        "the name",
        "the name",
        "the-name",
    )
    (mermaid,) = (node for node in nodes if node["type"] == "mermaid")
    assert "SinBackward0" in mermaid["value"]
    (failed,) = (node for node in nodes if node["type"] == "admonition")
    assert "NameError" in json.dumps(failed)
    assert re.search(r"^pages/index\.md:20: .*NameError.*", told.err, re.M)
    kept = sorted(
        path.relative_to(site / "kept").as_posix() for path in (site / "kept").rglob("*.json")
    )
    assert kept == ["pages/index.2.json", "pages/index.4.json", "pages/index.the-name.json"]


def test_mermaid_text_is_folded_so_far_that_mermaid_draws_it() -> None:
    layout = FigureLayout("p", ("shape",), "TB", None, "alt", None, False, Layout(1, 1, {}, {}, {}))
    result = FinishedFigure(Traced(chain(600)), layout, (), (), ())
    text = figure_nodes(result, Options(fold=("none",)), (), mermaid=True)[0]["value"]
    assert "accDescr: alt" in text
    assert 10 < text.count("-->") <= MAX_EDGES


@pytest.mark.long
def test_check_reads_the_pages_of_mystmd(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "pages" / "other.md").unlink()
    assert command(["update", "."]) == 1  # for the figure that fails
    kept = sorted(path.name for path in (site / "kept" / "pages").iterdir())
    assert kept == ["index.2.json", "index.4.json", "index.the-name.json"]
    code = site / "pages" / "code" / "y.py"
    code.write_text(code.read_text().replace("cos", "tan"))
    capsys.readouterr()
    assert command(["check", "."]) == 1
    told = capsys.readouterr().out
    assert (
        "pages/index.md:17: WARNING: the graph is no longer that of kept/pages/index.2.json" in told
    )
    assert "CosBackward0 became TanBackward0" in told
    assert "4 graphs: 2 as kept, 1 drifted, 0 without a snapshot, 1 failed" in told


def test_a_page_without_figures_goes_through_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = {"type": "root", "children": [{"type": "code", "lang": "python", "value": "1 / 0"}]}
    assert ask(monkeypatch, capsys, "--transform", "autogradgraph", data=root) == root


@pytest.mark.long
def test_mystmd_builds_the_example_site(tmp_path: Path) -> None:
    if not MYST.exists():
        pytest.skip("needs mystmd: npm ci in tests/npm")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    where = tmp_path / "examples" / "sites" / "mystmd"
    (where / ".venv" / "bin").mkdir(parents=True)
    plugin = Path(sys.executable).with_name("autogradgraph-myst")
    (where / ".venv" / "bin" / plugin.name).symlink_to(plugin)
    # Its theme would have to be fetched; the content is made before that.
    done = subprocess.run(
        [str(MYST), "build", "--site"], cwd=where, capture_output=True, text=True, timeout=300
    )
    page = json.loads((where / "_build" / "site" / "content" / "index.json").read_text("utf-8"))
    nodes = [node for node, _ in walk(page["mdast"])]
    assert "index.md" in done.stdout + done.stderr
    (figure,) = (node for node in nodes if node["type"] == "container")
    (image,) = (node for node in nodes if node["type"] == "image")
    svg = (where / "_build" / "site" / "public" / image["url"].lstrip("/")).read_text("utf-8")
    found = graph_in_svg(svg)
    assert found is not None
    assert found.leaves == ("w", "b")
    assert figure["enumerator"] == "1"
    (reference,) = (node for node in nodes if node["type"] == "crossReference")
    assert reference["resolved"]
    assert sum(node["type"] == "mermaid" for node in nodes) == 1
    assert not re.search(r"⚠|⛔", done.stdout)
