"""Tracing: the Graph is exactly what autograd holds, as a separate, plain walk finds it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import jsonschema
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.graph.model import Extra, Graph
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.provenance import Recorder
from sphinx_autogradgraph.tracing.targets import drawable
from sphinx_autogradgraph.tracing.tensor_rows import tensor_rows
from sphinx_autogradgraph.tracing.walk import trace_tensors
from tests.conftest import ROOT

Namespace = Mapping[str, Any]


SCHEMA = jsonschema.Draft202012Validator(
    json.loads((ROOT / "sphinx_autogradgraph" / "graph" / "graph.schema.json").read_text("utf-8"))
)


def graph_of(namespace: Namespace, *names: str, extras: tuple[Extra, ...] = ()) -> Graph:
    outputs = drawable([(name, namespace[name]) for name in names], namespace)
    return trace_tensors(outputs, Names(namespace), extras=extras)[0]


def linear() -> Namespace:
    X, y = torch.randn(10, 2), torch.randn(10)
    w = torch.normal(0, 0.01, (2, 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    y_hat = torch.mm(X, w) + b
    out = ((y_hat - y.view(y_hat.size())) ** 2 / 2).sum()
    return locals()


def mlp() -> Namespace:
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    out = F.cross_entropy(net(torch.randn(5, 4)), torch.tensor([0, 1, 2, 0, 1]))
    return locals()


def conv_with_residual() -> Namespace:
    conv = nn.Conv2d(3, 3, 3, padding=1)
    norm = nn.BatchNorm2d(3)
    x = torch.randn(2, 3, 8, 8)
    h = F.relu(norm(conv(x)))
    out = (h + conv(h)).mean()
    return locals()


def lstm() -> Namespace:
    rnn = nn.LSTM(3, 4, num_layers=2)
    out, (h, c) = rnn(torch.randn(5, 2, 3))
    return locals()


def unrolled() -> Namespace:
    cell = nn.LSTMCell(3, 4)
    h = c = torch.zeros(2, 4)
    for _ in range(6):
        h, c = cell(torch.randn(2, 3), (h, c))
    out = h.sum()
    return locals()


def shared_parameter() -> Namespace:
    w = torch.randn(3, 3, requires_grad=True)
    out = (w @ w * w).sum() + w.sum()
    return locals()


def view_and_in_place() -> Namespace:
    x = torch.randn(4, 4, requires_grad=True)
    y = x * 2
    y[0] = y[1] * 3
    y.view(16)[3:5].mul_(2)
    y.add_(1)
    out = y.t().sum()
    return locals()


class Two(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        ctx.save_for_backward(x, None)
        ctx.variable = torch.ones(7)
        ctx.name = "hidden"
        return x * 2, x * 3

    @staticmethod
    def backward(ctx: Any, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return 2 * a + 3 * b


def custom_function() -> Namespace:
    x = torch.randn(3, requires_grad=True)
    a, b = Two.apply(x)
    out = (a * b).sum()
    return locals()


def double_backward() -> Namespace:
    x = torch.randn(3, requires_grad=True)
    (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    out = (g**2).sum()
    return locals()


def triple_backward() -> Namespace:
    x = torch.randn(3, requires_grad=True)
    (g,) = torch.autograd.grad((x.sin() * x**3).sum(), x, create_graph=True)
    (out,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    return locals()


def tuple_output() -> Namespace:
    x = torch.randn(6, 2, requires_grad=True)
    out = (x.sum(), [x.mean(), 3, None], {"max": x.max(0)})
    return locals()


def several_outputs() -> Namespace:
    x = torch.randn(3, 2, requires_grad=True)
    a, b, c = x.unbind()
    out = a * c
    return locals()


def after_backward() -> Namespace:
    namespace = dict(linear())
    namespace["out"].backward()
    return namespace


def leaf_output() -> Namespace:
    w = torch.randn(3, requires_grad=True)
    out = (w, w * 2)
    return locals()


def complex_and_nested() -> Namespace:
    x = torch.randn(3, dtype=torch.complex64, requires_grad=True)
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], requires_grad=True)
    out = (torch.fft.fft(x).abs().sum(), nested * 2)
    return locals()


def checkpoints() -> Namespace:
    x = torch.randn(3, requires_grad=True)
    a = checkpoint(lambda x: (x * x).exp(), x, use_reentrant=True)
    b = checkpoint(lambda x: (x * x).exp(), x, use_reentrant=False)
    out = (a * b).sum()
    return locals()


def sparse_and_meta() -> Namespace:
    x = torch.eye(3).to_sparse().requires_grad_()
    y = torch.ones(3, 3, device="meta", requires_grad=True)
    out = (torch.sparse.mm(x, torch.ones(3, 2)).sum(), (y @ y).sum())
    return locals()


def function_transforms() -> Namespace:
    x = torch.randn(4, 3, requires_grad=True)
    rows = torch.func.vmap(lambda row: (row**2).sum())(x)
    slope = torch.func.grad(lambda x: (x.sin() ** 2).sum())(x)
    out = (rows.sum(), slope.sum())
    return locals()


def parametrized() -> Namespace:
    net = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    nn.utils.parametrizations.orthogonal(outer := nn.Linear(2, 2))
    out = outer(net(torch.randn(4, 3))).sum()
    return locals()


def packed_by_hooks() -> Namespace:
    x = torch.randn(3, requires_grad=True)

    def fail(packed: Any) -> torch.Tensor:
        raise AssertionError("drawing has unpacked a saved tensor")

    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: "packed", fail):
        out = (x.exp() * x).sum()
    return locals()


def changed_after_it_was_saved() -> Namespace:
    x = torch.randn(3, requires_grad=True)
    y = x * 2
    out = (y * y).sum()
    y.add_(1)
    return locals()


def autocast() -> Namespace:
    net = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1))
    with torch.autocast("cpu", torch.bfloat16):
        out = net(torch.randn(2, 3)).sum()
    return locals()


def scripted_and_traced() -> Namespace:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    x = torch.randn(2, 3)
    out = (torch.jit.script(net)(x).sum(), torch.jit.trace(net, x)(x).sum())
    return locals()


def functional_call() -> Namespace:
    net = nn.Linear(3, 1)
    weights = {name: param * 2 for name, param in net.named_parameters()}
    out = torch.func.functional_call(net, weights, torch.randn(2, 3)).sum()
    return locals()


def transformer_partly_frozen() -> Namespace:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    net = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    net.layers[0].requires_grad_(False)
    out = net(torch.randn(2, 3, 8)).sum()
    return locals()


def compiled() -> Namespace:
    torch._dynamo.reset()
    inner = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 3))
    net: Any = torch.compile(inner, backend="aot_eager")
    loss = torch.compile(lambda x: (inner(x) ** 2).mean(), backend="aot_eager")
    x = torch.randn(2, 3)
    out = (net(x).sum(), loss(x) * 2, nn.Sequential(nn.Linear(3, 3), net)(x).sum(), net(x).sum())
    return locals()


PROGRAMS = [
    linear, mlp, conv_with_residual, lstm, unrolled, shared_parameter, view_and_in_place,
    custom_function, double_backward, triple_backward, tuple_output, several_outputs,
    after_backward, leaf_output, complex_and_nested, checkpoints, sparse_and_meta,
    function_transforms, parametrized, packed_by_hooks, changed_after_it_was_saved,
    autocast, scripted_and_traced, functional_call, transformer_partly_frozen, compiled,
]  # fmt: skip


def plain_walk(roots: list[torch.Tensor]) -> tuple[Counter[Any], Counter[Any]]:
    """The nodes and edges that can be reached, by a walk that shares nothing with ours.

    Nodes as (op, shape), edges as (from op, to op, output, input), each with its count.
    """
    found: dict[int, Any] = {}
    queue: list[Any] = [
        root.grad_fn
        if root.grad_fn is not None
        else root.view_as(root).grad_fn.next_functions[0][0]  # type: ignore[union-attr]
        for root in roots
    ]
    nodes: Counter[Any] = Counter()
    edges: Counter[Any] = Counter()
    while queue:
        fn = queue.pop(0)
        if id(fn) in found:
            continue
        found[id(fn)] = fn
        nodes[describe(fn)] += 1
        for index, (used, output) in enumerate(fn.next_functions):
            if used is not None:
                edges[describe(used), describe(fn), output, index] += 1
                queue.append(used)
    return nodes, edges


def describe(fn: Any) -> Any:
    shapes: list[Any] = []
    for meta in fn._input_metadata:
        try:
            shapes.append(tuple(meta.shape))
        except RuntimeError:
            shapes.append(None)
    return type(fn).__name__, tuple(shapes)


def described(graph: Graph) -> tuple[Counter[Any], Counter[Any]]:
    names = [(node.op, tuple(meta.shape for meta in node.outputs)) for node in graph.nodes]
    edges = Counter(
        (names[edge.from_], names[edge.to], edge.output, edge.input) for edge in graph.edges
    )
    return Counter(names), edges


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_the_graph_is_what_a_plain_walk_finds(program: Callable[[], Namespace]) -> None:
    namespace = program()
    roots = [tensor for _, tensor in drawable([("out", namespace["out"])], namespace)]
    graph = graph_of(namespace, "out")
    assert described(graph) == plain_walk(roots)
    assert list(graph.problems()) == []
    assert Graph.from_json(graph.to_json()) == graph
    whole = graph_of(namespace, "out", extras=("saved", "values"))
    assert Graph.from_json(whole.to_json()) == whole
    assert whole.structure() == graph
    for found in (graph, whole):
        SCHEMA.validate(json.loads(found.to_json()))
    leaves = [node for node in graph.nodes if node.op == "AccumulateGrad"]
    assert all(node.kind == "leaf" for node in leaves)
    assert len(graph.leaves) == len(leaves)


def without_provenance(graph: Graph) -> Graph:
    nodes = tuple(node.replace(source=None, module=None, call=None) for node in graph.nodes)
    return replace(graph, nodes=nodes, modules=())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_recording_does_not_change_what_is_recorded(program: Callable[[], Namespace]) -> None:
    for _ in range(2):  # the JIT profiles its first runs, and runs other code thereafter
        program()
    torch.manual_seed(0)
    plain = graph_of(program(), "out")
    torch.manual_seed(0)
    recorder = Recorder(lambda path: path == __file__, str, inputs=True, values=True)
    with warnings.catch_warnings(record=True) as found, recorder:
        namespace = program()
    outputs = drawable([("out", namespace["out"])], namespace)
    recorded = trace_tensors(outputs, Names(namespace), recorder)[0]
    assert without_provenance(recorded) == plain
    assert not [item for item in found if "hook" in str(item.message)]
    assert any(node.source is not None for node in recorded.nodes)


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_program() -> None:
    net = torch.compile(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), backend="aot_eager")
    out = net(torch.randn(2, 3)).sum()
    graph = graph_of({"net": net, "out": out}, "out", extras=("saved", "values"))
    assert described(graph) == plain_walk([out])
    assert "CompiledFunctionBackward" in graph.chain
    SCHEMA.validate(json.loads(graph.to_json()))


def test_a_chain_of_50_000_operations(deep: Callable[[Callable[[], None]], None]) -> None:
    def run() -> None:
        x = torch.ones(2, requires_grad=True)
        out = x
        for _ in range(50_000):
            out = out * 1.0
        namespace = {"x": x, "out": out}
        graph = graph_of(namespace, "out")
        assert described(graph) == plain_walk([out])
        assert len(graph.chain) == 50_000
        assert repr(graph).startswith("<Graph of out")

    deep(run)


def test_the_reference_walk_through() -> None:
    graph = graph_of(linear(), "out")
    assert graph.leaves == ("w", "b")
    assert graph.chain == (
        "SumBackward0", "DivBackward0", "PowBackward0", "SubBackward0", "AddBackward0",
        "MmBackward0",
    )  # fmt: skip
    assert [(node.id, node.op, node.name) for node in graph.nodes[:4]] == [
        (0, "AccumulateGrad", "w"),
        (1, "AccumulateGrad", "b"),
        (2, "MmBackward0", None),
        (3, "AddBackward0", "y_hat"),
    ]
    assert graph.nodes[2].outputs[0].shape == (10, 1)
    assert (graph.edges[0].from_, graph.edges[0].to, graph.edges[0].input) == (0, 2, 1)
    assert [(output.name, output.node) for output in graph.outputs] == [("out", 7)]


def test_parameters_are_named_by_their_path() -> None:
    graph = graph_of(mlp(), "out")
    assert set(graph.leaves) == {"net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"}


def test_a_parameter_comes_before_a_variable_and_that_before_a_container() -> None:
    net = nn.Linear(2, 2)
    first = [net.weight, torch.ones(2, requires_grad=True), torch.ones(1, requires_grad=True)]
    namespace = {
        "held": first,
        "state": {"h": first[1], 3: first[2]},
        "net": net,
        "bias": net.bias,
        "again": net.bias,
        "out": net(torch.ones(1, 2)) * first[1] * first[2],
    }
    graph = graph_of(namespace, "out")
    assert set(graph.leaves) == {"net.weight", "net.bias", "held[1]", "held[2]"}


def test_a_loop_over_parameters_names_none_of_them() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    for param in net.parameters():
        param.grad = None
    trainer = type("Trainer", (), {})()
    trainer.head = nn.Linear(1, 1)
    out = trainer.head(net(torch.ones(1, 2)))
    graph = graph_of({"param": param, "trainer": trainer, "net": net, "out": out}, "out")
    assert "net.1.bias" in graph.leaves
    assert "trainer.head.weight" in graph.leaves
    assert "param" not in graph.leaves


def test_a_large_container_does_not_hide_a_small_one() -> None:
    w, b, c = (torch.ones(2, requires_grad=True) for _ in range(3))
    namespace = {
        "numbers": list(range(10**6)),
        "rows": {key: str(key) for key in range(10**5)},
        "nested": {"model": {"deep": [w]}},
        "params": [b],
        "options": SimpleNamespace(c=c),
        "out": w * b * c,
    }
    assert set(graph_of(namespace, "out").leaves) == {
        "nested['model']['deep'][0]", "params[0]", "options.c",
    }  # fmt: skip


def test_names_cost_what_the_graph_costs_and_not_what_the_program_holds() -> None:
    w = torch.ones(2, requires_grad=True)
    out = w * 2
    earlier = graph_of({"w": w, "out": out}, "out")
    looked_at = 0

    class Item:
        @property
        def __dict__(self) -> dict[str, object]:  # type: ignore[override]
            nonlocal looked_at
            looked_at += 1
            return {}

    held = [Item() for _ in range(50_000)]
    namespace = {"graphs": [earlier] * 3, "held": held, "w": w, "out": out}
    assert graph_of(namespace, "out").leaves == ("w",)
    assert 0 < looked_at < 20_000


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_variables_that_raise_when_they_are_looked_at_lose_nothing(
    error: type[BaseException],
) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise error("not for you")

    class Gone:
        pass

    refused = ("__hash__", "__instancecheck__", "__getattribute__")
    meta = type("Meta", (type,), dict.fromkeys(refused, refuse))
    proxy = type("Proxy", (), {"__class__": property(refuse)})
    odd: Any = meta("Odd", (), {})
    refused = ("__getitem__", "__iter__", "__len__")
    mapping: Any = type("Held", (Mapping,), dict.fromkeys(refused, refuse))
    refused = ("named_modules", "named_parameters", "named_buffers")
    module = type("Net", (nn.Module,), dict.fromkeys(refused, refuse))

    w = torch.ones(2, requires_grad=True)
    bad = [weakref.proxy(Gone()), proxy(), object.__new__(odd), odd, mapping(), module()]
    namespace: dict[Any, Any] = {1: "an integer", None: 2}
    namespace |= {f"bad_{place}": value for place, value in enumerate(bad)} | {"bad": bad}
    namespace |= {"w": w, "out": (w * 2, *bad)}
    outputs = drawable([("out", namespace["out"])], namespace)
    assert trace_tensors(outputs, Names(namespace))[0].leaves == ("w",)
    assert len(tensor_rows(namespace, outputs)) == 2
    with pytest.raises(DiagnosticError, match="no tensor of the program requires grad"):
        drawable([("x", torch.ones(1))], {**namespace, "w": 1, "out": 2})


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("name", ["grad_fn", "shape", "is_leaf", "requires_grad", "grad", "dtype"])
def test_a_tensor_whose_attributes_raise_is_read_as_torch_has_it(
    name: str, error: type[BaseException]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error("ours alone")

    odd = type("Odd", (torch.Tensor,), {name: property(refuse)})
    strict = type("Strict", (torch.Tensor,), {"__torch_function__": classmethod(refuse)})
    x = torch.ones(3, requires_grad=True)
    beside: dict[str, torch.Tensor] = {
        kind.__name__: torch.ones(2).as_subclass(kind) for kind in (odd, strict)
    }
    y = x * 2
    assert trace_tensors([("y", y)], Names({"x": x, "y": y, **beside}))[0].leaves == ("x",)
    rows = tensor_rows({"x": x, **beside}, [("y", y)])
    assert [(row.name, row.is_leaf, row.grad_fn) for row in rows] == [
        ("x", True, None), ("Odd", True, None), ("Strict", True, None), ("y", False, "MulBackward0"),
    ]  # fmt: skip
    assert {(row.shape, row.dtype) for row in rows[1:3]} == {((2,), "float32")}


def test_tensors_of_plain_objects_are_named_by_their_attribute() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = torch.ones(2, requires_grad=True)

    model = Model()
    graph = graph_of({"model": model, "out": model.w * 2}, "out")
    assert graph.leaves == ("model.w",)


def test_a_leaf_without_a_name_says_so() -> None:
    assert graph_of({"out": torch.ones(3, requires_grad=True) * 2}, "out").leaves == (None,)


def test_outputs_in_containers_are_named_by_their_place() -> None:
    class Pair(NamedTuple):
        boxes: torch.Tensor
        rest: list[torch.Tensor]

    @dataclass
    class Answer:
        logits: torch.Tensor
        hidden: dict[str, torch.Tensor]

    x = torch.ones(3, requires_grad=True)
    out = {
        "pair": Pair(x * 1, [x * 2]),
        "answer": Answer(x * 3, {"h": x * 4}),
        ("head", 1): x * 5,
        None: {True: x * 6},
    }
    graph = graph_of({"x": x, "out": out}, "out")
    assert [output.name for output in graph.outputs] == [
        "out['pair'].boxes", "out['pair'].rest[0]", "out['answer'].logits",
        "out['answer'].hidden['h']", "out[('head', 1)]", "out[None][True]",
    ]  # fmt: skip


def test_several_outputs_of_a_node_have_names_of_their_own() -> None:
    graph = graph_of(several_outputs(), "out")
    node = next(node for node in graph.nodes if node.op == "UnbindBackward0")
    assert [meta.name for meta in node.outputs] == ["a", "b", "c"]
    assert node.name == "a"


def test_a_container_that_holds_itself_ends() -> None:
    x = torch.ones(3, requires_grad=True)
    held: list[Any] = [x]
    held.append(held)
    assert graph_of({"held": held, "out": x * 2}, "out").leaves == ("held[0]",)


@pytest.mark.long
def test_the_same_program_gives_the_same_bytes_in_every_process() -> None:
    code = (
        "import torch, tests.tracing.test_trace as t\n"
        "for program in t.PROGRAMS: print(t.graph_of(program(), 'out').to_json())"
    )
    texts = set()
    for seed in ("0", "77"):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        texts.add(done.stdout)
    assert len(texts) == 1
    assert texts.pop().count('"version"') == len(PROGRAMS)


def op_database() -> list[Any]:
    """Torch's own database of operators: those that support autograd."""
    internal = pytest.importorskip("torch.testing._internal.common_methods_invocations")
    return [op for op in internal.op_db if op.supports_autograd]


