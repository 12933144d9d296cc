"""Provenance: the line, module and call that made each node; inputs; the order of backward."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sphinx_autogradgraph.graph.model import Extra, Graph
from sphinx_autogradgraph.program.program import Block, Program, Target
from sphinx_autogradgraph.runtime.client import Runner
from sphinx_autogradgraph.runtime.result import Traced
from sphinx_autogradgraph.tracing import cuts, provenance
from sphinx_autogradgraph.tracing.calls import call_name
from sphinx_autogradgraph.tracing.internals import is_accumulate_grad

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


def trace(
    runner: Runner,
    directory: Path,
    *codes: str,
    tensor: str = "out",
    extras: tuple[Extra, ...] = (),
) -> Graph:
    """The graph of a page whose blocks stand at the lines 100, 200, …"""
    path = str(directory / "page.rst")
    blocks = [Block(code, "page.rst", path, 100 * n) for n, code in enumerate(codes, 1)]
    program = Program(
        blocks=tuple(blocks), targets=(Target(len(blocks), (tensor,), extras=extras),),
        directory=str(directory), root=str(directory),
    )  # fmt: skip
    (result,) = runner.run([program])
    (traced,) = result.targets
    assert isinstance(traced, Traced), traced
    return traced.graph


def lines(graph: Graph) -> list[tuple[str, int | None]]:
    return [
        (node.op, node.source.line if node.source else None)
        for node in graph.nodes
        if node.kind == "function"
    ]


def test_each_node_has_the_line_that_made_it(runner: Runner, tmp_path: Path) -> None:
    graph = trace(
        runner, tmp_path,
        "import torch\nw = torch.ones(2, 1, requires_grad=True)\nb = torch.ones(1, requires_grad=True)",
        "X = torch.ones(3, 2)\ny_hat = torch.mm(X, w) + b\n",
        "l = (y_hat\n     ** 2\n     / 2)\nout = l.sum()",
    )  # fmt: skip
    found = lines(graph)
    assert found[:2] == [("MmBackward0", 201), ("AddBackward0", 201)]
    assert found[-1] == ("SumBackward0", 303)
    node = next(node for node in graph.nodes if node.op == "MmBackward0")
    assert node.source is not None
    assert (node.source.file, node.source.text) == ("page.rst", "y_hat = torch.mm(X, w) + b")
    assert (node.module, node.call) == ("", "torch.mm")
    assert all(node.source is None for node in graph.leaf_nodes)


def test_the_innermost_line_of_the_authors_own_files_wins(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import torch\n\ndef double(x):\n    y = x * 2\n    return helper(y)\n\n"
        "def helper(y):\n    return y.exp()\n"
    )
    graph = trace(
        runner, tmp_path,
        "import torch, mine\nx = torch.ones(2, requires_grad=True)\n"
        "def f(x):\n    z = x.sin()\n    return z.cos()\n"
        "out = (mine.double(f(x)) + 1).sum()",
    )  # fmt: skip
    files = [(node.op, node.source.file, node.source.line) for node in graph.nodes if node.source]
    assert files == [
        ("SinBackward0", "page.rst", 103), ("CosBackward0", "page.rst", 104),
        ("MulBackward0", "mine.py", 4), ("ExpBackward0", "mine.py", 8),
        ("AddBackward0", "page.rst", 105), ("SumBackward0", "page.rst", 105),
    ]  # fmt: skip


def test_loops_generators_and_comprehensions(runner: Runner, tmp_path: Path) -> None:
    graph = trace(
        runner, tmp_path,
        "import torch\nx = torch.ones(2, requires_grad=True)\nout = x\n"
        "for i in range(3):\n    out = out.sin()\n    out = out.cos()\n"
        "def each(v):\n    yield v.exp()\n    yield v.tanh()\n"
        "parts = [p * 2 for p in each(out)]\n"
        "out = parts[0] + parts[1]",
    )  # fmt: skip
    found = lines(graph)
    assert found[:6] == [("SinBackward0", 104), ("CosBackward0", 105)] * 3
    by_op = dict(found[6:])
    assert (by_op["ExpBackward0"], by_op["TanhBackward0"]) == (107, 108)
    assert (by_op["MulBackward0"], by_op["AddBackward0"]) == (109, 110)


def test_modules_and_calls(runner: Runner, tmp_path: Path) -> None:
    graph = trace(
        runner, tmp_path,
        HEAD + "class Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])\n"
        "    def forward(self, x):\n"
        "        for layer in self.layers:\n            x = torch.relu(layer(x))\n"
        "        return x\n"
        "net = Net()\nx = torch.ones(1, 2)\n"
        "out = F.cross_entropy(net(x), torch.zeros(1, dtype=torch.long)) + nn.Linear(2, 2)(x).sum()",
    )  # fmt: skip
    made = [(node.op, node.module, node.call) for node in graph.nodes if node.kind == "function"]
    linear = "torch.nn.functional.linear"
    assert made[:6] == [
        ("TBackward0", "net.layers.0", linear), ("AddmmBackward0", "net.layers.0", linear),
        ("ReluBackward0", "net", "torch.relu"),
        ("TBackward0", "net.layers.1", linear), ("AddmmBackward0", "net.layers.1", linear),
        ("ReluBackward0", "net", "torch.relu"),
    ]  # fmt: skip
    assert {call for op, _, call in made if op in ("LogSoftmaxBackward0", "NllLossBackward0")} == {
        "torch.nn.functional.cross_entropy"
    }
    assert ("TBackward0", "Linear", linear) in made
    assert made[-1] == ("AddBackward0", "", "torch.Tensor.add")
    relu = next(node for node in graph.nodes if node.op == "ReluBackward0")
    assert relu.source is not None
    assert relu.source.text == "x = torch.relu(layer(x))"


def test_a_node_of_the_expression_itself_has_no_line(runner: Runner, tmp_path: Path) -> None:
    code = "import torch\nx = torch.ones(2, requires_grad=True)\ny = x * 2"
    graph = trace(runner, tmp_path, code, tensor="y.mean()")
    assert lines(graph) == [("MulBackward0", 102), ("MeanBackward0", None)]
    assert graph.nodes[-1].call == "torch.Tensor.mean"


def test_code_that_is_left_by_an_exception(runner: Runner, tmp_path: Path) -> None:
    graph = trace(
        runner, tmp_path,
        HEAD + "x = torch.ones(2, requires_grad=True)\n"
        "class Fails(nn.Module):\n    def forward(self, x):\n        raise KeyError\n"
        "fails = Fails()\n"
        "try:\n    fails(x)\nexcept KeyError:\n    pass\nout = x * 2",
    )  # fmt: skip
    assert lines(graph) == [("MulBackward0", 112)]
    assert graph.nodes[-1].module == ""


def test_names_of_the_variables_of_a_called_function(runner: Runner, tmp_path: Path) -> None:
    code = (
        "import torch\ndef loss():\n    w = torch.ones(2, requires_grad=True)\n"
        "    h = w * 2\n    return h.sum()\n"
    )
    path = str(tmp_path / "script.py")
    program = Program(
        blocks=(Block(code, "script.py", path),), targets=(Target(1, member="loss"),),
        directory=str(tmp_path), root=str(tmp_path), module="script",
    )  # fmt: skip
    (result,) = runner.run([program])
    (traced,) = result.targets
    assert isinstance(traced, Traced)
    assert traced.graph.leaves == ("w",)
    assert [node.name for node in traced.graph.nodes] == ["w", "h", None]


def test_inputs_stand_where_autograd_has_none(runner: Runner, tmp_path: Path) -> None:
    graph = trace(
        runner, tmp_path,
        HEAD + "X = torch.ones(3, 2)\ny = torch.ones(3)\nw = torch.ones(2, 1, requires_grad=True)\n"
        "net = nn.Linear(2, 2)\ntarget = torch.zeros(3, dtype=torch.long)\n"
        "l = (torch.mm(X, w) - y.view(3, 1)).sum()\n"
        "out = l + F.cross_entropy(net(X), target) + torch.ones(()) * l",
        extras=("inputs",),
    )  # fmt: skip
    inputs = {node.id: node for node in graph.nodes if node.kind == "input"}
    assert [(node.name, node.outputs[0].shape) for node in inputs.values()] == [
        ("X", (3, 2)), ("y", (3, 1)), ("target", (3,)), (None, ()),
    ]  # fmt: skip
    uses = [
        (graph.nodes[edge.from_].name, graph.nodes[edge.to].op, edge.input)
        for edge in graph.edges
        if edge.from_ in inputs
    ]
    assert set(uses) == {
        ("X", "MmBackward0", 0), ("y", "SubBackward0", 1), ("X", "AddmmBackward0", 1),
        ("target", "NllLossBackward0", 1), (None, "MulBackward0", 0),
    }  # fmt: skip
    assert set(graph.leaves) == {"w", "net.weight", "net.bias"}
    assert list(graph.problems()) == []
    without = [node for node in graph.nodes if node.kind != "input"]
    plain = trace(
        runner, tmp_path, "import torch\nw = torch.ones(2, 1, requires_grad=True)\nout = w * 2"
    )
    assert all(node.kind != "input" for node in plain.nodes)
    assert len(without) == len(graph.nodes) - 4


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (torch.mm, "torch.mm"),
        (F.linear, "torch.nn.functional.linear"),
        (F.cross_entropy, "torch.nn.functional.cross_entropy"),
        (torch.special.expm1, "torch.special.expm1"),
        (torch.linalg.norm, "torch.linalg.norm"),
        (torch.fft.fft, "torch.fft.fft"),
        (torch.Tensor.add, "torch.Tensor.add"),
        (torch.Tensor.__getitem__, "torch.Tensor.__getitem__"),
        (
            torch.Tensor.T.__get__,  # type: ignore[attr-defined]
            "torch.Tensor.T",
        ),
        (torch.einsum, "torch.einsum"),
    ],
)
def test_calls_have_the_names_that_people_use(function: object, expected: str) -> None:
    assert call_name(function) == expected  # type: ignore[arg-type]


def test_the_order_is_that_of_a_real_backward() -> None:
    """Against torch's own engine, asked by hooks, for graphs with several paths."""
    from sphinx_autogradgraph.tracing.names import Names
    from sphinx_autogradgraph.tracing.walk import trace_tensors

    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))
    x = torch.randn(2, 3)
    h = net(x)
    out = (h * net(h.sin())).sum() + (h**2).mean()
    graph, _ = trace_tensors([("out", out)], Names({"out": out}))
    visited: list[str] = []
    stack, seen = [out.grad_fn], set()
    while stack:
        fn = stack.pop()
        if fn is None or fn in seen:
            continue
        seen.add(fn)
        fn.register_prehook(lambda _grads, fn=fn: visited.append(type(fn).__name__))
        stack += [used for used, _ in fn.next_functions]
    out.backward()
    order = graph.backward_order
    assert sorted(order.values()) == list(range(1, len(graph.nodes) + 1))
    assert [graph.nodes[id].op for id in sorted(order, key=order.__getitem__)] == visited


