"""Run all benchmarks: ``python -m benchmarks [--quick] [--docs]``.

They need ``pip install -e '.[torch]' --group bench``, and Graphviz.  The tables are printed.  With
``--docs`` they go into the documentation as well, with their plots.  ``--quick`` tries everything
in a few minutes, with sizes and rounds too small to say anything.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.plots import write
from benchmarks.table import QUICK, Table

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


def main() -> None:
    """Run all parts, each in a process of its own."""
    begin = time.monotonic()
    tables: list[Table] = []
    print(machine(), flush=True)
    for part in PARTS:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{part}", "--json", *["--quick"] * QUICK],
            cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        for table in msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Table]):
            tables.append(table)
            print(f"\n{table.text()}", flush=True)
    print(f"\n{(time.monotonic() - begin) / 60:.1f} minutes")
    if "--docs" in sys.argv:
        if QUICK:
            raise SystemExit("--quick measures nothing that the documentation could show")
        publish(tables)


def publish(tables: Sequence[Table]) -> None:
    """Write the tables and their plots into the documentation."""
    results = ROOT / "docs" / "benchmarks"
    text = "\n".join(table.rst() for table in tables)
    (results / "results.txt").write_text(f"Measured {machine()}\n\n{text}", "utf-8")
    for table in tables:
        if table.plot:
            write(table.plot, results)


if __name__ == "__main__":
    main()
