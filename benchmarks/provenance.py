"""What it costs to know where nodes come from: a forward with the recorder, by the plain one.

The two alternate in one process, so that the machine's
moods meet both; the ratio of their medians is what counts.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from benchmarks.table import Table, main, median, seconds, times
from sphinx_autogradgraph.tracing.provenance import Recorder

ROUNDS = 20


class Model(nn.Module):
    """A transformer encoder of 12 layers, with lines of the author's own around each."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, hidden, dropout=0.0, batch_first=True)
            for _ in range(12)
        )
        self.out = nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum of the scores."""
        for layer in self.layers:
            x = layer(x)
        scores = self.out(x)
        return scores.sum()


class Steps(nn.Module):
    """Small operations on lines of the author's own; half of them make no node."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum of the last state."""
        h, total = x, torch.zeros(())
        for _ in range(60):
            h = torch.tanh(h @ self.weight)
            with torch.no_grad():
                mean = h.mean()
                total = total + mean
            positive = h > 0
            target = h.detach()
            h = h * positive + target
        return h.sum()


def programs() -> Mapping[str, tuple[nn.Module, torch.Tensor]]:
    """Return what is measured, with its input.

    A model of a size that people use, one so small that calling operations takes longer than they
    do, and single operations.
    """
    return {
        "d_model 512, 2 × 64 tokens": (Model(512, 8, 2048), torch.randn(2, 64, 512)),
        "d_model 64, 2 × 16 tokens": (Model(64, 4, 128), torch.randn(2, 16, 64)),
        "480 operations on (16, 8)": (Steps(), torch.randn(16, 8)),
    }


def seconds_of(model: nn.Module, x: torch.Tensor) -> float:
    """Time one forward."""
    begin = time.perf_counter()
    model(x)
    return time.perf_counter() - begin


def rows(name: str, model: nn.Module, x: torch.Tensor) -> list[list[str]]:
    """Measure one program."""
    found: dict[str, list[float]] = {"plain": [], "with record()": [], "in anomaly mode": []}
    for _ in range(3):
        model(x)
    for _ in range(ROUNDS):
        found["plain"].append(seconds_of(model, x))
        with Recorder(lambda path: path == __file__, str):
            found["with record()"].append(seconds_of(model, x))
        with torch.autograd.set_detect_anomaly(True, check_nan=False):
            found["in anomaly mode"].append(seconds_of(model, x))
    base = median(found["plain"])
    return [
        [f"{name}, {way}", seconds(median(values)), times(median(values), base)]
        for way, values in found.items()
    ]


def measure() -> Sequence[Table]:
    """Measure all programs."""
    warnings.filterwarnings("ignore", message="Anomaly Detection")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return [
        Table(
            "Knowing line, module and call of each node: a forward of 12 layers, and of single operations",
            ["", "time", "times the plain forward"],
            [row for name, program in programs().items() for row in rows(name, *program)],
            "In the small ones calling an operation takes longer than doing it; half of the single operations make no node.",
        )
    ]


if __name__ == "__main__":
    main(measure)
