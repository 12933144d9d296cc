"""The difference of two graphs, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from sphinx_autogradgraph.graph.diff import MAX_CHANGES, _first, differences, same
from sphinx_autogradgraph.graph.model import Edge, Graph, Node, Output, Source, TensorMeta
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.walk import trace_tensors


def graph_of(**namespace: Any) -> Graph:
    return trace_tensors([("out", namespace["out"])], Names(namespace))[0]


def test_the_order_of_unrelated_statements_does_not_count() -> None:
    def first() -> Graph:
        w, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
        left = w.sin()
        right = b.cos()
        return graph_of(w=w, b=b, left=left, right=right, out=left * right)

    def second() -> Graph:
        b, w = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
        right = b.cos()
        left = w.sin()
        return graph_of(b=b, w=w, right=right, left=left, out=left * right)

    one, other = first(), second()
    assert one != other  # the numbers differ
    assert same(one, other)
    assert differences(one, other) == []


def test_a_leaf_that_is_used_elsewhere_is_no_other_leaf() -> None:
    def block(*, residual: bool) -> Graph:
        x, w = torch.ones(2, 2, requires_grad=True), torch.ones(2, 2, requires_grad=True)
        out = x @ w
        return graph_of(x=x, w=w, out=((x + out) if residual else out).mean())

    assert differences(block(residual=True), block(residual=False)) == ["AddBackward0 is gone"]


def linreg(op: str = "Pow", shape: tuple[int, ...] = (1,), extra: str = "") -> Graph:
    def at(line: int) -> Source:
        return Source("examples/linreg.py", line, "…")

    def function(id: int, name: str, line: int) -> Node:
        meta = (TensorMeta((10, 1), "float32", "cpu"),)
        return Node(id, "function", f"{name}Backward0", None, meta, at(line), "")

    nodes = [
        Node(0, "leaf", "AccumulateGrad", "b", (TensorMeta(shape, "float32", "cpu"),)),
        function(1, "Add", 11), function(2, op, 12), function(3, "Sum", 13),
    ]  # fmt: skip
    if extra:
        nodes.append(function(4, extra, 14))
    last = len(nodes) - 1
    edges = tuple(Edge(id, id + 1, 0, 0) for id in range(last))
    return Graph((Output("l", last, 0),), tuple(nodes), edges)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (linreg("Mul"), ["examples/linreg.py:12  PowBackward0 became MulBackward0"]),
        (linreg(shape=(1, 1)), ["leaf b: shape (1,) became (1, 1)"]),
        (
            linreg("Mul", (1, 1)),
            ["examples/linreg.py:12  PowBackward0 became MulBackward0; leaf b: shape (1,) became (1, 1)"],
        ),
        (linreg(extra="Mean"), ["examples/linreg.py:14  MeanBackward0 is new"]),
    ],
)  # fmt: skip
def test_words(new: Graph, words: list[str]) -> None:
    assert differences(linreg(), new) == words
    assert differences(new, new) == []


def test_what_is_gone_and_what_is_named_otherwise() -> None:
    assert differences(linreg(extra="Mean"), linreg()) == [
        "examples/linreg.py:14  MeanBackward0 is gone"
    ]
    base = linreg()
    renamed = replace(base, outputs=(Output("loss", 3, 0),))
    assert differences(base, renamed) == ["outputs l became loss"]
    held = replace(base, nodes=(*base.nodes[:3], base.nodes[3].replace(name="total")))
    assert differences(base, held) == [
        "examples/linreg.py:13  SumBackward0: name none became total"
    ]


def test_lines_calls_and_devices_do_not_count() -> None:
    base = linreg()
    moved = replace(
        base,
        nodes=tuple(
            node.replace(
                source=node.source and node.source.replace(line=node.source.line + 7),
                call="torch.x",
                outputs=tuple(meta.replace(device="cuda:0") for meta in node.outputs),
            )
            for node in base.nodes
        ),
    )
    assert base != moved
    assert same(base, moved)


def test_other_edges_between_the_same_nodes() -> None:
    def build(swapped: bool) -> Graph:
        w, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
        left, right = (w, b) if not swapped else (b, w)
        return graph_of(w=w, b=b, out=left / right)

    found = differences(build(False), build(True))
    assert found
    assert "leaf w" in found[0]
    twice = torch.ones(2, requires_grad=True)
    assert not same(graph_of(w=twice, out=twice * twice), graph_of(w=twice, out=twice * 1))


def test_large_graphs_are_compared_in_time() -> None:
    def chain(op: str) -> Graph:
        meta = (TensorMeta((2,), "float32", "cpu"),)
        nodes = [Node(0, "leaf", "AccumulateGrad", "x", meta)]
        nodes += [
            Node(id, "function", op if id % 2 and id > 50 else "B", None, meta)
            for id in range(1, 50_000)
        ]
        edges = tuple(Edge(id, id + 1, 0, 0) for id in range(49_999))
        return Graph((Output("y", 49_999, 0),), tuple(nodes), edges)

    assert differences(chain("A"), chain("A")) == []
    (words,) = differences(chain("A"), chain("C"))
    assert words == "49949 nodes became 49949 others"


def test_long_lists_are_cut() -> None:
    many = [f"a{number}" for number in range(40)]
    assert _first(many, str) == [*many[:MAX_CHANGES], "and 28 more"]
    assert _first(many[:MAX_CHANGES], str) == many[:MAX_CHANGES]