def first_sample(op: Any) -> Any:
    """The tensors that come of the first float sample of an operator, None if there is none."""
    torch.manual_seed(0)
    dtype = next((d for d in (torch.float32, torch.float64) if d in op.dtypes), None)
    if dtype is None:
        return None
    try:
        sample = next(iter(op.sample_inputs("cpu", dtype, requires_grad=True)), None)
        if sample is None:
            return None
        return op(sample.input, *sample.args, **sample.kwargs)
    except Exception:  # needs what this build of torch does not have
        return None


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_every_operator_of_torchs_own_database() -> None:
    """Before and after backward(), each Graph is what a plain walk finds."""
    traced = 0
    for op in op_database():
        out = first_sample(op)
        namespace = {"out": out}
        try:
            roots = [tensor for _, tensor in drawable([("out", out)], namespace)]
        except DiagnosticError:
            continue
        for _ in range(2):
            graph = graph_of(namespace, "out", extras=("saved", "values"))
            assert described(graph) == plain_walk(roots), op.name
            assert list(graph.problems()) == [], op.name
            assert Graph.from_json(graph.to_json()) == graph, op.name
            SCHEMA.validate(json.loads(graph.to_json()))
            try:
                torch.autograd.backward(roots, [torch.ones_like(root) for root in roots])
            except Exception:  # an operator without a backward of its own
                break
        traced += 1
    assert traced > 500
