"""Folds and focus: views of a Graph that lose nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sphinx_autogradgraph import draw, record
from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.graph.model import (
    Edge,
    Graph,
    ModuleCall,
    Node,
    Output,
    Source,
    TensorMeta,
)
from sphinx_autogradgraph.views.choice import (
    EVERYTHING,
    MAX_OPEN,
    READABLE,
    Scope,
    fold_words,
    steps,
    views,
    wanted_view,
)
from sphinx_autogradgraph.views.focus import around, until
from sphinx_autogradgraph.views.line_folds import fold_lines
from sphinx_autogradgraph.views.module_folds import (
    Run,
    contract,
    fold_modules,
    fold_parts,
    levels,
    members,
    operations,
)
from sphinx_autogradgraph.views.repeat_folds import fold_repeats
from tests.properties import tried

Fold = Callable[[Graph], Graph]

FOLDS: dict[str, Fold] = {
    "modules 1": lambda graph: fold_modules(graph, 1),
    "modules 2": lambda graph: fold_modules(graph, 2),
    "repeats": fold_repeats,
    "lines": fold_lines,
    "parts": lambda graph: fold_parts(graph, 3),
    "repeats of modules": lambda graph: fold_repeats(fold_modules(graph, 2)),
    "parts of lines": lambda graph: fold_parts(fold_lines(graph), 2),
    "modules of repeats": lambda graph: fold_modules(fold_repeats(graph), 1),
}


def meta(*shape: int) -> TensorMeta:
    return TensorMeta(shape, "float32", "cpu")


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs with shared leaves, several outputs, lines that repeat and modules in modules."""
    leaves = draw(st.integers(1, 4))
    functions = draw(st.integers(1, 24))
    names = [draw(st.sampled_from(["w", "net.0.weight", "net.bias", None])) for _ in range(leaves)]
    nodes = [
        Node(id, "leaf", "AccumulateGrad", name, (meta(2, id + 1),))
        for id, name in enumerate(names)
    ]
    edges = []
    for id in range(leaves, leaves + functions):
        used = draw(st.lists(st.integers(0, id - 1), min_size=1, max_size=3))
        for number, from_ in enumerate(used):
            last = len(nodes[from_].outputs) - 1
            edges.append(Edge(from_, id, draw(st.integers(0, last)), number))
        line = draw(st.integers(1, 3))
        outputs = (meta(2),) * draw(st.sampled_from([1, 1, 2]))
        op = draw(st.sampled_from(["Mul", "Add"]))
        source = Source("a.py", line, f"line {line}")
        nodes.append(Node(id, "function", op, None, outputs, source))
    ends = draw(st.lists(st.integers(0, len(nodes) - 1), min_size=1, max_size=3, unique=True))
    return Graph(
        outputs=tuple(
            Output(f"y{id}", id, draw(st.integers(0, len(nodes[id].outputs) - 1))) for id in ends
        ),
        nodes=tuple(nodes),
        edges=tuple(edges),
        modules=tuple(draw(calls(leaves, leaves + functions))),
    )


@st.composite
def calls(draw: st.DrawFn, start: int, end: int) -> list[ModuleCall]:
    """Calls of modules that are apart or one in the other."""
    found: list[ModuleCall] = []
    cuts = sorted(draw(st.sets(st.integers(start, end), max_size=6)))
    for first, after in pairwise(cuts):
        if draw(st.booleans()):
            found.append(ModuleCall("net", "Net", first, after - 1))
            inner = sorted(draw(st.sets(st.integers(first, after), min_size=2, max_size=4)))
            for number, (low, high) in enumerate(pairwise(inner)):
                found.append(ModuleCall(f"net.{number}", "Linear", low, high - 1))
    return found


def reach(graph: Graph) -> dict[int, set[int]]:
    """For each node the nodes that it was made from."""
    found: dict[int, set[int]] = {}
    for node in graph.nodes:
        found[node.id] = {node.id}
        for edge in graph.inputs_of.get(node.id, ()):
            found[node.id] |= found[edge.from_]
    return found


