"""Tracing beside torchviz: the Graph of an unrolled LSTM of some 6,000 nodes, and ``make_dot``.

Run ``pip install torchviz`` and ``python benchmarks/tracing.py``.  The floor is a walk that reads
names, shapes, dtypes and edges and keeps nothing else.  All alternate in one process; the ratios of
the medians are what counts.
"""

from __future__ import annotations

import gc
import platform
import statistics
import sys
import threading
import time
from typing import TYPE_CHECKING

import torch

from sphinx_autogradgraph import trace

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 15
STEPS = 200


def unrolled() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The output and the parameters of an LSTM written out step by step."""
    weights = {f"W{i}": torch.randn(8, 8, requires_grad=True) for i in range(12)}
    held = list(weights.values())
    h = c = torch.zeros(1, 8)
    for x in torch.randn(STEPS, 1, 8):
        gates = [torch.sigmoid(x @ held[i] + h @ held[i + 4] + held[i + 8][0]) for i in range(4)]
        c = gates[0] * c + gates[1] * torch.tanh(gates[2])
        h = gates[3] * torch.tanh(c)
    return h.sum(), weights


def plain_walk(out: torch.Tensor) -> int:
    """Read name, shapes, dtypes and edges of every node."""
    seen, stack = set(), [out.grad_fn]
    while stack:
        fn = stack.pop()
        if fn is None or fn in seen:
            continue
        seen.add(fn)
        _ = type(fn).__name__, [(tuple(m.shape), str(m.dtype)) for m in fn._input_metadata]
        stack += [used for used, _ in fn.next_functions]
    return len(seen)


def main() -> None:
    """Measure and print."""
    from torchviz import make_dot

    torch.manual_seed(0)
    out, params = unrolled()
    ways: dict[str, Callable[[], object]] = {
        "torchviz.make_dot": lambda: make_dot(out, params),
        "trace": lambda: trace(out, params=params),
        "plain walk": lambda: plain_walk(out),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            gc.collect()
            begin = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - begin)
    print(f"torch {torch.__version__}, Python {platform.python_version()}, {sys.platform}")
    print(f"{len(trace(out).nodes)} nodes")
    base = statistics.median(times["torchviz.make_dot"])
    for name, found in times.items():
        median = statistics.median(found)
        print(f"{name:20} {median * 1e3:7.1f} ms   {median / base:5.2f} times")


if __name__ == "__main__":
    # torchviz recurses: it needs more stack than the main thread has.
    sys.setrecursionlimit(10**6)
    threading.stack_size(512 * 1024 * 1024)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
