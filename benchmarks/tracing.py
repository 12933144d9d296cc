"""Tracing beside peers: from a tensor that is computed to its graph as data.

torchview, torchlens and TensorBoard run the model themselves; what they take includes one forward, and
so it is told what that takes.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import nn

from benchmarks.table import QUICK, Table, main, median, seconds, times
from sphinx_autogradgraph import trace

ROUNDS = 2 if QUICK else 9
STEPS = 200


def unrolled() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Compute an LSTM step by step; return its output and its parameters."""
    weights = {f"W{i}": torch.randn(8, 8, requires_grad=True) for i in range(12)}
    held = list(weights.values())
    h = c = torch.zeros(1, 8)
    for x in torch.randn(STEPS, 1, 8):
        gates = [torch.sigmoid(x @ held[i] + h @ held[i + 4] + held[i + 8][0]) for i in range(4)]
        c = gates[0] * c + gates[1] * torch.tanh(gates[2])
        h = gates[3] * torch.tanh(c)
    return h.sum(), weights


def plain_walk(out: torch.Tensor) -> int:
    """Read name, shapes, dtypes and edges of every node, and keep nothing else."""
    seen, stack = set(), [out.grad_fn]
    while stack:
        fn = stack.pop()
        if fn is None or fn in seen:
            continue
        seen.add(fn)
        _ = type(fn).__name__, [(tuple(m.shape), str(m.dtype)) for m in fn._input_metadata]
        stack += [used for used, _ in fn.next_functions]
    return len(seen)


def measured(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the medians of the ways, which alternate."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            gc.collect()
            begin = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()):
                way()
            found[name].append(time.perf_counter() - begin)
    return {name: median(values) for name, values in found.items()}


PEERS = ("sphinx-autogradgraph", "torchviz", "torchview", "torchlens", "TensorBoard")


def peer(name: str) -> None:
    """Measure one of the :data:`PEERS` here, and tell as JSON: some of them change torch for good."""
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    layer = nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True)
    model = nn.TransformerEncoder(layer, 12)
    x = torch.randn(2, 16, 64)
    way: Callable[[], object]
    if name == "sphinx-autogradgraph":
        way = lambda: trace(model(x).sum())  # noqa: E731
    elif name == "torchviz":
        from torchviz import make_dot

        named = dict(model.named_parameters())
        way = lambda: make_dot(model(x).sum(), params=named)  # noqa: E731
    elif name == "torchview":
        from torchview import draw_graph

        way = lambda: draw_graph(model, input_data=x, depth=9)  # noqa: E731
    elif name == "torchlens":
        import torchlens

        way = lambda: torchlens.trace(model, x)  # noqa: E731
    else:
        from torch.utils.tensorboard._pytorch_graph import parse

        def way() -> object:
            # As its «graph» does, without tracing a second time to compare.
            traced = torch.jit.trace(model, (x,), check_trace=False, strict=False)
            return parse(traced.graph, traced, (x,))

    print(json.dumps(measured({"forward": lambda: model(x), name: way}, 5)))


def large() -> tuple[int, dict[str, float]]:
    """Trace an unrolled LSTM, where the graph is large; return its nodes and the times."""
    from torchviz import make_dot

    torch.manual_seed(0)
    torch.set_num_threads(1)
    out, params = unrolled()
    earlier = trace(out)
    numbers, table = list(range(10**6)), dict.fromkeys(range(10**6), 0)

    def beside_much() -> object:
        graph, rows, entries = earlier, numbers, table  # variables that are searched for names
        return trace(out, params=params), graph, rows, entries

    return len(earlier.nodes), measured(
        {
            "torchviz.make_dot": lambda: make_dot(out, params),
            "trace": lambda: trace(out, params=params),
            "trace, beside a Graph, a list and a dict of 10⁶": beside_much,
            "a walk that keeps nothing": lambda: plain_walk(out),
        },
        ROUNDS,
    )


def measure() -> Sequence[Table]:
    """Measure an unrolled LSTM, where the graph is large, and a model that peers can run."""
    count, walk = large()
    rows = []
    for name in PEERS:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.tracing", "--one", name],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = json.loads(done.stdout.splitlines()[-1])
        rows.append([name, seconds(found[name]), times(found[name], found["forward"])])
    return [
        Table(
            f"Tracing an LSTM of {STEPS} steps, {count:,} nodes",
            ["", "time", "times torchviz"],
            [
                [name, seconds(value), times(value, walk["torchviz.make_dot"])]
                for name, value in walk.items()
            ],
        ),
        Table(
            "A forward of a transformer of 12 layers, and its graph",
            ["", "time", "times the forward alone"],
            rows,
            "torchview, torchlens and TensorBoard record other graphs: the calls of modules and "
            "functions. torchlens keeps the values as well.",
        ),
    ]


def run() -> None:
    """Measure one peer with ``--one NAME``, the large graph alone with ``--large``, else all."""
    if "--one" in sys.argv:
        peer(sys.argv[-1])
    elif "--large" in sys.argv:
        print(json.dumps(large()[1]))
    else:
        main(measure)


if __name__ == "__main__":
    # torchviz recurses: it needs more stack than the main thread has.
    sys.setrecursionlimit(10**6)
    threading.stack_size(512 * 1024 * 1024)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
