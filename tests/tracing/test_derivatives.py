"""Formulas of what nodes send back: each is proved before it is shown."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sphinx_autogradgraph.graph.model import Derivative, Graph, Node
from sphinx_autogradgraph.runtime.result import Traced
from sphinx_autogradgraph.snapshots.store import snapshot_text
from sphinx_autogradgraph.tracing.derivatives.evidence import Evidence
from sphinx_autogradgraph.tracing.derivatives.formulas import (
    RULES,
    derivative_of,
    proved,
    slot_of,
)
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.walk import trace_tensors
from tests.tracing.formula_samples import checked, nodes_of, swept
from tests.tracing.textbook import textbook

QUICK = frozenset({
    "add", "sub", "mul", "div", "pow", "exp", "log", "mm", "mv", "addmm", "sum", "mean", "sigmoid",
    "nn.functional.relu", "log_softmax", "nn.functional.mse_loss", "nn.functional.nll_loss",
    "index_select", "cat", "transpose",
})  # fmt: skip
"""Operations of torch's database that are checked each time."""


def formulas(**namespace: Any) -> Graph:
    graph, _ = trace_tensors([("out", namespace["out"])], Names(namespace), extras=["formulas"])
    assert Graph.from_json(graph.to_json()) == graph
    return graph


def node_of(graph: Graph, op: str) -> Node:
    return next(node for node in graph.nodes if node.op == op)


def rules(graph: Graph, op: str) -> tuple[Derivative, ...]:
    return node_of(graph, op).derivatives or ()


