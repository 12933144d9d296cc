"""What nodes saved, and the values of small tensors: read without running anybody's code."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from sphinx_autogradgraph import draw
from sphinx_autogradgraph.core.show import SHOW
from sphinx_autogradgraph.graph.model import EXTRAS, Graph, Node, Saved
from sphinx_autogradgraph.render.diagram_of_graph import diagram_of
from sphinx_autogradgraph.runtime.result import Traced
from sphinx_autogradgraph.snapshots.store import snapshot_text
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.walk import trace_tensors
from tests.conftest import Project


def graph_of(*extras: Any, **namespace: Any) -> Graph:
    graph, _ = trace_tensors([("out", namespace["out"])], Names(namespace), extras=extras)
    assert Graph.from_json(graph.to_json()) == graph
    return graph


def node_of(graph: Graph, op: str) -> Node:
    return next(node for node in graph.nodes if node.op == op)


def saved_of(graph: Graph, op: str) -> dict[str, Saved]:
    return {saved.role: saved for saved in node_of(graph, op).saved or ()}


def test_tensors_and_values_by_their_role() -> None:
    X = torch.ones(4, 2)
    w = torch.ones(2, 1, requires_grad=True)
    out = torch.mm(X, w) ** 3
    graph = graph_of("saved", X=X, w=w, out=out)
    assert saved_of(graph, "MmBackward0") == {
        "self": Saved("self", shape=(4, 2), dtype="float32", name="X")
    }
    mm = node_of(graph, "MmBackward0")
    assert saved_of(graph, "PowBackward0") == {
        "exponent": Saved("exponent", value=3),
        "self": Saved("self", shape=(4, 1), dtype="float32", node=mm.id),
    }
    assert all(node.saved is None for node in graph.nodes if node.kind == "leaf")


def test_what_a_node_produced_and_saved_is_its_own() -> None:
    x = torch.ones(3, requires_grad=True)
    graph = graph_of("saved", x=x, out=x.exp() * x)
    exp = node_of(graph, "ExpBackward0")
    assert saved_of(graph, "ExpBackward0")["result"].node == exp.id
    assert {saved.node for saved in saved_of(graph, "MulBackward0").values()} == {0, exp.id}


def test_sizes_are_noise_and_unsigned_numbers_are_signed() -> None:
    x = torch.ones(3, 4, requires_grad=True)
    graph = graph_of("saved", x=x, out=x.unsqueeze(-1).mean(dim=-1).expand(2, 3, 4).sum())
    roles = {saved.role: saved.value for node in graph.nodes for saved in node.saved or ()}
    assert not any("sizes" in role or "numel" in role for role in roles)
    assert roles["dim"] in ([-1], -1)


def test_a_leaf_that_is_saved_is_one_box_with_both_roles() -> None:
    a = torch.ones(3, requires_grad=True)
    b = torch.ones(3, requires_grad=True)
    graph = graph_of("saved", a=a, b=b, out=a * b)
    diagram = diagram_of(graph, ["saved"])
    assert [box.kind for box in diagram.boxes] == ["leaf", "leaf", "function", "output"]
    assert [box.words[-1] for box in diagram.boxes[:2]] == [
        ("saved", "saved as self"),
        ("saved", "saved as other"),
    ]
    assert len(diagram.arrows) == 3


def test_others_have_a_box_beside_who_saved_them() -> None:
    X = torch.ones(4, 2)
    w = torch.ones(2, 1, requires_grad=True)
    diagram = diagram_of(graph_of("saved", X=X, w=w, out=(X @ w).exp()), ["saved"])
    boxes = {box.key: box for box in diagram.boxes if box.kind == "saved"}
    assert [box.words for box in boxes.values()] == [
        (("saved", "self"), ("name", "X")),
        (("saved", "result"), ("name", "out")),
    ]
    lines = [arrow for arrow in diagram.arrows if arrow.kind == "saved"]
    assert [arrow.tail for arrow in lines] == list(boxes)
    assert [arrow.head for arrow in lines] == ["n1", "n2"]


def test_after_backward_they_are_marked_freed() -> None:
    x = torch.ones(3, requires_grad=True)
    out = (x.exp() * x).sum()
    before = graph_of(x=x, out=out)
    out.backward()
    graph = graph_of("saved", x=x, out=out)
    assert graph.structure() == before
    assert [saved.freed for saved in saved_of(graph, "MulBackward0").values()] == [True, True]
    words = [word for box in diagram_of(graph, ["saved"]).boxes for word in box.words]
    assert ("saved", "self freed") in words


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, factor: float) -> torch.Tensor:
        ctx.save_for_backward(x, None, x * 2)
        ctx.factor, ctx.name, ctx.variable, ctx.table = factor, "lr", torch.ones(7), object()
        return x * factor

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> Any:
        return g * ctx.factor, None


def test_a_custom_function_with_any_names_on_its_ctx() -> None:
    x = torch.ones(3, requires_grad=True)
    out = Scaled.apply(x, 2.5)
    saved = saved_of(graph_of("saved", x=x, out=out), "ScaledBackward")
    assert saved == {
        "saved_tensors[0]": Saved("saved_tensors[0]", shape=(3,), dtype="float32", node=0),
        "saved_tensors[2]": Saved("saved_tensors[2]", shape=(3,), dtype="float32"),
        "factor": Saved("factor", value=2.5),
        "name": Saved("name", value="lr"),
        "variable": Saved("variable", shape=(7,), dtype="float32"),
        "table": Saved("table", value="object"),
    }
    out.sum().backward()
    freed = saved_of(graph_of("saved", x=x, out=out), "ScaledBackward")
    assert freed["saved_tensors"].freed
    assert freed["factor"].value == 2.5


def test_hooks_on_saved_tensors_are_not_called() -> None:
    x = torch.ones(3, requires_grad=True)
    unpacked: list[object] = []

    def unpack(packed: torch.Tensor) -> torch.Tensor:
        unpacked.append(packed)
        return packed

    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor.clone(), unpack):
        out = (x * x.exp()).sum()
    with torch.autograd.graph.save_on_cpu():
        out = out * x
    graph = graph_of("saved", x=x, out=out)
    assert unpacked == []
    assert saved_of(graph, "ExpBackward0") == {"result": Saved("result")}


@pytest.mark.parametrize("reentrant", [True, False])
def test_a_checkpoint_is_not_computed_again(reentrant: bool) -> None:
    calls = []
    x = torch.ones(3, requires_grad=True)

    def block(x: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return (x * x).exp()

    out = checkpoint(block, x, use_reentrant=reentrant).sum()
    graph = graph_of("saved", "values", x=x, out=out)
    assert len(calls) == 1
    assert any(node.saved for node in graph.nodes)


def test_a_tensor_that_was_changed_after_it_was_saved() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    out = y.sin()
    y.add_(1)  # backward would raise
    saved = saved_of(graph_of("saved", x=x, y=y, out=out), "SinBackward0")
    assert saved == {"self": Saved("self", shape=(3,), dtype="float32", changed=True)}


def test_values_of_small_tensors() -> None:
    w = torch.tensor([0.123456, -2.0], requires_grad=True)
    big = torch.ones(7, requires_grad=True)
    h = w * 2
    out = h.sum() + big.sum() + float("inf")
    graph = graph_of("values", "gradients", w=w, big=big, h=h, out=out)
    values = {node.name: node.outputs[0].values for node in graph.nodes if node.name}
    assert values == {"w": [0.1235, -2.0], "big": None, "h": [0.2469, -4.0], "out": "inf"}
    gradients = {node.name: node.gradient.values for node in graph.nodes if node.gradient}
    assert gradients["w"] == [2.0, 2.0]
    assert gradients["big"] is None
    boxes = diagram_of(graph, ["shape", "values", "gradients"]).boxes
    label = " ".join(word for _, word in boxes[0].words)
    assert label == "7. w (2,) = [0.1235, -2] grad [2, 2] norm 2.828"
    assert graph.structure() == graph_of(w=w, big=big, h=h, out=out)


def test_nothing_of_it_is_kept_in_snapshots() -> None:
    x = torch.ones(3, requires_grad=True)
    out = (x * x).sum()
    graph = graph_of("saved", "values", "gradients", x=x, out=out)
    assert snapshot_text(Traced(graph)) == graph_of(x=x, out=out).to_json()


def test_a_view_and_its_base() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    y = x * 2
    outputs = [("v", y.view(6)[1:]), ("u", x.t())]
    graph, _ = trace_tensors(outputs, Names({"x": x, "y": y}))
    assert Graph.from_json(graph.to_json()) == graph
    bases = [output.base for output in graph.outputs]
    assert [base and (base.name, graph.nodes[base.node].op) for base in bases] == [
        ("y", "MulBackward0"),
        ("x", "AccumulateGrad"),
    ]
    diagram = diagram_of(graph)
    dotted = {(arrow.tail, arrow.head) for arrow in diagram.arrows if arrow.kind == "base"}
    assert dotted == {("b0", "o0"), ("n0", "o1")}


def torchviz_graph(out: torch.Tensor, params: dict[str, torch.Tensor]) -> dict[str, Any]:
    """What torchviz draws, read from its DOT: nodes by colour, and edges, each with its count."""
    from torchviz import make_dot

    source = make_dot(out, params, show_attrs=True, show_saved=True).source
    nodes: dict[str, tuple[str, str]] = {}
    for id, label, rest in re.findall(r'^\t(\d+) \[label="([^"]*)"([^\]]*)\]', source, re.M):
        nodes[id] = (label.split("\n")[0].strip(), rest)
    plain = re.findall(r"^\t(\d+) \[label=([A-Za-z0-9_]+)([^\]]*)\]", source, re.M)
    nodes.update({id: (label, rest) for id, label, rest in plain})
    edges = re.findall(r"^\t(\d+) -> (\d+)( \[.*\])?$", source, re.M)
    functions = {id for id, (_, rest) in nodes.items() if "fillcolor" not in rest}
    orange = {id for id, (_, rest) in nodes.items() if "orange" in rest}
    return {
        "functions": Counter(nodes[id][0] for id in functions if nodes[id][0] != "AccumulateGrad"),
        "edges": Counter(
            (nodes[a][0], nodes[b][0]) for a, b, _ in edges if a in functions and b in functions
        ),
        "leaves": {nodes[id][0] for id, (_, rest) in nodes.items() if "lightblue" in rest},
        "saved": Counter(
            (nodes[a][0], nodes[b][0])
            for a, b, _ in edges
            if a in functions and b in orange and "=" not in nodes[b][0]
        ),
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchvizs_graph_is_contained_in_ours() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten())
    head = nn.LSTM(72, 4)
    features = net(torch.randn(2, 1, 8, 8))
    hidden, _ = head(features[None])
    out = (hidden**2).mean() + features.exp().sum() * features.max()
    params: dict[str, torch.Tensor] = dict(net.named_parameters())
    params |= {f"head.{k}": p for k, p in head.named_parameters()}
    theirs = torchviz_graph(out, params)
    assert theirs["functions"]
    assert theirs["saved"]
    graph = draw(out, params=params, show=["saved"]).graph
    ours = Counter(node.op for node in graph.nodes if node.kind == "function")
    assert theirs["functions"] == ours
    edges = Counter((graph.nodes[e.from_].op, graph.nodes[e.to].op) for e in graph.edges)
    assert theirs["edges"] == edges
    assert theirs["leaves"] == set(graph.leaves)
    saved = Counter(
        (node.op, saved.role) for node in graph.nodes for saved in node.saved or ()
        if saved.value is None
    )  # fmt: skip
    missing = theirs["saved"] - saved
    assert not missing


@pytest.mark.long
def test_on_a_page(project: Project) -> None:
    project.write(
        "index.rst",
        """
        Title
        =====

        .. autogradgraph::
           :show: shape saved values
           :table: nodes

           import torch

           x = torch.ones(3, requires_grad=True)
           l = (x**2).sum()
           parts = (l, None, 3)
        """,
    )
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    page = build.read("index.html")
    assert "saved as self" in page
    assert "exponent=2" in page
    assert "= [1, 1, 1]" in page
    assert "Without a graph, and not drawn: parts[1] (None), parts[2] (int)." in page


def test_every_extra_has_a_word() -> None:
    assert set(EXTRAS) <= set(SHOW)
