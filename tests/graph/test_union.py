"""Two graphs in one: what is the same is one node, by structure and names and never by number."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphinx_autogradgraph.graph.matching import Matching
from sphinx_autogradgraph.graph.meaning import meaning_of
from sphinx_autogradgraph.graph.model import Edge, Graph, Node, Output, TensorMeta
from sphinx_autogradgraph.graph.union import Union, union_of

Step = tuple[str, Sequence[int]]
"""An op and the numbers of the nodes that it uses; a leaf uses none."""


def graph(*steps: Step, output: str = "l") -> Graph:
    meta = (TensorMeta((2,), "float32", "cpu"),)
    nodes = [
        Node(id, "function" if used else "leaf", op if used else "AccumulateGrad", None if used else op, meta)
        for id, (op, used) in enumerate(steps)
    ]  # fmt: skip
    edges = [
        Edge(used, to, 0, n) for to, (_, uses) in enumerate(steps) for n, used in enumerate(uses)
    ]
    return Graph((Output(output, len(steps) - 1, 0),), tuple(nodes), tuple(edges))


def marked(union: Union) -> dict[str, str]:
    nodes = union.graph.nodes
    return {nodes[id].name or nodes[id].op: mark for id, mark in union.nodes.items()}


BEFORE = graph(("w", ()), ("b", ()), ("Mm", [0]), ("Add", [2, 1]), ("Pow", [3]), ("Sum", [4]))


@pytest.mark.parametrize(
    ("after", "marks", "means"),
    [
        (
            graph(("w", ()), ("b", ()), ("Mm", [0]), ("Add", [2, 1]), ("Exp", [3]), ("Sum", [4])),
            {"Pow": "removed", "Exp": "added"},
            ["The same leaves are reached as before."],
        ),
        (
            graph(("w", ()), ("b", ()), ("Exp", [0]), ("Mm", [2]), ("Add", [3, 1]), ("Pow", [4]), ("Sum", [5])),
            {"Exp": "added"},
            [
                "The same leaves are reached as before.",
                "The longest way from the output to a leaf: 4 operations became 5.",
            ],
        ),
        (
            graph(("v", ()), ("b", ()), ("Mm", [0]), ("Add", [2, 1]), ("Pow", [3]), ("Sum", [4])),
            {"v": "changed"},
            ["`w` is called `v` now."],
        ),
        (
            graph(("b", ()), ("Add", [0]), ("Pow", [1]), ("Sum", [2])),
            {"w": "removed", "Mm": "removed"},
            [
                "`w` is no longer reached: no gradient arrives there.",
                "The longest way from the output to a leaf: 4 operations became 3.",
            ],
        ),
        (
            graph(("b", ()), ("w", ()), ("Mm", [1]), ("Add", [2, 0]), ("Pow", [3]), ("Sum", [4])),
            {},
            ["The same leaves are reached as before."],
        ),
    ],
)  # fmt: skip
def test_only_what_changed_is_marked(after: Graph, marks: dict[str, str], means: list[str]) -> None:
    matching = Matching(BEFORE, after)
    assert marked(union_of(matching)) == marks
    assert [text.sentence() for text in meaning_of(matching)] == means


def test_a_residual_that_is_gone_leaves_its_leaf() -> None:
    before = graph(("x", ()), ("Relu", [0]), ("Mm", [1]), ("Add", [2, 0]), ("Sum", [3]))
    after = graph(("x", ()), ("Relu", [0]), ("Mm", [1]), ("Sum", [2]))
    matching = Matching(before, after)
    union = union_of(matching)
    assert marked(union) == {"Add": "removed"}
    ops = [node.op for node in union.graph.nodes]
    edges = {(ops[a], ops[b]): mark for (a, b), mark in union.edges.items()}
    assert edges == {
        ("Mm", "Add"): "removed", ("AccumulateGrad", "Add"): "removed",
        ("Add", "Sum"): "removed", ("Mm", "Sum"): "added",
    }  # fmt: skip
    assert "Uses of `x`: 2 became 1." in [text.sentence() for text in meaning_of(matching)]


def test_nodes_that_changed_sides_are_no_circle() -> None:
    before = graph(("x", ()), ("Sin", [0]), ("Exp", [1]), ("Cos", [2]))
    after = graph(("x", ()), ("Exp", [0]), ("Sin", [1]), ("Cos", [2]))
    union = union_of(Matching(before, after))
    assert not list(union.graph.problems())
    assert set(marked(union).values()) <= {"removed", "added"}


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 12))
    steps: list[Step] = [(draw(st.sampled_from("wvb")), ())]
    for id in range(1, count):
        used = draw(st.lists(st.integers(0, id - 1), max_size=3))
        steps.append((draw(st.sampled_from(["Mm", "Add", "Pow"] if used else ["w", "v"])), used))
    return graph(*steps)


@given(graphs(), graphs())
def test_any_two_graphs_have_a_union_that_holds_both(old: Graph, new: Graph) -> None:
    union = union_of(Matching(old, new))
    assert not list(union.graph.problems())
    count = {mark: list(union.nodes.values()).count(mark) for mark in ("removed", "added")}
    assert len(union.graph.nodes) - count["added"] == len(old.nodes)
    assert len(union.graph.nodes) - count["removed"] == len(new.nodes)
    assert not union_of(Matching(old, old)).nodes