def test_linear_regression_in_the_words_of_its_program() -> None:
    X, y = torch.randn(10, 2), torch.randn(10)
    w = torch.randn(2, 1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    y_hat = torch.mm(X, w) + b
    out = ((y_hat - y.view(y_hat.size())) ** 2 / 2).sum()
    graph = formulas(X=X, y=y, w=w, b=b, y_hat=y_hat, out=out)
    found = {node.op: node.derivatives for node in graph.nodes if node.kind == "function"}
    assert found == {
        "MmBackward0": (Derivative(1, "X.T @ grad", {"X": "self"}),),
        "AddBackward0": (Derivative(0, "grad", {}), Derivative(1, "grad.sum_to_size(1)", {})),
        "SubBackward0": (Derivative(0, "grad", {}),),
        "PowBackward0": (Derivative(0, "grad * 2 * self", {"self": "self"}),),
        "DivBackward0": (Derivative(0, "grad / 2", {}),),
        "SumBackward0": (Derivative(0, "grad.expand(10, 1)", {}),),
    }
    assert all(node.derivatives is None for node in graph.leaf_nodes)


def test_names_are_expressions_that_evaluate() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    state = {"h": torch.ones(2, 3)}
    out = (net(torch.ones(2, 2)) * state["h"]).sum()
    graph = formulas(net=net, state=state, out=out)
    assert rules(graph, "MulBackward0") == (
        Derivative(0, "grad * state['h']", {"state['h']": "other"}),
    )
    names = rules(graph, "NativeLayerNormBackward0")[0].names
    assert names["net[1].weight"] == "weight"


def test_a_name_that_would_mean_something_else_gives_way_to_the_role() -> None:
    grad = torch.ones(3, requires_grad=True)  # formulas have a grad of their own
    other = torch.ones(3, requires_grad=True)
    out = grad * other + (other + 1) / other
    graph = formulas(grad=grad, other=other, out=out)
    assert rules(graph, "MulBackward0") == (
        Derivative(0, "grad * other", {"other": "other"}),
        Derivative(1, "grad * self", {"self": "self"}),
    )
    # There ``self`` has no name, and ``other`` is one and the other.
    assert rules(graph, "DivBackward0")[1] == Derivative(
        1, "-grad * self / other ** 2", {"self": "self", "other": "other"}
    )


def test_one_tensor_in_two_roles_has_one_name() -> None:
    a = torch.ones(3, requires_grad=True)
    graph = formulas(a=a, out=a / a)
    assert rules(graph, "DivBackward0")[1] == Derivative(1, "-grad * a / a ** 2", {"a": "self"})


def test_a_negative_number_keeps_its_brackets() -> None:
    x = torch.ones(3, requires_grad=True)
    graph = formulas(x=x, out=x**-2)
    assert rules(graph, "PowBackward0") == (Derivative(0, "grad * -2 * x ** (-3)", {"x": "self"}),)


def test_of_several_outputs_all_gradients() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    one, two = x.unbind()
    graph = formulas(x=x, out=one * two)
    assert rules(graph, "UnbindBackward0") == (Derivative(0, "torch.stack(grads, 0)", {}),)


def test_formulas_cost_nothing_if_nobody_asks_and_are_in_no_snapshot() -> None:
    x = torch.ones(3, requires_grad=True)
    plain, _ = trace_tensors([("out", x * x)], Names({"x": x}))
    assert "derivatives" not in plain.to_json()
    graph = formulas(x=x, out=x * x)
    assert '"derivatives"' in graph.to_json()
    assert "derivatives" not in snapshot_text(Traced(graph))


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        # twice as much
        return gradients[0] * 2


def test_a_custom_function_says_what_its_author_wrote() -> None:
    x = torch.ones(3, requires_grad=True)
    node = node_of(formulas(x=x, out=Doubled.apply(x)), "DoubledBackward")
    assert node.derivatives is None
    assert node.backward is not None
    assert node.backward.splitlines() == [
        "def backward(ctx: Any, *gradients: Tensor) -> Any:",
        "    # twice as much",
        "    return gradients[0] * 2",
    ]


def test_after_backward_freed_what_was_saved_formulas_without_it_are_left() -> None:
    w = torch.ones(3, requires_grad=True)
    out = (w * w.exp()).sum()
    out.backward()
    graph = formulas(w=w, out=out)
    assert rules(graph, "SumBackward0") == (Derivative(0, "grad.expand(3)", {}),)
    assert [rule.names for rule in rules(graph, "MulBackward0")] == [
        {"other": "other"}, {"self": "self"},
    ]  # fmt: skip


def test_complex_and_sparse_gradients_have_no_formulas() -> None:
    z = torch.ones(2, dtype=torch.complex64, requires_grad=True)
    embedding = nn.Embedding(5, 2, sparse=True)
    assert node_of(formulas(out=z * z), "MulBackward0").derivatives is None
    out = embedding(torch.tensor([1]))
    assert node_of(formulas(out=out), "EmbeddingBackward0").derivatives is None


# --- proof ---


def test_every_formula_of_the_textbook_is_what_autograd_passes() -> None:
    wrong = {
        (example, op, edge): f"{derivative.formula}: {problem}"
        for example, loss in textbook().items()
        for op, edge, derivative, problem in checked(loss)
        if problem is not None
    }
    assert wrong == {}


def test_nearly_all_edges_of_the_textbook_have_formulas() -> None:
    known, unknown = 0, set()
    for loss in textbook().values():
        for fn in nodes_of(loss):
            at = Evidence(fn)
            for edge, (used, _) in enumerate(fn.next_functions):
                if used is None:
                    continue
                if (at.op, slot_of(at, edge)) in proved() and derivative_of(at, edge, Names({})):
                    known += 1
                else:
                    unknown.add((at.op, edge))
    assert known >= 500
    assert len(unknown) / (known + len(unknown)) <= 0.05, unknown


@pytest.mark.long
def test_formulas_of_common_operations_are_what_autograd_passes() -> None:
    sweep = swept(QUICK)
    assert sweep.wrong == {}
    assert {("MulBackward0", 1), ("PowBackward0", 0), ("NllLossBackward0", 0)} <= sweep.proved()


@pytest.mark.long
def test_what_is_shown_is_what_is_proved() -> None:
    sweep = swept()
    assert {edge: why for edge, why in sweep.wrong.items() if edge in proved()} == {}
    # Other torches have other operations; what is not proved here is proved there.
    if torch.__version__.startswith("2.13."):
        assert sweep.proved() == proved()


def test_every_rule_of_ours_is_proved() -> None:
    shown = {op.rpartition("Backward")[0] for op, _ in proved()}
    assert set(RULES) <= shown
