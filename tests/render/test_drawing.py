"""Drawing: words, layout, SVG."""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.layout import read_corpus
from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.core.settings import ENGINES, Engine
from sphinx_autogradgraph.graph.model import (
    Edge,
    Flags,
    Graph,
    Node,
    Output,
    Saved,
    Source,
    TensorMeta,
)
from sphinx_autogradgraph.render import arrange as arrange_module
from sphinx_autogradgraph.render import layout as layout_module
from sphinx_autogradgraph.render import svg as svg_module
from sphinx_autogradgraph.render.arrange import arrange
from sphinx_autogradgraph.render.diagram import DIRECTIONS, Direction
from sphinx_autogradgraph.render.diagram_of_graph import diagram_of
from sphinx_autogradgraph.render.dot import layout_dot
from sphinx_autogradgraph.render.drawing import Drawing
from sphinx_autogradgraph.render.html_parts import lists_html
from sphinx_autogradgraph.render.layout import Layout, lay_out
from sphinx_autogradgraph.render.lettering import text_width
from sphinx_autogradgraph.render.operators import call_text
from sphinx_autogradgraph.render.svg import svg_of
from sphinx_autogradgraph.render.svg_boxes import runs
from sphinx_autogradgraph.render.text import alternative, marked, plain, summary, title
from sphinx_autogradgraph.render.text_tree import tree
from tests.properties import tried

SVG = "{http://www.w3.org/2000/svg}"


def meta(*shape: int) -> TensorMeta:
    return TensorMeta(shape, "float32", "cpu")


def linreg(name: str = "w", output: str = "l") -> Graph:
    ops = ["Mm", "Add", "Sub", "Pow", "Div"]
    return Graph(
        outputs=(Output(output, 7, 0),),
        nodes=(
            Node(0, "leaf", "AccumulateGrad", name, (meta(2, 1),)),
            Node(1, "leaf", "AccumulateGrad", "b", (meta(1),)),
            *(
                Node(id, "function", f"{op}Backward0", None, (meta(10, 1),))
                for id, op in enumerate(ops, 2)
            ),
            Node(7, "function", "SumBackward0", output, (meta(),)),
        ),
        edges=(
            Edge(0, 2, 0, 1), Edge(2, 3, 0, 0), Edge(1, 3, 0, 1), Edge(3, 4, 0, 0),
            Edge(4, 5, 0, 0), Edge(5, 6, 0, 0), Edge(6, 7, 0, 0),
        ),
    )  # fmt: skip


def chain(length: int) -> Graph:
    nodes = [Node(0, "leaf", "AccumulateGrad", "x", (meta(2),))]
    nodes += [Node(id, "function", f"Op{id}", None, (meta(2),)) for id in range(1, length + 1)]
    edges = [Edge(id, id + 1, 0, 0) for id in range(length)]
    return Graph((Output("y", length, 0),), tuple(nodes), tuple(edges))


def draw(graph: Graph, engine: Engine = "graphviz-pure", direction: Direction = "TB") -> str:
    diagram = diagram_of(graph, direction=direction)
    placed = lay_out([layout_dot(diagram)], engine)[0]
    assert Layout.from_dict(placed.to_dict()) == placed
    return svg_of(diagram, placed, prefix="p", title="Title", description="Description")


def test_the_words_of_the_walk_through() -> None:
    graph = linreg()
    ops = "SumBackward0 → DivBackward0 → PowBackward0 → SubBackward0 → AddBackward0 → MmBackward0"
    assert plain(title(["l"])) == "Autograd graph of l."
    assert [span.text for span in title(["l"]) if span.kind == "literal"] == ["l"]
    assert plain(summary(graph)) == f"Leaves: w (2, 1), b (1,). grad_fn chain: {ops}."
    assert [span.text for span in summary(graph) if span.kind == "literal"] == ["w", "b"]
    assert (
        alternative(graph)
        == f"Autograd graph of l. grad_fn chain: {ops}. Leaves: w (2, 1), b (1,)."
    )


def test_a_long_chain_is_shortened_in_the_caption_alone() -> None:
    assert "more" not in plain(summary(chain(12)))
    words = plain(summary(chain(50)))
    assert "Op50 → Op49 → Op48 → … 44 more … → Op3 → Op2 → Op1." in words
    assert all(f"Op{id}" in alternative(chain(50)) for id in range(1, 51))
    assert "Op25" in lists_html(chain(50))
    assert "Op250" in alternative(chain(299))
    assert len(alternative(chain(300))) < 200
    assert lists_html(chain(12)) == lists_html(chain(2_000)) == ""


def leaves(*names: str | None) -> Graph:
    nodes = [Node(id, "leaf", "AccumulateGrad", name, (meta(2),)) for id, name in enumerate(names)]
    return Graph((), tuple(nodes), ())


