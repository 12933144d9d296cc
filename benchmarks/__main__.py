"""Run all benchmarks: ``pip install -e '.[torch,bench]'``, install Graphviz, ``python -m benchmarks``.

Prints the tables.  With ``--docs`` they go into the documentation as well, with a plot.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.table import Table

ROOT = Path(__file__).parents[1]
PARTS = ("budgets", "tracing", "provenance", "drawing", "layout_peers", "building")
PACKAGES = (
    "torch", "sphinx", "torchviz", "torchview", "torchlens", "tensorboard", "myst-nb",
    "jupyter-sphinx", "sphinx-gallery", "matplotlib", "graphviz-pure",
)  # fmt: skip


def machine() -> str:
    """Describe the machine in a sentence."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    dot = subprocess.run(["dot", "-V"], capture_output=True, text=True, check=False).stderr.strip()
    return (
        f"{datetime.date.today()}, {os.cpu_count()} cores, {platform.machine()}, "
        f"{platform.system()}, Python {platform.python_version()}; {versions}; {dot}."
    )


def plot(table: Table, file: Path) -> None:
    """Draw the points of a table, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    for name, points in table.points.items():
        axes.loglog(*zip(*points, strict=True), marker="o", label=name)
    axes.set_xlabel("nodes of the graph")
    axes.set_ylabel("seconds from the tensor to the SVG")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.savefig(file, dpi=150, bbox_inches="tight")


def main() -> None:
    """Run all parts, each in a process of its own."""
    begin = time.monotonic()
    tables: list[Table] = []
    print(machine(), flush=True)
    for part in PARTS:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{part}", "--json"],
            cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        for data in json.loads(done.stdout.splitlines()[-1]):
            tables.append(Table(**data))
            print(f"\n{tables[-1].text()}", flush=True)
    print(f"\n{(time.monotonic() - begin) / 60:.1f} minutes")
    if "--docs" in sys.argv:
        results = ROOT / "docs" / "benchmarks"
        results.mkdir(exist_ok=True)
        text = "\n".join(table.rst() for table in tables)
        (results / "results.txt").write_text(f"Measured {machine()}\n\n{text}", "utf-8")
        for table in tables:
            if table.points:
                plot(table, results / "growth.png")


if __name__ == "__main__":
    main()
