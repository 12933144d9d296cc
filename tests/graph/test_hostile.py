"""Random Graphs and hostile strings through JSON, DOT, SVG, caption and text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from sphinx_autogradgraph.core.show import SHOW, Show
from sphinx_autogradgraph.graph.diff import differences
from sphinx_autogradgraph.graph.model import Graph, Saved
from sphinx_autogradgraph.render.arrange import arrange
from sphinx_autogradgraph.render.diagram import DIRECTIONS, Direction
from sphinx_autogradgraph.render.drawing import Drawing
from sphinx_autogradgraph.render.pdf import pdf_of
from sphinx_autogradgraph.render.svg import svg_of
from sphinx_autogradgraph.render.text import alternative, plain, summary, title
from sphinx_autogradgraph.render.text_tree import tree
from sphinx_autogradgraph.views.choice import Scope
from tests.properties import tried
from tests.views.test_folds import graphs

WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from([
        "</script><script>alert(1)</script>", "]]>", "<!--", "\\", '"', "'", "%s", "{x}", "a\nb", "\0",
        "\u202eabc", "\u2066", "🙂" * 30, "名前", "\ufffe", "n" * 10_000, "a\\n", "\\N\\G\\E", "&amp;",
    ]),
)  # fmt: skip


@st.composite
def hostile(draw: st.DrawFn) -> Graph:
    """A graph whose names, ops, modules, lines and saved values are hostile."""
    graph = draw(graphs())
    nodes = []
    for node in graph.nodes:
        source = node.source
        if source is not None:
            source = type(source)(draw(WORDS), source.line, draw(WORDS))
        saved = (Saved(draw(WORDS), draw(WORDS)),) if draw(st.booleans()) else None
        nodes.append(
            node.replace(
                name=draw(st.none() | WORDS), op=draw(WORDS), module=draw(st.none() | WORDS),
                call=draw(st.none() | WORDS), source=source, saved=saved,
            )
        )  # fmt: skip
    calls = tuple(call.replace(path=draw(WORDS), type=draw(WORDS)) for call in graph.modules)
    outputs = tuple(
        type(output)(draw(st.none() | WORDS), output.node, output.index) for output in graph.outputs
    )
    return Graph(outputs, tuple(nodes), graph.edges, calls)


def is_clean(text: str) -> bool:
    """Whether a text can stand in XML, and shows what it is."""
    return not re.search(
        r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\u202a-\u202e\u2066-\u2069]", text
    )


@given(
    hostile(), st.lists(st.sampled_from(SHOW), unique=True), st.sampled_from(DIRECTIONS),
    st.sampled_from([Scope(), Scope(limit=5), Scope(depth=1), Scope(fold=("lines", "repeats"))]),
)  # fmt: skip
@tried(15, 75)
def test_hostile_graphs_are_drawn(
    graph: Graph, show: list[Show], direction: Direction, scope: Scope
) -> None:
    arranged = arrange(graph, scope, show, direction)
    svg = svg_of(
        arranged.diagram, arranged.layout, prefix="p", title=plain(title([o.name for o in graph.outputs])),
        description=alternative(graph),
    )  # fmt: skip
    root = ET.fromstring(svg)
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    assert is_clean(svg)
    assert "<script" not in svg
    drawn = [e for e in root.iter() if e.attrib.get("class", "").split()[:1] == ["node"]]
    assert len(drawn) == len(arranged.diagram.boxes)
    assert pdf_of(arranged.diagram, arranged.layout, "t").startswith(b"%PDF")


@given(hostile())
@tried(15, 75)
def test_hostile_graphs_in_words_and_json(graph: Graph) -> None:
    assert Graph.from_json(graph.to_json()) == graph
    assert Graph.from_json(graph.to_json()).to_json() == graph.to_json()
    assert differences(graph, graph) == []
    for text in (plain(summary(graph)), alternative(graph), tree(graph) or "", repr(graph)):
        assert isinstance(text, str)
    drawing = Drawing(graph, show=SHOW)
    assert drawing.dot
    assert drawing.caption


@given(hostile(), hostile())
@tried(15, 75)
def test_the_difference_of_hostile_graphs_is_said(one: Graph, other: Graph) -> None:
    found = differences(one, other)
    assert (found == []) == (differences(other, one) == [])
    assert all(isinstance(line, str) and line for line in found)
