"""What each edge carries, measured; values and flags of what nodes made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from sphinx_autogradgraph import draw, record, trace
from sphinx_autogradgraph.graph.model import EdgeGradient, Flags, Graph
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.walk import trace_tensors
from tests.tracing.edge_sums import adds_up
from tests.tracing.test_trace import PROGRAMS
from tests.tracing.textbook import textbook


def graph_of(*extras: Any, **namespace: Any) -> Graph:
    graph, note = trace_tensors([("out", namespace["out"])], Names(namespace), extras=extras)
    assert note is None
    assert Graph.from_json(graph.to_json()) == graph
    return graph


def test_what_arrives_at_a_node_is_the_sum_of_what_its_users_sent() -> None:
    for example, loss in textbook().items():
        assert adds_up(example, loss)


NO_BACKWARD = {
    "after_backward": "its graph is freed",
    "changed_after_it_was_saved": "autograd refuses",
    "checkpoints": "reentrant checkpoints take no torch.autograd.grad",
    "packed_by_hooks": "its hooks refuse",
    "complex_and_nested": "nested tensors have no sum",
    "sparse_and_meta": "sparse gradients are not added",
}
"""The programs of the tests of tracing without a backward to compare with, and why."""


@pytest.mark.long
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_it_is_the_sum_in_every_program_of_the_tests(program: Callable[[], Any]) -> None:
    if program.__name__ in NO_BACKWARD:
        pytest.skip(NO_BACKWARD[program.__name__])
    found = tree_leaves(program()["out"])
    roots = [root for root in found if getattr(root, "requires_grad", False)]
    loss = torch.stack([root.sum().abs() for root in roots]).sum()  # also of complex numbers
    assert adds_up(program.__name__, loss)


def test_edges_carry_shape_norm_and_small_values() -> None:
    a = torch.tensor(2.0, requires_grad=True)
    b = torch.tensor(-3.0, requires_grad=True)
    w = torch.ones(10, requires_grad=True)
    out = (a * b + a) * w.sum()
    graph = graph_of("gradients", a=a, b=b, w=w, out=out)
    name = {node.id: node.name or node.op for node in graph.nodes}
    carried = {(name[edge.from_], name[edge.to]): edge.gradient for edge in graph.edges}
    assert carried["a", "MulBackward0"] == EdgeGradient((), 30.0, -30.0)
    assert carried["a", "AddBackward0"] == EdgeGradient((), 10.0, 10.0)
    assert carried["w", "SumBackward0"] == EdgeGradient((10,), 12.65, None)
    arrived = {name[node.id]: node.gradient for node in graph.nodes}
    assert arrived["a"] is not None
    assert arrived["a"].values == -20.0


def test_measuring_accumulates_nothing_and_runs_no_hook_that_waits_for_it() -> None:
    w = torch.ones(3, requires_grad=True)
    kept = torch.ones(3)
    w.grad = kept
    called = []
    w.register_post_accumulate_grad_hook(lambda leaf: called.append("accumulated"))
    w.register_hook(lambda gradient: called.append("arrived"))
    hidden = [w * 2]
    hidden[0].retain_grad()
    graph = graph_of("gradients", w=w, out=(hidden[0] * 3).sum())
    assert called == ["arrived"]
    assert w.grad is kept
    assert hidden[0].grad is None  # though no variable of the program's holds it
    assert [node.gradient.order for node in graph.nodes if node.gradient] == [4, 3, 2, 1]


def test_an_output_that_is_a_leaf_gets_its_seed() -> None:
    w = torch.ones(2, requires_grad=True)
    gradient = graph_of("gradients", w=w, out=w).nodes[0].gradient
    assert gradient is not None
    assert gradient.values == [1.0, 1.0]


def test_values_of_what_no_variable_holds() -> None:
    with record(values=True):
        a = torch.tensor(2.0, requires_grad=True)
        out = (a * 3 + torch.nn.functional.relu(a)).tanh() * 10
    graph = draw(out, show=["values"]).graph
    assert [(node.op, node.outputs[0].values) for node in graph.nodes] == [
        ("AccumulateGrad", 2.0), ("MulBackward0", 6.0), ("ReluBackward0", 2.0),
        ("AddBackward0", 8.0), ("TanhBackward0", 1.0), ("MulBackward0", 10.0),
    ]  # fmt: skip
    assert all(node.outputs[0].values is None for node in trace(out).nodes)


def test_what_torch_computes_inside_of_a_call_has_no_value() -> None:
    net = nn.Linear(2, 1)
    with record(values=True):
        out = net(torch.ones(1, 2)) * 2
    found = {node.op: node.outputs[0].values for node in draw(out, show=["values"]).graph.nodes}
    assert found["TBackward0"] is None
    assert found["AddmmBackward0"] is not None


def test_flags_before_and_after_backward() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 3
    y.retain_grad()
    out = (y * y).sum()
    before = graph_of("flags", x=x, y=y, out=out)
    assert [node.outputs[0].flags for node in before.nodes] == [
        Flags(True, True, False, None),
        Flags(False, True, True, None),
        None,  # nobody holds it
        Flags(False, True, False, None),
    ]
    out.backward()
    after = graph_of("flags", x=x, y=y, out=out)
    assert [meta.flags and meta.flags.grad for node in after.nodes for meta in node.outputs] == [
        (2,), (2,), None, None,
    ]  # fmt: skip


@pytest.mark.parametrize("extra", ["values", "flags", "gradients", "formulas"])
def test_nothing_that_was_not_asked_for(extra: str) -> None:
    w = torch.ones(2, requires_grad=True)
    words = {"values": '"values"', "flags": '"flags"', "gradients": '"gradient"',
             "formulas": '"derivatives"'}  # fmt: skip
    text = graph_of(extra, w=w, out=w * 2).to_json()
    found = {other for other, word in words.items() if word in text}
    assert found - {"values"} == {extra} - {"values"}  # small gradients have values, too
