"""The Mermaid text of graphs, parsed and drawn by Mermaid itself in headless Chromium."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from sphinx_autogradgraph.core.show import SHOW
from sphinx_autogradgraph.graph.model import Edge, Graph, Node, Output, TensorMeta
from sphinx_autogradgraph.render.diagram import (
    DIRECTIONS,
    Arrow,
    ArrowKind,
    BoxKind,
    Diagram,
    box_of,
)
from sphinx_autogradgraph.render.drawing import Drawing
from sphinx_autogradgraph.render.mermaid import MAX_CHARACTERS, MAX_EDGES, mermaid_of
from sphinx_autogradgraph.views.choice import Scope
from tests.conftest import ROOT
from tests.render.test_drawing import chain, linreg

SCRIPT = ROOT / "tests" / "npm" / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
SNAPSHOTS = sorted((ROOT / "docs" / "snapshots").glob("*.json"))

NAMES = (
    "y_hat", "__x__", 'a"b', "a[0]", "state['h']", "<b>x</b>", "`c`", "1. Mul", "- item", "# head",
    "a#b;c", "#quot;", "权重 é", "a & b &lt; c", "end", "%%x", "**b**", "a->b --> c", "{x}", "$$x^2$$",
    "\\n", "a|b", "fa:fa-car", "😀", "x@{shape:circle}", "> q", "_a_", "javascript:alert(1)", "#35;",
    ":::leaf", "subgraph x", "accTitle: y", "%%{init: {}}%%", "</svg>", "/x/", "\\", "~~~js",
)  # fmt: skip

DRAW = """
async ([theme, text]) => {
  mermaid.initialize({startOnLoad: false, theme});
  await mermaid.parse(text);
  document.body.innerHTML = (await mermaid.render("m", text)).svg;
  const words = found => [...document.querySelectorAll(found)].map(at => at.textContent.trim());
  return {
    nodes: words(".node .nodeLabel"), frames: words(".cluster .nodeLabel"),
    edges: document.querySelectorAll("path.flowchart-link").length,
    name: words("svg > title")[0], description: words("svg > desc")[0],
  };
}
"""


@pytest.fixture(scope="module")
def mermaid(browser: Any) -> Any:
    """Draw a text by Mermaid; what the drawing says."""
    if not SCRIPT.is_file():
        pytest.skip("needs Mermaid: npm ci in tests/npm")
    page = browser.new_page()
    page.set_content("<body></body>")
    page.add_script_tag(path=str(SCRIPT))
    return lambda text, theme="default": page.evaluate(DRAW, [theme, text])


@pytest.mark.long
@pytest.mark.browser
def test_mermaid_draws_what_names_say_whatever_they_hold(mermaid: Any) -> None:
    meta = (TensorMeta((2, 1), "float32", "cpu"),)
    count = len(NAMES)
    nodes = [Node(id, "leaf", "AccumulateGrad", name, meta) for id, name in enumerate(NAMES)]
    stack = Node(count, "function", "<StackBackward0>", None, meta)
    edges = tuple(Edge(id, count, 0, id) for id in range(count))
    outputs = tuple(Output(name, count, 0) for name in NAMES[:10])
    drawn = mermaid(Drawing(Graph(outputs, (*nodes, stack), edges)).mermaid)
    # Without spaces: a long line is broken.
    said = ["".join(words.split()) for words in drawn["nodes"]]
    expected = [f"{name}(2,1)" for name in (*NAMES, "<StackBackward0>", *NAMES[:10])]
    assert said == ["".join(words.split()) for words in expected]
    assert drawn["name"] == f"Autograd graph of {', '.join(NAMES[:10])}."
    assert drawn["description"].startswith(drawn["name"])


@pytest.mark.long
@pytest.mark.browser
def test_mermaid_draws_every_graph_of_the_documentation(mermaid: Any) -> None:
    assert len(SNAPSHOTS) > 30
    for number, path in enumerate(SNAPSHOTS):
        graph = Graph.from_json(path.read_text("utf-8"))
        text = Drawing(graph, show=SHOW, direction=DIRECTIONS[number % 4]).mermaid
        drawn = mermaid(text, "dark" if number % 2 else "default")
        assert len(drawn["nodes"]) == len(re.findall(r":::\w+$", text, re.M)), path.name
        assert drawn["edges"] == len(re.findall(r" -(?:-|\.-)>? ", text)), path.name
        assert len(drawn["frames"]) == len(re.findall(r"^ *subgraph ", text, re.M)), path.name


def test_kinds_directions_and_names_are_in_the_text() -> None:
    text = Drawing(linreg(), direction="LR").mermaid
    assert text.startswith("flowchart LR\n")
    assert 'n0["w (2, 1)"]:::leaf' in text
    assert 'n2("MmBackward0 (10, 1)"):::function' in text
    assert 'o0(["l ()"]):::output' in text
    assert "n0 --> n2\n" in text
    for kind in ("leaf", "function", "output"):
        # A colour of its own for the text: that of the page may be light or dark.
        assert re.search(rf"^  classDef {kind} fill:#\w+,stroke:#\w+,color:#\w+", text, re.M)


def test_what_is_too_large_for_mermaid_is_folded_even_where_nothing_is_to_fold() -> None:
    text = Drawing(chain(2_000), scope=Scope(fold=("none",))).mermaid
    assert 0 < text.count("-->") <= MAX_EDGES
    assert len(text) <= MAX_CHARACTERS
    assert Drawing(chain(400), scope=Scope(fold=("none",))).mermaid.count("-->") == 401


def test_a_drawing_is_saved_as_mermaid(tmp_path: Path) -> None:
    drawing = Drawing(linreg("权重\ud800\n", "l"))
    assert drawing.save(tmp_path / "l.mmd").read_text("utf-8") == drawing.mermaid


def test_every_kind_of_box_and_of_arrow_is_drawn() -> None:
    boxes = tuple(
        box_of(f"n{number}", kind, (number,), [("name", kind)])
        for number, kind in enumerate(get_args(BoxKind))
    )
    arrows = tuple(
        Arrow(f"e{number}", "n0", f"n{number}", kind, words=(("meta", "a|b"),))
        for number, kind in enumerate(get_args(ArrowKind), 1)
    )
    text = mermaid_of(Diagram(boxes, arrows), "", "")
    assert len(re.findall(r":::\w+$", text, re.M)) == len(boxes)
    assert text.count("#124;") == text.count('"| n') == len(arrows)


def test_frames_without_boxes_are_left_out() -> None:
    meta = (TensorMeta((2,), "float32", "cpu"),)
    nodes = (Node(0, "leaf", "AccumulateGrad", "w", meta), Node(1, "function", "M", None, meta))
    graph = Graph((Output("y", 1, 0),), nodes, (Edge(0, 1, 0, 0),))
    assert "subgraph" not in Drawing(graph, show=["modules"]).mermaid