@given(graphs(), st.sampled_from(sorted(FOLDS)))
@tried(60, 250)
def test_a_fold_loses_nothing(graph: Graph, name: str) -> None:
    view = FOLDS[name](graph)
    assert list(view.problems()) == []
    assert sorted(view.edges, key=lambda edge: (edge.to, edge.input)) == list(view.edges)
    # Every node is shown, and once unless it is a leaf that several calls of a module share.
    shown = [id for node in view.nodes for id in members(node)]
    assert set(shown) == {node.id for node in graph.nodes}
    functions = [id for id in shown if graph.nodes[id].kind == "function"]
    assert len(functions) == len(set(functions))
    # The counts are those of the whole.
    assert sum(map(operations, view.nodes)) == len(functions)
    # Outputs have their names and shapes, and leaves that are outputs are not folded.
    assert [output.name for output in view.outputs] == [output.name for output in graph.outputs]
    for before, after in zip(graph.outputs, view.outputs, strict=True):
        assert view.tensor(after).replace(name=None) == graph.tensor(before).replace(name=None)
        if graph.nodes[before.node].kind == "leaf":
            assert view.nodes[after.node].kind == "leaf"


@given(graphs(), st.sampled_from(sorted(FOLDS)))
@tried(40, 150)
def test_a_fold_keeps_every_path_between_what_it_keeps(graph: Graph, name: str) -> None:
    view = FOLDS[name](graph)
    kept = {members(node)[0]: node.id for node in view.nodes if node.kind != "module"}
    before, after = reach(graph), reach(view)
    for one, one_in_view in kept.items():
        for other, other_in_view in kept.items():
            if other in before[one]:
                assert other_in_view in after[one_in_view]


@given(graphs(), st.sampled_from(sorted(FOLDS)))
@tried(25, 75)
def test_the_fold_of_an_equal_graph_is_equal_and_has_a_json_form(graph: Graph, name: str) -> None:
    again = Graph.from_json(graph.to_json())
    view = FOLDS[name](graph)
    assert again == graph
    assert FOLDS[name](again) == view
    assert Graph.view_from_dict(json.loads(view.to_json())) == view
    VALIDATOR.validate(json.loads(view.to_json()))


SCHEMA = Path(__file__).parents[2] / "sphinx_autogradgraph" / "graph" / "graph.schema.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text()))


@given(graphs(), st.integers(2, 12))
@tried(25, 75)
def test_views_become_smaller_and_lose_nothing(graph: Graph, limit: int) -> None:
    found = list(views(graph, Scope(limit=limit)))
    sizes = [len(view.nodes) for view in found]
    assert found
    assert sizes == sorted(set(sizes), reverse=True)
    for view in found:
        assert sum(map(operations, view.nodes)) == sum(map(operations, graph.nodes))


@given(graphs(), st.data())
@tried(25, 75)
def test_focus_shows_what_is_cut_as_cut(graph: Graph, data: st.DataObject) -> None:
    output = data.draw(st.sampled_from(graph.outputs))
    assert output.name is not None
    for view in (around(graph, output.name), until(graph, output.name)):
        assert list(view.problems()) == []
        shown = {id: node for node in view.nodes for id in members(node)}
        assert output.node in shown
        cut = {id for id, node in shown.items() if node.fold is not None}
        # An edge of what is shown leads to what is shown, or to what is shown as cut.
        for edge in graph.edges:
            if edge.to in shown and edge.to not in cut:
                assert edge.from_ in shown
        assert all(node.fold is None or node.fold.kind == "cut" for node in view.nodes)


