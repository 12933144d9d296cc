"""Large graphs on pages: they fold by themselves, open step by step, and always end in a drawing."""

from __future__ import annotations

import base64
import gzip
import json
import re

import pytest

from sphinx_autogradgraph.graph.model import Graph
from tests.conftest import Build, Elements, Project

MODEL = """
import torch
from torch import nn

torch.manual_seed(0)
encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 6)
loss = encoder(torch.randn(2, 5, 8)).sum()
"""

LOOP = """
import torch

x = torch.ones(2, requires_grad=True)
y = x
for step in range(400):
    y = y.sin()
    y = y * x
"""


def large(project: Project, *directives: str) -> None:
    project.write("model.py", MODEL)
    project.write("loop.py", LOOP)
    project.write("index.rst", "Title\n=====\n\n" + "\n\n".join(directives) + "\n")


def levels(build: Build, page: str = "index.html") -> list[list[dict[str, object]]]:
    """The levels of each figure of a page that opens."""
    canvases = Elements(build.read(page)).select("div", "autogradgraph-canvas")
    return [json.loads(canvas.attributes.get("data-levels", "[]")) for canvas in canvases]


def unpack(build: Build, url: object) -> str:
    """The SVG in a file that a page loads."""
    match = re.fullmatch(r'autogradgraphLevel\("(.*)","(.*)"\)\n', build.read(str(url)))
    assert match is not None
    return gzip.decompress(base64.b64decode(match[2])).decode()


def test_a_large_graph_folds_by_itself(project: Project) -> None:
    large(project, ".. autogradgraph:: model.py\n   :tensor: loss")
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    page = build.read("index.html")
    elements = Elements(page)
    names = [box.text for box in elements.select("g", "node", "module") if "encoder" in box.text]
    assert len(names) == 6
    assert all(f"encoder.layers.{place}" in name for place, name in enumerate(names))
    # A fold has the ids of its members; the data is the whole graph, and so are the counts.
    (data,) = elements.select("script", "autogradgraph-data")
    graph = Graph.from_json(data.text)
    assert len(graph.nodes) > 400
    shown = " ".join(
        box.attributes["data-node"] for box in elements.select("g") if "node" in box.classes
    )
    assert re.search(r"\d+-\d+", shown)
    count = sum(node.kind == "function" for node in graph.nodes)
    assert f"Folded for reading: {count} operations are drawn as 7 nodes." in page
    assert "72 leaves: " in page
    assert "12 each" in page
    ((first, *rest),) = levels(build)
    assert first == {"nodes": 7}
    assert [level["nodes"] for level in rest][-1] == len(graph.nodes)
    for level in rest:
        svg = unpack(build, level["url"])
        assert svg.count('class="node ') > level["nodes"] > 7  # type: ignore[operator]
    # What is drawn below has ids of its own.
    ids = re.findall(r'\bid="([^"]+)"', page + unpack(build, rest[0]["url"]))
    assert len(ids) == len(set(ids))


@pytest.mark.long
def test_the_limit_is_a_setting(project: Project) -> None:
    project.conf("autogradgraph_max_nodes = 2000")
    large(project, ".. autogradgraph:: model.py\n   :tensor: loss")
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    assert "Folded for reading" not in build.read("index.html")
    assert "node module" not in build.read("index.html")


def test_options_of_folds(project: Project) -> None:
    large(
        project,
        ".. autogradgraph:: model.py\n   :tensor: loss\n   :depth: 1",
        ".. autogradgraph:: model.py\n   :tensor: loss\n   :depth: 2\n   :fold: repeats",
        ".. autogradgraph:: loop.py\n   :tensor: y\n   :fold: none",
        ".. autogradgraph:: loop.py\n   :tensor: y\n   :fold: lines, repeats",
        ".. autogradgraph:: model.py\n   :tensor: loss\n   :until: encoder.layers[5].norm2\n"
        "   :show: shape modules",
        ".. autogradgraph:: model.py\n   :tensor: loss\n   :around: encoder.layers.2.linear1",
    )
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    page = build.read("index.html")
    figures = re.findall(r"<figure.*?</figure>", page, re.S)
    boxes = [Elements(figure).select("g", "node", "module") for figure in figures]
    assert boxes[0][0].text.startswith("encoder TransformerEncoder")
    assert any(box.text.startswith("× 3 more") for box in boxes[1])
    assert boxes[2] == []
    assert figures[2].count('class="node function') == 800
    assert any("× 398 more" in box.text for box in boxes[3])
    assert [box for box in boxes[4] if "cut" in box.classes]
    assert 'class="cluster"' in figures[4]
    assert len([box for box in boxes[5] if "cut" in box.classes]) >= 1
    assert "encoder.layers.2.linear1.weight" in figures[5]
    assert "encoder.layers.4" not in re.sub(r"<(script|figcaption).*?</\1>|<desc.*?</desc>", "",
                                            figures[5], flags=re.S)  # fmt: skip


