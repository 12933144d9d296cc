"""Gradients, measured by one real backward that leaves everything as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.runtime.result import Traced
from sphinx_autogradgraph.snapshots.store import snapshot_text
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.walk import trace_tensors
from tests.conftest import Elements, Project


def measured(**namespace: Any) -> tuple[Graph, Message | None]:
    return trace_tensors([("out", namespace["out"])], Names(namespace), extras=["gradients"])


def test_what_arrives_is_what_backward_computes() -> None:
    torch.manual_seed(0)
    X, y = torch.randn(10, 2), torch.randn(10, 1)
    w = torch.randn(2, 1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    y_hat = torch.mm(X, w) + b
    y_hat.retain_grad()
    out = ((y_hat - y) ** 2 / 2).sum()
    graph, note = measured(X=X, y=y, w=w, b=b, y_hat=y_hat, out=out)
    assert note is None
    assert w.grad is None
    assert b.grad is None
    found = {node.name or node.op: node.gradient for node in graph.nodes}
    assert all(found.values())
    assert Graph.from_json(graph.to_json()) == graph
    out.backward()  # the graph is still there
    for name, tensor in (("w", w), ("b", b), ("y_hat", y_hat)):
        gradient = found[name]
        assert gradient is not None
        assert gradient.shape == tuple(tensor.shape)
        assert gradient.norm == pytest.approx(float(tensor.grad.norm()), rel=1e-3)  # type: ignore[union-attr]
    assert found["out"] is not None
    assert (found["out"].shape, found["out"].norm, found["out"].order) == ((), 1.0, 1)
    order = {node.id: node.gradient.order for node in graph.nodes if node.gradient}
    assert order == graph.backward_order


def test_gradients_that_are_there_stay() -> None:
    w = torch.ones(3, requires_grad=True)
    (w * 2).sum().backward()
    before = w.grad
    graph, note = measured(w=w, out=(w * 5).sum())
    assert note is None
    assert w.grad is before
    assert w.grad is not None
    assert w.grad.tolist() == [2.0, 2.0, 2.0]
    assert graph.nodes[0].gradient is not None
    assert graph.nodes[0].gradient.norm == pytest.approx(5 * 3**0.5, rel=1e-3)


def test_an_output_that_is_no_scalar_gets_ones() -> None:
    w = torch.ones(4, requires_grad=True)
    graph, _ = measured(w=w, out=w * 3)
    assert [node.gradient and node.gradient.norm for node in graph.nodes] == [6.0, 2.0]


def test_after_backward_freed_the_graph_there_is_a_note() -> None:
    w = torch.ones(3, requires_grad=True)
    out = (w * w).sum()
    out.backward()
    graph, note = measured(w=w, out=out)
    assert note is not None
    assert "retain_graph=True" in note.sentence()
    assert all(node.gradient is None for node in graph.nodes)
    assert graph.chain == ("SumBackward0", "MulBackward0")


class Broken(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        raise KeyError("not written yet")


def test_a_backward_that_raises_is_a_note() -> None:
    w = torch.ones(3, requires_grad=True)
    graph, note = measured(w=w, out=Broken.apply(w).sum())
    assert note is not None
    assert "KeyError" in note.sentence()
    assert len(graph.nodes) == 3


def test_of_several_kinds() -> None:
    embedding = nn.Embedding(5, 2, sparse=True)
    z = torch.ones(2, dtype=torch.complex64, requires_grad=True)
    inf = torch.zeros(1, requires_grad=True)
    out = embedding(torch.tensor([1, 1])).sum() + (z * 2).abs().sum() + inf.sqrt().sum()
    graph, note = measured(embedding=embedding, z=z, inf=inf, out=out)
    assert note is None
    found = {node.name: node.gradient for node in graph.leaf_nodes}
    assert all(found.values())
    assert found["inf"] is not None
    assert found["inf"].norm is None  # infinite: JSON has no word for it
    assert found["embedding.weight"] is not None
    assert found["embedding.weight"].shape == (5, 2)
    assert Graph.from_json(graph.to_json()) == graph


def test_snapshots_keep_no_gradients() -> None:
    w = torch.ones(3, requires_grad=True)
    graph, _ = measured(w=w, out=w * 2)
    assert '"gradient"' in graph.to_json()
    assert snapshot_text(Traced(graph)) == graph.structure().to_json()


PAGE = """
Title
=====

.. code-block:: python

   import torch
   w = torch.ones(4, requires_grad=True)
   l = (w * 3).sum()

.. autogradgraph::
   :tensor: l
   :show: shape gradients
   :table: nodes

.. code-block:: python

   l.backward()
   assert w.grad.tolist() == [3.0] * 4

.. autogradgraph::
   :tensor: l
   :show: gradients
   :caption: After backward.
"""


@pytest.mark.long
def test_gradients_on_a_page(project: Project, tmp_path: Path) -> None:
    project.conf("autogradgraph_snapshots = 'kept'")
    project.write("index.rst", PAGE)
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    page = Elements(build.read("index.html"))
    assert [node.text for node in page.select("g", "node")][:4] == [
        "3. w (4,) grad norm 6", "2. MulBackward0 (4,) grad norm 2",
        "1. SumBackward0 () grad norm 1", "l ()",
    ]  # fmt: skip
    table = " ".join(page.select("table", "autogradgraph-nodes")[0].text.split())
    assert "0 leaf w (4,) norm 6 3" in table
    summaries = [found.text for found in page.select("span", "autogradgraph-summary")]
    assert "retain_graph=True" not in summaries[0]
    # without retain_graph the saved tensors are freed; sums and products by a number save none
    assert "grad norm 6" in page.select("g", "node")[4].text or "retain_graph" in summaries[1]
    assert "gradient" not in (project.directory / "kept" / "index.1.json").read_text()
    again = project.build("html", "-W", "-E")
    assert again.status == 0, again.stderr