def line(count: int, line_of: Callable[[int], int] = lambda place: place) -> Graph:
    """A leaf and a chain of functions after it."""
    nodes = [Node(0, "leaf", "AccumulateGrad", "x", (meta(2),))]
    nodes += [
        Node(
            id, "function", f"Op{line_of(id)}", None, (meta(2),),
            Source("a.py", line_of(id), f"line {line_of(id)}"),
        )
        for id in range(1, count + 1)
    ]  # fmt: skip
    edges = [Edge(id, id + 1, 0, 0) for id in range(count)]
    return Graph((Output("y", count, 0),), tuple(nodes), tuple(edges))


def folded(view: Graph) -> list[tuple[str, int, int]]:
    """The folds of a view: their kind, how often what repeats, how many operations."""
    return [
        (node.fold.kind, node.fold.times, node.fold.operations)
        for node in view.nodes
        if node.fold is not None
    ]


def test_the_steps_of_a_loop_are_first_more_last() -> None:
    view = fold_repeats(line(600, lambda at: 10 + (at - 1) % 3))
    assert folded(view) == [("repeats", 198, 594)]
    assert [node.op for node in view.nodes[1:4]] == ["Op10", "Op11", "Op12"]
    assert [node.op for node in view.nodes[-3:]] == ["Op10", "Op11", "Op12"]
    assert len(view.nodes) == 1 + 3 + 1 + 3


def test_a_line_that_is_the_body_of_a_loop_is_a_node_each_time() -> None:
    ops = [f"Op{place % 3}" for place in range(30)]
    graph = line(30, lambda _: 10)
    nodes = (
        graph.nodes[0],
        *(node.replace(op=op) for node, op in zip(graph.nodes[1:], ops, strict=True)),
    )
    graph = Graph(graph.outputs, nodes, graph.edges)
    view = fold_lines(graph)
    assert folded(view) == [("lines", 1, 3)] * 10
    assert folded(fold_repeats(view)) == [("lines", 1, 3), ("repeats", 8, 24), ("lines", 1, 3)]


def test_a_repetition_begins_where_the_code_goes_back() -> None:
    # Two operations before the loop that look like its end.
    view = fold_repeats(line(32, lambda at: 11 + (at - 1) % 3))
    lines = [node.source.line for node in view.nodes if node.source is not None]
    assert lines[:3] == [11, 12, 13]


def test_what_repeats_with_another_structure_is_no_repetition() -> None:
    graph = line(60, lambda at: 10 + (at - 1) % 3)
    # The tenth step uses what the second made.
    edges = [*graph.edges, Edge(5, 29, 0, 1)]
    changed = Graph(graph.outputs, graph.nodes, tuple(sorted(edges, key=lambda e: (e.to, e.input))))
    view = fold_repeats(changed)
    assert [times for _, times, _ in folded(view)] == [7, 8]
    assert any(29 in members(node) and node.fold is None for node in view.nodes)


def test_two_equal_neighbours_are_not_worth_a_fold() -> None:
    graph = line(2, lambda _: 10)
    assert fold_repeats(graph) == graph
    assert fold_repeats(line(3, lambda _: 10)) == line(3, lambda _: 10)


def test_a_leaf_folds_with_the_only_module_that_uses_it_if_it_is_of_it() -> None:
    nodes = (
        Node(0, "leaf", "AccumulateGrad", "net.weight", (meta(3, 2),)),
        Node(1, "leaf", "AccumulateGrad", "x", (meta(3),)),
        Node(2, "leaf", "AccumulateGrad", None, (meta(5),)),
        Node(3, "function", "Mm", None, (meta(2),)),
        Node(4, "function", "Add", None, (meta(2),)),
    )
    edges = (Edge(0, 3, 0, 0), Edge(1, 3, 0, 1), Edge(2, 4, 0, 0), Edge(3, 4, 0, 1))
    graph = Graph((Output("y", 4, 0),), nodes, edges, (ModuleCall("net", "Linear", 3, 4),))
    view = fold_modules(graph, 1)
    assert [(node.kind, node.name, node.op) for node in view.nodes] == [
        ("leaf", "x", "AccumulateGrad"),
        ("module", "net", "Linear"),
    ]
    fold = view.nodes[1].fold
    assert fold is not None
    assert (fold.operations, fold.parameters) == (2, 3 * 2 + 5)
    assert view.nodes[1].members == (0, 2, 3, 4)
    assert view.nodes[1].outputs[0].shape == (2,)