def test_more_than_six_leaves_are_grouped_by_module() -> None:
    layers = [
        f"model.encoder.layers.{layer}.{name}" for layer in range(6) for name in "abcdefghijkl"
    ]
    graph = leaves("model.embedding.weight", *layers, "model.head.weight", "model.head.bias")
    assert plain(summary(graph)).startswith(
        "75 leaves: model.embedding.weight (2,), model.encoder.layers.0–5 (12 each), model.head (2)."
    )
    assert "model.encoder.layers.3.k" in lists_html(graph)
    for names, words in (
        ([f"w{number}" for number in range(9)], "w0 (2,), w1 (2,), w2 (2,), w3 (2,), w4 (2,) and 4 more"),
        ([f"params[{number}]" for number in range(9)], "params (9)"),
        ([None] * 9, "9 unnamed"),
        (["net.a.w", *(f"net.b.{name}" for name in "cdefgh"), None],
         "net.a.w (2,), net.b (6), unnamed (2,)"),
    ):  # fmt: skip
        assert plain(summary(leaves(*names))).startswith(f"{len(names)} leaves: {words}.")
    assert "leaves:" not in plain(summary(leaves(*"abcdef")))


def test_leaves_without_a_name_and_none_at_all() -> None:
    unnamed = Node(0, "leaf", "AccumulateGrad", None, (meta(3, 4),))
    graph = Graph((Output(None, 0, 0),), (unnamed,), ())
    assert plain(summary(graph)) == "Leaves: unnamed (3, 4). grad_fn chain: none."
    assert plain(title([None])) == "Autograd graph of an unnamed tensor."


def test_the_tree_keeps_a_chain_in_a_column() -> None:
    assert tree(linreg()) == (
        "l ()\nSumBackward0 l ()\nDivBackward0 (10, 1)\nPowBackward0 (10, 1)\n"
        "SubBackward0 (10, 1)\nAddBackward0 (10, 1)\n├─ MmBackward0 (10, 1)\n│  w (2, 1)\n"
        "└─ b (1,)"
    )
    assert tree(chain(100)) is None


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_one_box_a_node_and_one_arrow_an_edge(engine: Engine, direction: Direction) -> None:
    if engine == "dot" and shutil.which("dot") is None:
        pytest.skip("needs a system Graphviz")
    graph = linreg()
    root = ET.fromstring(draw(graph, engine, direction))
    nodes = [g for g in root.iter(f"{SVG}g") if g.get("class", "").startswith("node ")]
    edges = [g for g in root.iter(f"{SVG}g") if g.get("class") == "edge"]
    kinds = [g.get("class") for g in nodes]
    assert [g.get("data-node") for g in nodes] == [*map(str, range(8)), "7"]
    assert kinds == ["node leaf"] * 2 + ["node function"] * 6 + ["node output"]
    assert len(edges) == len(graph.edges) + len(graph.outputs)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert root.get("role") == "group"
    assert (root.get("aria-labelledby") or "").split() == ["p-title", "p-desc"]
    axis, flips = {"TB": ("y", 1), "BT": ("y", -1), "LR": ("x", 1), "RL": ("x", -1)}[direction]
    along = [flips * float(next(g.iter(f"{SVG}text")).get(axis, "0")) for g in nodes]
    for edge in graph.edges:
        assert along[edge.from_] < along[edge.to]


def steps(count: int) -> Graph:
    """A chain in which each node uses the leaf ``w``, the first of them twice."""
    nodes = [Node(0, "leaf", "AccumulateGrad", "w", (meta(2),))]
    nodes += [Node(id, "function", "MulBackward0", None, (meta(2),)) for id in range(1, count + 1)]
    edges = [Edge(0, 1, 0, 0), Edge(0, 1, 0, 1)]
    for id in range(2, count + 1):
        edges += [Edge(id - 1, id, 0, 0), Edge(0, id, 0, 1)]
    return Graph((Output("y", count, 0),), tuple(nodes), tuple(edges))


def test_a_leaf_is_drawn_at_each_use_where_its_uses_are_far_apart() -> None:
    near, far = (ET.fromstring(draw(steps(count))) for count in (4, 20))
    for root, boxes in ((near, 1), (far, 20)):
        leaves = [g for g in root.iter(f"{SVG}g") if "leaf" in g.get("class", "").split()]
        assert [g.get("data-node") for g in leaves] == ["0"] * boxes
        assert all(("shared" in g.get("class", "")) == (boxes > 1) for g in leaves)
        assert all("≡" in "".join(g.itertext()) for g in leaves) == (boxes > 1)
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(ids) == len(set(ids))
    assert sum(g.get("class") == "edge" for g in far.iter(f"{SVG}g")) == len(steps(20).edges) + 1


