"""Drawing beside torchviz and dot: from a tensor to its SVG.

Both draw the same tensors in the same run, each in a process of its own; what counts is the ratio.
torchviz has no folds: where ours folds, the ratio compares two pictures of one model.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache, partial

import torch
from torch import nn

from benchmarks.table import QUICK, Plot, Table, main, median, seconds, times

ROUNDS = 1 if QUICK else 3

LIMIT = 5.0 if QUICK else 45.0
"""Seconds after which a peer is given up."""


def lstm(steps: int) -> torch.Tensor:
    """Compute an LSTM written out step by step."""
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
    """Compute a chain with a connection around every few operations."""
    x = before = torch.ones(3, requires_grad=True)
    for place in range(length):
        if place % skip == skip - 1:
            x = before = x + before
        else:
            x = x.sin()
    return x


Make = Callable[[], torch.Tensor]

GROWTH = (10, 100, 1_000) if QUICK else (10, 100, 1_000, 10_000, 100_000)
"""The lengths of the chain by which growth is told."""

SHORT, TURNS = 1_000, 1 if QUICK else 7
"""Up to how many operations a run is repeated, and how often: a single short one says little."""

LONG = 100 if QUICK else 10_000

LSTMS = {steps: partial(lstm, steps) for steps in (50, 200)}
CHAINS = {length: partial(chain, length) for length in GROWTH}

CASES: dict[str, tuple[Make, str | None]] = {
    "LSTM, 50 steps, full detail": (LSTMS[50], "none"),
    "LSTM, 200 steps, defaults": (LSTMS[200], None),
    "transformer, 12 layers, defaults": (transformer, None),
    f"chain of {LONG:,}, full detail": (CHAINS[LONG], "none"),
    f"chain of {GROWTH[-1]:,}, defaults": (CHAINS[GROWTH[-1]], None),
}

GROWING: dict[str, tuple[Make, str | None]] = {
    f"{kind} {length}": (make, fold)
    for length, make in CHAINS.items()
    for kind, fold in (("growth", None), ("growth-full", "none"))
}


def ours(name: str) -> tuple[float, int, int]:
    """Seconds from the tensor to the SVG, the nodes of the graph, the bytes of the SVG."""
    from sphinx_autogradgraph import draw, record

    make, fold = (CASES | GROWING)[name]
    with record():
        out = make()
    begin = time.perf_counter()
    drawing = draw(out, fold=fold)
    svg = drawing.svg
    return time.perf_counter() - begin, len(drawing.graph.nodes), len(svg)


def peers(name: str) -> tuple[float, int, int]:
    """Measure the same for ``torchviz.make_dot`` and a system dot."""
    from torchviz import make_dot

    out = (CASES | GROWING)[name][0]()
    begin = time.perf_counter()
    source = make_dot(out).source
    command = [str(shutil.which("dot")), "-Tsvg"]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=True)
    return time.perf_counter() - begin, source.count("[label="), len(done.stdout)


def measured(who: str, name: str) -> dict[str, float] | None:
    """One run in a process of its own; None if it took too long or failed."""
    command = [sys.executable, "-m", "benchmarks.drawing", "--one", who, name]
    command += ["--quick"] * QUICK
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


@cache
def peer_of(make: Make) -> dict[str, float] | None:
    """Measure the peer once for each graph: it has no folds."""
    return measured("peers", next(x for x, case in (CASES | GROWING).items() if case[0] is make))


def one(who: str, name: str) -> None:
    """Measure here, and tell as JSON."""
    torch.manual_seed(0)
    taken, nodes, size = {"ours": ours, "peers": peers}[who](name)
    peak = max(resource.getrusage(of).ru_maxrss for of in (0, resource.RUSAGE_CHILDREN)) / 1024
    print(
        json.dumps({"seconds": taken, "nodes": nodes, "bytes": size, "megabytes": peak}), flush=True
    )
    # Without destroying the graph, which torch does by recursion.
    os._exit(0)


def measure() -> Sequence[Table]:
    """Measure all cases, and how time grows with size."""
    rows = []
    for name, (make, _) in CASES.items():
        runs = [found for _ in range(ROUNDS) if (found := measured("ours", name))]
        taken = median([run["seconds"] for run in runs])
        peer = peer_of(make)
        said, more = (seconds(peer["seconds"]), "") if peer else (f"> {LIMIT:.0f} s", "> ")
        rows.append(
            [
                name, f"{runs[0]['nodes']:,.0f}", seconds(taken),
                f"{max(run['megabytes'] for run in runs):,.0f} MB", said,
                f"{peer['megabytes']:,.0f} MB" if peer else "",
                more + times(peer["seconds"] if peer else LIMIT, taken),
                f"{runs[0]['bytes'] / runs[0]['nodes']:,.0f}",
                f"{peer['bytes'] / peer['nodes']:,.0f}" if peer else "",
            ]
        )  # fmt: skip
    return [
        Table(
            "Drawing: from the tensor to the SVG",
            ["", "nodes", "ours", "peak", "torchviz + dot", "peak", "theirs / ours",
             "our bytes a node", "theirs"],
            rows,
            "Where ours folds, the bytes are those of the folded drawing, and there are few for each "
            f"node of the graph. A peer is given {LIMIT:.0f} seconds.",
        ),
        growth(),
    ]  # fmt: skip


def growth() -> Table:
    """How the time grows with the length of a chain with skips."""
    ways = {
        "ours": ("ours", "growth"),
        "ours, full detail": ("ours", "growth-full"),
        "torchviz and dot": ("peers", "growth"),
    }
    lines: dict[str, list[list[float]]] = {name: [] for name in ways}
    rows: dict[str, list[str]] = {name: [] for name in ways}
    for length in GROWTH:
        runs: dict[str, list[dict[str, float] | None]] = {name: [] for name in ways}
        turns = TURNS if length <= SHORT else 1
        for _ in range(turns):
            for name, (who, kind) in ways.items():
                once = turns == 1 and who == "peers"
                run = peer_of(CHAINS[length]) if once else measured(who, f"{kind} {length}")
                runs[name].append(run)
        for name, found in runs.items():
            done = [run for run in found if run]
            taken = median([run["seconds"] for run in done]) if done else None
            rows[name].append(f"> {LIMIT:.0f} s" if taken is None else seconds(taken))
            if taken is not None:
                lines[name].append([done[0]["nodes"], taken])
    return Table(
        "Growth: a chain with skips",
        ["operations", *(f"{length:,}" for length in GROWTH)],
        [[name, *cells] for name, cells in rows.items()],
        f"Up to {SHORT:,} operations it is the median of {TURNS} runs, by turns.",
        plot=Plot("drawing", lines, "nodes of the graph", "seconds from the tensor to the SVG"),
    )


def run() -> None:
    """Measure one thing with ``--one WHO CASE``, else all."""
    if "--one" in sys.argv:
        place = sys.argv.index("--one")
        one(*sys.argv[place + 1 : place + 3])
    else:
        main(measure)


if __name__ == "__main__":
    # torchviz recurses: it needs more stack than the main thread has.
    sys.setrecursionlimit(10**6)
    threading.stack_size(512 * 1024 * 1024)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
