"""Drawing beside torchviz and dot: from a tensor to its SVG.

Run ``pip install torchviz``, install Graphviz and run ``python benchmarks/drawing.py``.  Both draw
the same tensors in the same run, each in a process of its own; what counts is the ratio.  torchviz
has no folds: where ours folds, the ratio compares two pictures of one model.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import torch
from torch import nn

LIMIT = 125.0
"""Seconds after which a peer is given up."""


def lstm(steps: int) -> torch.Tensor:
    """An LSTM written out step by step."""
    weight = {name: torch.randn(8, 8, requires_grad=True) for name in "abcdefgh"}
    bias = {name: torch.zeros(8, requires_grad=True) for name in "abcd"}
    h = c = torch.zeros(1, 8)
    for x in torch.randn(steps, 1, 8):
        i = torch.sigmoid(x @ weight["a"] + h @ weight["e"] + bias["a"])
        f = torch.sigmoid(x @ weight["b"] + h @ weight["f"] + bias["b"])
        g = torch.tanh(x @ weight["c"] + h @ weight["g"] + bias["c"])
        o = torch.sigmoid(x @ weight["d"] + h @ weight["h"] + bias["d"])
        c = f * c + i * g
        h = o * torch.tanh(c)
    return h.sum()


def transformer() -> torch.Tensor:
    """Twelve layers of an encoder."""
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 12)
    out: torch.Tensor = encoder(torch.randn(2, 6, 16))
    return out.sum()


def chain(length: int, skip: int = 4) -> torch.Tensor:
    """A chain with a connection around every few operations."""
    x = before = torch.ones(3, requires_grad=True)
    for place in range(length):
        if place % skip == skip - 1:
            x = before = x + before
        else:
            x = x.sin()
    return x


CASES: dict[str, tuple[Callable[[], torch.Tensor], str | None]] = {
    "LSTM, 50 steps, full detail": (lambda: lstm(50), "none"),
    "LSTM, 200 steps, defaults": (lambda: lstm(200), None),
    "transformer, 12 layers, defaults": (transformer, None),
    "chain of 10,000, full detail": (lambda: chain(10_000), "none"),
    "chain of 100,000, defaults": (lambda: chain(100_000), None),
}


def ours(name: str) -> tuple[float, int]:
    """Seconds from the tensor to the SVG, and the nodes of the graph."""
    from sphinx_autogradgraph import draw, record

    make, fold = CASES[name]
    with record():
        out = make()
    begin = time.perf_counter()
    drawing = draw(out, fold=fold)
    assert "</svg>" in drawing.svg
    return time.perf_counter() - begin, len(drawing.graph.nodes)


def peers(name: str) -> tuple[float, int]:
    """The same for ``torchviz.make_dot`` and a system dot."""
    from torchviz import make_dot

    out = CASES[name][0]()
    begin = time.perf_counter()
    source = make_dot(out).source
    command = [str(shutil.which("dot")), "-Tsvg"]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=True)
    assert b"</svg>" in done.stdout
    return time.perf_counter() - begin, source.count("[label=")


def measured(who: str, name: str) -> dict[str, float] | None:
    """One run in a process of its own; None if it took too long or failed."""
    command = [sys.executable, __file__, "--one", who, name]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        text, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None
    found: dict[str, float] | None = json.loads(text) if process.returncode == 0 else None
    return found


def one(who: str, name: str) -> None:
    """Measure here, and tell as JSON."""
    torch.manual_seed(0)
    seconds, nodes = {"ours": ours, "peers": peers}[who](name)
    peak = max(resource.getrusage(of).ru_maxrss for of in (0, resource.RUSAGE_CHILDREN)) / 1024
    print(json.dumps({"seconds": seconds, "nodes": nodes, "megabytes": peak}), flush=True)
    # Without destroying the graph, which torch does by recursion.
    os._exit(0)


def main() -> None:
    """Measure all cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--one", nargs=2, metavar=("WHO", "CASE"), help="one measurement, as JSON")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.one:
        one(*options.one)
        return
    dot = shutil.which("dot")
    print(f"torch {torch.__version__}, Python {platform.python_version()}, dot: {dot or 'none'}")
    print(f"{'':34} {'nodes':>7} {'ours':>8} {'peak':>8} {'torchviz + dot':>15} {'ratio':>8}")
    for name in CASES:
        runs = [found for _ in range(options.rounds) if (found := measured("ours", name))]
        seconds = statistics.median(run["seconds"] for run in runs)
        peak = max(run["megabytes"] for run in runs)
        peer = measured("peers", name) if dot else None
        theirs = peer["seconds"] if peer else LIMIT
        said = f"{theirs:.2f} s" if peer else f"> {LIMIT:.0f} s, or failed"
        more = "" if peer else "> "
        print(
            f"{name:34} {runs[0]['nodes']:>7} {seconds:>6.2f} s {peak:>5.0f} MB {said:>15} "
            f"{more}{theirs / seconds:>6.0f}",
            flush=True,
        )


if __name__ == "__main__":
    # torchviz recurses: it needs more stack than the main thread has.
    sys.setrecursionlimit(10**6)
    threading.stack_size(512 * 1024 * 1024)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