BAD_OPTIONS = {
    ":depth: 0": ":depth: cannot be '0': a whole number from 1 is needed",
    ":fold: layers": "fold has no 'layers'; choose from modules, repeats, lines, none",
    ":fold:": ":fold: cannot be '': choose from modules, repeats, lines, none",
    ":around: encoder.layers.9": "no tensor or module of this graph is called",
    ":until:": ":until: cannot be '': the name of a tensor or a module is needed",
}


@pytest.mark.long
def test_bad_options_of_folds(project: Project) -> None:
    directive = ".. autogradgraph:: model.py\n   :tensor: loss\n   "
    large(project, *(directive + option for option in BAD_OPTIONS))
    for _ in range(2):
        warnings = project.build("html").warnings
        assert len(warnings) == len(BAD_OPTIONS)
        for place, (warning, message) in enumerate(
            zip(warnings, BAD_OPTIONS.values(), strict=True)
        ):
            assert f"index.rst:{4 + 4 * place}" in warning
            assert message in warning


@pytest.mark.long
def test_a_layout_that_takes_too_long_ends_in_a_smaller_drawing(project: Project) -> None:
    # No engine draws 6,000 nodes that are all connected in a fifth of a second; any draws ten.
    project.conf("autogradgraph_layout_timeout = 0.2")
    project.write(
        "index.rst",
        """
        Title
        =====

        .. autogradgraph::
           :fold: none

           import torch
           xs = [torch.ones(1, requires_grad=True)]
           for step in range(3000):
               xs.append(xs[-1] * 2 + xs[step // 2])
           end = xs[-1]
        """,
    )
    build = project.build("html")
    (warning,) = build.warnings
    assert "did not lay the graph out within 0.2 seconds" in warning
    assert "<svg" in build.read("index.html")
    assert "Folded for reading" in build.read("index.html")


@pytest.mark.long
def test_text_draws_the_folded_tree(project: Project) -> None:
    large(project, ".. autogradgraph:: model.py\n   :tensor: loss")
    text = project.build("text", "-W").read("index.txt")
    assert "encoder.layers.5 TransformerEncoderLayer" in text
    assert len(text.splitlines()) < 60


@pytest.mark.long
def test_a_module_of_another_class_is_drift(project: Project) -> None:
    project.conf('autogradgraph_snapshots = "graphs"')
    code = "import torch\nnet = torch.nn.Sequential(torch.nn.{kind}())\n" \
        "out = net(torch.ones(2, requires_grad=True))\n"  # fmt: skip
    project.write("index.rst", "Title\n=====\n\n.. autogradgraph:: net.py\n   :tensor: out\n")
    project.write("net.py", code.format(kind="Hardtanh"))
    assert project.build("html", "-W").status == 0
    project.write("net.py", code.format(kind="ReLU6"))
    (warning,) = project.build("html").warnings
    assert "module net.0: class Hardtanh became ReLU6" in warning


@pytest.mark.long
def test_a_page_of_a_chain_of_100_000_is_light(project: Project) -> None:
    project.write(
        "chain.py",
        """
        import torch

        y = x = torch.ones(3, requires_grad=True)
        for _ in range(100_000):
            y = y.sin()
        """,
    )
    directive = ".. autogradgraph:: chain.py\n   :tensor: y\n   :timeout: 300\n"
    project.write("index.rst", f"Title\n=====\n\n{directive}")
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    assert len(build.read("index.html").encode()) <= 200 * 1024