def test_tensors_of_the_program_are_asked(runner: Runner, tmp_path: Path) -> None:
    code = (
        HEAD + "X = torch.ones(3, 2)\nnet = nn.Linear(2, 1)\ny_hat = net(X)\nl = y_hat.sum()\n"
        "alias = l"
    )
    program = Program(
        blocks=(Block(code, "page.rst", str(tmp_path / "page.rst")),),
        targets=(Target(1, ("l", "l.mean()"), tensors=True),),
        directory=str(tmp_path), root=str(tmp_path),
    )  # fmt: skip
    (result,) = runner.run([program])
    (traced,) = result.targets
    assert isinstance(traced, Traced)
    assert [
        (row.name, row.shape, row.is_leaf, row.requires_grad, row.grad_fn)
        for row in traced.tensors
    ] == [
        ("X", (3, 2), True, False, None),
        ("y_hat", (3, 1), False, True, "AddmmBackward0"),
        ("l", (), False, True, "SumBackward0"),
        ("alias", (), False, True, "SumBackward0"),
        ("net.weight", (1, 2), True, True, None),
        ("net.bias", (1,), True, True, None),
        ("l.mean()", (), False, True, "MeanBackward0"),
    ]  # fmt: skip


def test_the_recorder_leaves_nothing_behind() -> None:
    before = sys.gettrace()
    recorder = provenance.Recorder(lambda _path: False, os.path.basename)
    with recorder:
        torch.ones(2, requires_grad=True) * 2
    assert sys.gettrace() is before
    assert not torch.nn.modules.module._global_forward_hooks
    assert not torch.nn.modules.module._global_forward_pre_hooks