def test_contract_runs_of_several_outputs() -> None:
    nodes = (
        Node(0, "leaf", "AccumulateGrad", "w", (meta(4),)),
        Node(1, "function", "Split", None, (meta(2), meta(1), meta(1))),
        Node(2, "function", "Exp", "e", (meta(2),)),
        Node(3, "function", "Add", None, (meta(2),)),
    )
    edges = (Edge(0, 1, 0, 0), Edge(1, 2, 0, 0), Edge(1, 3, 2, 0), Edge(2, 3, 0, 1))
    graph = Graph((Output("y", 3, 0),), nodes, edges)
    view = contract(graph, [Run(1, 2, "parts", "")])
    assert [(m.shape, m.dtype, m.device, m.name) for m in view.nodes[0].outputs] == [
        ((1,), "float32", "cpu", None),
        ((2,), "float32", "cpu", "e"),
    ]
    assert view.edges == (Edge(0, 1, 0, 0), Edge(0, 1, 1, 1))
    assert view.nodes[0].members == (0, 1, 2)


@pytest.fixture(scope="module")
def transformer() -> Graph:
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    encoder, head = torch.nn.TransformerEncoder(layer, 12), torch.nn.Linear(8, 3)
    with record():
        loss = head(encoder(torch.randn(2, 5, 8))).logsumexp(-1).mean()
    return draw(loss).graph


def test_the_layers_of_a_transformer_are_drawn_by_name(transformer: Graph) -> None:
    assert len(transformer.nodes) > 800
    view = next(views(transformer, EVERYTHING))
    names = [node.name for node in view.nodes if node.kind == "module"]
    assert names == [*(f"encoder.layers.{n}" for n in range(12)), "head"]
    assert {node.op for node in view.nodes if node.kind == "module"} == {
        "TransformerEncoderLayer",
        "Linear",
    }
    assert len(view.nodes) <= READABLE


def test_depth(transformer: Graph) -> None:
    outermost = fold_modules(transformer, 1)
    assert [node.name for node in outermost.nodes if node.kind == "module"] == ["encoder", "head"]
    encoder = outermost.nodes[0]
    assert encoder.fold is not None
    assert encoder.fold.parameters == 12 * sum(
        p.numel() for p in torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).parameters()
    )
    assert encoder.outputs[0].shape == (2, 5, 8)
    parts = fold_modules(transformer, 3)
    assert "encoder.layers.3.linear1" in [node.name for node in parts.nodes]
    depths = {level for _, level in levels(transformer)}
    assert depths == {1, 2, 3}


def test_repeats_of_layers(transformer: Graph) -> None:
    view = wanted_view(transformer, Scope(depth=2, fold=("repeats",)))
    assert [
        (node.fold.kind, node.fold.times, node.op)
        for node in view.nodes
        if node.fold is not None and node.fold.kind == "repeats"
    ] == [("repeats", 9, "TransformerEncoderLayer")]  # the first has another: its input is no leaf


def test_a_module_that_is_called_again_is_a_node_each_time() -> None:
    cell = torch.nn.LSTMCell(2, 3)
    h = c = torch.zeros(1, 3)
    with record():
        for x in torch.randn(30, 1, 2):
            h, c = cell(x, (h, c))
    graph = draw(h).graph
    view = fold_modules(graph, 1)
    assert [node.name for node in view.nodes] == ["cell"] * 30
    per_call = sum(p.numel() for p in cell.parameters())
    assert {node.fold.parameters for node in view.nodes[1:] if node.fold} == {per_call}
    repeated = fold_repeats(view)
    ((_, times, _),) = [item for item in folded(repeated) if item[0] == "repeats"]
    assert times == 26  # the first step has no h to flow to, and of the last c is not used
    (fold,) = [node.fold for node in repeated.nodes if node.fold and node.fold.kind == "repeats"]
    assert fold.parameters == per_call