def test_an_unrolled_network_is_laid_out_at_all() -> None:
    # With one box for the leaf, its arrows alone would take the engine more than a minute.
    assert draw(steps(400)).count('class="node leaf shared"') == 400


def test_the_same_bytes_twice() -> None:
    assert draw(linreg()) == draw(linreg())


HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from("<>&\"'\\%{}[]|\n\r\t\x00\x1b\u202e\u2066]]>名前🙂\ud800\ufffe"),
        st.characters(),
    ),
    max_size=80,
)


@tried(15, 50)
@given(name=HOSTILE, output=HOSTILE)
def test_any_name_gives_well_formed_svg(name: str, output: str) -> None:
    graph = linreg(name, output)
    diagram = diagram_of(graph)
    placed = lay_out([layout_dot(diagram)])[0]
    svg = svg_of(
        diagram, placed, prefix="p", title=plain(title([output])), description=alternative(graph)
    )
    root = ET.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "g", "path", "rect", "text", "tspan",
    }  # fmt: skip


def test_a_long_label_is_cut_and_whole_in_the_tooltip() -> None:
    svg = draw(linreg("w" * 10_000))
    assert "w" * 59 + "…" in svg
    assert svg.count("w" * 10_000) == 1


def test_wide_characters_take_their_width() -> None:
    assert text_width("名前") >= 2.0
    assert text_width("ő") == pytest.approx(0.75)
    assert text_width("e\N{COMBINING ACUTE ACCENT}") == pytest.approx(0.602)


def test_an_svg_that_stands_alone_has_its_style() -> None:
    diagram = diagram_of(linreg())
    placed = lay_out([layout_dot(diagram)])[0]
    svg = svg_of(diagram, placed, prefix="p", title="t", description="d", standalone=True)
    root = ET.fromstring(svg)
    style = root.find(f"{SVG}style")
    assert style is not None
    assert "--autogradgraph-leaf-fill" in (style.text or "")
    # What reads no style sheet has the light look in attributes.
    assert (style.text or "").startswith("@supports")
    shapes = [*root.iter(f"{SVG}rect"), *root.iter(f"{SVG}path")]
    assert all(shape.get("fill") for shape in shapes)
    assert all(shape.get("stroke") for shape in shapes if shape.get("class") != "head")
    assert root.get("font-size") == "13"


@pytest.mark.skipif(shutil.which("rsvg-convert") is None, reason="needs rsvg-convert")
def test_librsvg_draws_the_light_look() -> None:
    diagram = diagram_of(linreg())
    placed = lay_out([layout_dot(diagram)])[0]
    svg = svg_of(diagram, placed, prefix="p", title="t", description="d", standalone=True)
    command = ["rsvg-convert", "--format=svg"]
    done = subprocess.run(command, input=svg.encode(), capture_output=True, check=True)
    colours = set(re.findall(r"rgb\(([^)]*)\)", done.stdout.decode()))
    assert any(colour.startswith("85.88") for colour in colours), colours  # the fill of leaves


def fake_engine(monkeypatch: pytest.MonkeyPatch, directory: Path, script: str) -> None:
    path = directory / "dot"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory), prepend=os.pathsep)
    layout_module.find_engine.cache_clear()


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'syntax error' >&2; exit 1", "status 1"),
        ("echo nonsense", "failed"),
        ("exec sleep 30", "within 0.5 seconds"),
        ("sleep 30 & exit 0", "within 0.5 seconds"),  # what it leaves behind holds its pipes
    ],
)
def test_an_engine_that_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, says: str
) -> None:
    fake_engine(monkeypatch, tmp_path, script)
    with pytest.raises(DiagnosticError) as caught:
        lay_out(["digraph {}"], "dot", timeout=0.5)
    layout_module.find_engine.cache_clear()
    assert caught.value.diagnostic.kind == "layout"
    assert says in caught.value.diagnostic.sentence()


