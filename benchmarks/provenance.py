"""What it costs to know where nodes come from: a forward with the recorder, by the plain one.

Run ``python benchmarks/provenance.py``.  The two alternate in one process, so that the machine's
moods meet both; the ratio of their medians is what counts.
"""

from __future__ import annotations

import platform
import statistics
import sys
import time
import warnings

import torch
from torch import nn

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


def seconds(model: Model, x: torch.Tensor) -> float:
    """The time of one forward."""
    begin = time.perf_counter()
    model(x)
    return time.perf_counter() - begin


def measure(width: int, heads: int, hidden: int, tokens: tuple[int, int]) -> None:
    """Measure one size and print."""
    model, x = Model(width, heads, hidden), torch.randn(*tokens, width)
    plain, recorded, anomaly = [], [], []
    for _ in range(3):
        model(x)
    for _ in range(ROUNDS):
        plain.append(seconds(model, x))
        with Recorder(lambda path: path == __file__, str):
            recorded.append(seconds(model, x))
        with torch.autograd.set_detect_anomaly(True, check_nan=False):
            anomaly.append(seconds(model, x))
    base = statistics.median(plain)
    print(f"  plain forward        {base * 1e3:8.2f} ms")
    for name, times in (("with the recorder", recorded), ("in anomaly mode", anomaly)):
        median = statistics.median(times)
        print(f"  {name:20} {median * 1e3:8.2f} ms   {median / base:5.2f} times")


def main() -> None:
    """Measure all sizes and print."""
    warnings.filterwarnings("ignore", message="Anomaly Detection")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, Python {platform.python_version()}, {sys.platform}")
    for name, size in SIZES.items():
        print(f"12 layers, {name}:")
        measure(*size)


if __name__ == "__main__":
    main()
