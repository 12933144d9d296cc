"""What it costs to know where nodes come from: a forward with the recorder, by the plain one.

The two alternate in one process, so that the machine's
moods meet both; the ratio of their medians is what counts.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence

import torch
from torch import nn

from benchmarks.table import Table, main, median, seconds, times
from sphinx_autogradgraph.tracing.provenance import Recorder

ROUNDS = 20

SIZES = {
    "d_model 512, 2 × 64 tokens": (512, 8, 2048, (2, 64)),
    "d_model 64, 2 × 16 tokens": (64, 4, 128, (2, 16)),
}
"""A size that people use, and one so small that calling operations takes longer than they do."""


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


def seconds_of(model: Model, x: torch.Tensor) -> float:
    """Time one forward."""
    begin = time.perf_counter()
    model(x)
    return time.perf_counter() - begin


def rows(
    name: str, width: int, heads: int, hidden: int, tokens: tuple[int, int]
) -> list[list[str]]:
    """Measure one size."""
    model, x = Model(width, heads, hidden), torch.randn(*tokens, width)
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
    """Measure all sizes."""
    warnings.filterwarnings("ignore", message="Anomaly Detection")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return [
        Table(
            "Knowing line, module and call of each node: a forward of 12 layers",
            ["", "time", "times the plain forward"],
            [row for name, size in SIZES.items() for row in rows(name, *size)],
            "The small model is the worst case: calling an operation takes longer there than doing it.",
        )
    ]


if __name__ == "__main__":
    main(measure)