def test_a_png_that_the_engine_does_not_draw(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_engine(monkeypatch, tmp_path, "echo 'no memory' >&2; exit 3")
    monkeypatch.setattr(layout_module, "_find_graphviz_pure", lambda: str(tmp_path / "dot"))
    with pytest.raises(DiagnosticError, match="graphviz-pure failed: status 3"):
        Drawing(linreg()).save(tmp_path / "l.png")
    layout_module.find_engine.cache_clear()
    assert not (tmp_path / "l.png").exists()


def test_an_engine_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    layout_module.find_engine.cache_clear()
    with pytest.raises(DiagnosticError) as caught:
        lay_out(["digraph {}"], "dot")
    layout_module.find_engine.cache_clear()
    assert "install Graphviz" in caught.value.diagnostic.sentence()


def test_a_box_has_a_few_saved_values_however_many_there_are() -> None:
    saved = tuple(Saved(role=f"argument{place}", value="x" * 20) for place in range(9))
    node = Node(1, "function", "CheckpointFunctionBackward", None, (meta(),), saved=saved)
    leaf = Node(0, "leaf", "AccumulateGrad", "x", (meta(),))
    graph = Graph((Output("y", 1, 0),), (leaf, node), (Edge(0, 1, 0, 0),))
    arranged = arrange(graph, show=("shape", "saved"))
    assert not arranged.folded
    words = [word for box in arranged.diagram.boxes for role, word in box.words if role == "saved"]
    assert len(words) == 4
    assert words[-1] == "…"


def test_flags_stand_below_each_other_where_that_fits_a_telephone() -> None:
    flags = Flags(is_leaf=True, requires_grad=True, retains_grad=False, grad=(2, 1))
    leaves = [Node(id, "leaf", "AccumulateGrad", f"w{id}", (meta().replace(flags=flags),))
              for id in (0, 1)]  # fmt: skip
    graph = Graph(
        (Output("y", 2, 0),), (*leaves, Node(2, "function", "AddBackward0", None, (meta(),))),
        (Edge(0, 2, 0, 0), Edge(1, 2, 0, 1)),
    )  # fmt: skip
    arranged = arrange(graph, show=("flags",))
    assert arranged.layout.width * 9 / 13 < 320
    texts = [word for _, word in arranged.diagram.boxes[0].words[1:]]
    assert texts == ["is_leaf=True", "requires_grad=True", "retains_grad=False", "grad=(2, 1)"]


def test_names_in_the_notes_of_a_caption_are_literals() -> None:
    kinds = [(span.kind, span.text) for span in marked("no gradient reaches `a`, `b`.")]
    assert ("literal", "a") in kinds
    assert "".join(text for _, text in kinds) == "no gradient reaches a, b."
    assert [span.kind for span in marked("an odd ` stays")] == ["text"]


def test_the_svg_of_twelve_operations_is_small() -> None:
    (figure,) = [figure for figure in read_corpus() if figure.name == "several losses"]
    assert sum(node.kind == "function" for node in figure.graph.nodes) == 13
    arranged = arrange(figure.graph)
    svg = svg_of(
        arranged.diagram, arranged.layout, prefix="autogradgraph-index-1",
        title="Autograd graph of loss.", description=alternative(figure.graph),
    )  # fmt: skip
    assert len(svg.encode()) <= 8 * 1024


@pytest.mark.parametrize(
    ("line", "call", "said"),
    [
        ("l = ((y_hat - y) ** 2 / 2).sum()", "torch.Tensor.sub", "torch.Tensor.sub −"),
        ("l = ((y_hat - y) ** 2 / 2).sum()", "torch.Tensor.pow", "torch.Tensor.pow **"),
        ("l = ((y_hat - y) ** 2 / 2).sum()", "torch.Tensor.sum", "torch.Tensor.sum"),
        ("return x @ w", "torch.Tensor.matmul", "torch.Tensor.matmul @"),
        ("while (x * 2).sum() < 9:", "torch.Tensor.mul", "torch.Tensor.mul *"),
        ("y = torch.sub(a, -1)", "torch.sub", "torch.sub"),
        ("a +", "torch.Tensor.add", "torch.Tensor.add"),
    ],
)
def test_a_call_is_told_with_the_operator_of_its_line(line: str, call: str, said: str) -> None:
    source = Source("linreg.py", 12, line)
    node = Node(0, "function", "XBackward0", None, (meta(),), source=source, call=call)
    assert call_text(node) == said


@pytest.mark.parametrize("was", [True, False])
def test_garbage_collection_pauses_while_a_graph_is_drawn(
    monkeypatch: pytest.MonkeyPatch, *, was: bool
) -> None:
    enabled: list[bool] = []
    for module, name in ((arrange_module, "diagram_of"), (svg_module, "box_svg")):
        made = getattr(module, name)

        def noting(*args: Any, made: Any = made) -> Any:
            enabled.append(gc.isenabled())
            return made(*args)

        monkeypatch.setattr(module, name, noting)
    drawing = Drawing(linreg())
    try:
        if not was:
            gc.disable()
        assert drawing.svg
        assert gc.isenabled() == was
    finally:
        gc.enable()
    assert enabled
    assert not any(enabled)


def test_the_nodes_of_a_fold_are_written_once_for_all_its_outputs() -> None:
    nodes = tuple(range(0, 40_000, 2))
    begun = time.process_time()
    written = {runs(nodes) for _ in range(500)}
    assert time.process_time() - begun < 1
    assert written == {" ".join(map(str, nodes))}