def calls_of_the_package(program: Callable[[], object]) -> int:
    """Count the calls of this package's functions while a program runs under the recorder."""
    package = os.path.dirname(provenance.__file__)
    count = 0

    def profile(frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith(package)

    with provenance.Recorder(lambda _path: False, str):
        program()  # what is prepared at the first call is not counted
        sys.setprofile(profile)
        try:
            program()
        finally:
            sys.setprofile(None)
    return count


W = torch.ones(2, 2, requires_grad=True)
LINEAR = nn.Linear(2, 2)


@pytest.mark.parametrize(
    ("program", "most"),
    [
        (lambda: W * 2, 1),
        (lambda: W.shape, 1),
        (lambda: F.relu(W), 1),
        (lambda: LINEAR(W), 7),  # the module's two hooks note and trace, the call notes
        (lambda: torch.ones(2), 11),
        (lambda: W.detach(), 11),
    ],
)
def test_recording_calls_few_functions_where_nothing_is_asked(
    program: Callable[[], object], most: int
) -> None:
    assert calls_of_the_package(program) <= most


def test_history_behind_cuts_is_walked_once() -> None:
    recorder = provenance.Recorder(lambda _path: False, str, inputs=True)
    steps, asked = 100, 0

    def counted(fn: Any) -> bool:
        nonlocal asked
        asked += 1
        return is_accumulate_grad(fn)

    with pytest.MonkeyPatch.context() as patch, recorder:
        patch.setattr(cuts, "is_accumulate_grad", counted)
        h = W.exp()
        for _ in range(steps):
            h = h.sin()
            h.sum().item()
    assert asked <= 4 * steps  # nodes
    assert recorder.reasons.cuts.behind().of(W)