def test_what_is_until_a_tensor_is_one_cut(transformer: Graph) -> None:
    view = until(transformer, "encoder.layers[11]")
    (cut,) = [node for node in view.nodes if node.fold is not None]
    assert cut.fold is not None
    assert cut.fold.kind == "cut"
    kept = sum(node.kind == "function" for node in view.nodes)
    assert kept + cut.fold.operations == sum(n.kind == "function" for n in transformer.nodes)


def test_around_a_module_shows_its_neighbours(transformer: Graph) -> None:
    view = wanted_view(transformer, Scope(around="encoder.layers.5"))
    modules = {node.module for node in view.nodes if node.kind == "function"}
    assert any(str(path).startswith("encoder.layers.4") for path in modules)
    assert any(str(path).startswith("encoder.layers.6") for path in modules)
    assert not any(str(path).startswith("encoder.layers.7") for path in modules)
    assert len(view.nodes) < 120
    assert not view.outputs, "none is near"
    assert Graph.view_from_dict(view.to_dict()) == view


def test_a_name_that_is_not_there_is_told_with_those_that_are_close(transformer: Graph) -> None:
    with pytest.raises(DiagnosticError, match=r"encoder\.layers\.12.*there are encoder\.layers\."):
        until(transformer, "encoder.layers.12")
    with pytest.raises(ValueError, match=":around: no tensor or module"):
        draw(torch.ones(1, requires_grad=True) * 2, around="nothing")


def test_a_folded_view_opens_to_the_whole(transformer: Graph) -> None:
    view = next(views(transformer, EVERYTHING))
    sizes = [len(step.nodes) for step in steps(transformer, EVERYTHING, view)]
    assert sizes == sorted(sizes)
    assert len(view.nodes) < sizes[0]
    assert sizes[-1] == len(transformer.nodes)
    assert steps(transformer, EVERYTHING, transformer) == []


def test_a_graph_without_structure_folds_all_the_same() -> None:
    ops = iter(range(10**6))
    graph = line(2_000, lambda _: next(ops))
    sizes = [len(view.nodes) for view in views(graph, EVERYTHING)]
    assert max(sizes) <= 300
    assert sizes[-1] <= 41
    assert len(graph.nodes) <= MAX_OPEN


def test_full_detail_where_it_is_asked_for() -> None:
    graph = line(1_000)
    assert next(views(wanted_view(graph, Scope(fold=("none",))), Scope(fold=("none",)))) is graph


@pytest.mark.parametrize(
    ("words", "message"),
    [(["module"], "fold has no 'module'; choose from modules, repeats, lines, none"),
     (["none", "lines"], "fold cannot be 'none' and something else")],
)  # fmt: skip
def test_words_that_are_none(words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fold_words(words)


def test_a_depth_below_one() -> None:
    with pytest.raises(ValueError, match="1 for the outermost"):
        draw(torch.ones(1, requires_grad=True) * 2, depth=0)


@pytest.fixture
def looped() -> torch.Tensor:
    x = torch.ones(2, requires_grad=True)
    with record():
        for _ in range(400):
            x = x.sin()
            x = x * 2
    return x


def test_the_caption_says_that_it_folded_and_counts_the_whole(looped: torch.Tensor) -> None:
    drawing = draw(looped)
    assert "Folded for reading: 800 operations are drawn as 5 nodes. " in drawing.caption
    assert drawing.caption.endswith("fold: none draws all of them.")
    assert "… 794 more …" in drawing.caption
    assert len(drawing.graph.nodes) == 801
    assert "× 398 more" in drawing.svg
    assert "× 398 more" in drawing.text
    full = draw(looped, fold="none")
    assert "Folded" not in full.caption
    assert full.svg.count('class="node function"') == 800
