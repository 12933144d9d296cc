"""Every bound that the design sets, in one table: ``python -m benchmarks.budgets [--quick]``.

What is compared runs by turns, and what counts is the fastest of the rounds, which other programs on
the machine disturb least.  ``--quick`` has fewer rounds, and leaves out 100 pages.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.building import TOOLS, Tool, build, rst, written
from benchmarks.table import QUICK, Table, main, seconds
from sphinx_autogradgraph.runtime.lingering import stop

ROUNDS = 2 if QUICK else 4

ALONE = TOOLS["Sphinx alone"]
OURS = TOOLS["sphinx-autogradgraph"]
PEER = TOOLS["a directive in the process of Sphinx"]
LINGERING = OURS._replace(conf=OURS.conf + "autogradgraph_linger = 600\n")

ROOT = Path(__file__).parents[1]
LINREG = (ROOT / "examples" / "linreg.py").read_text("utf-8")


class Row(NamedTuple):
    """A bound, what was found, and the times that it is the ratio or the difference of."""

    what: str
    found: float
    bound: float
    how: str = ""
    unit: str = ""

    def cells(self) -> list[str]:
        """Return the cells of the table."""
        met = "yes" if self.found <= self.bound else "no"
        return [
            self.what,
            f"{self.found:.3g}{self.unit}",
            f"{self.bound:g}{self.unit}",
            met,
            self.how,
        ]


def ratio(what: str, bound: float, ours: Sequence[float], theirs: Sequence[float]) -> Row:
    """Make the row of a ratio of two times."""
    a, b = min(ours), min(theirs)
    return Row(what, a / b, bound, f"{seconds(a)} / {seconds(b)}")


# --- builds ---


def cold(tool: Tool, count: int) -> float:
    """Build from nothing; return the seconds."""
    with written(tool, count) as project:
        return build(project)


def cold_builds(count: int) -> Row:
    """Compare builds from nothing."""
    times = [(cold(OURS, count), cold(PEER, count)) for _ in range(ROUNDS)]
    ours, theirs = zip(*times, strict=True)
    return ratio(
        f"cold build of {count} pages, over torchviz and dot within Sphinx", 0.8, ours, theirs
    )


def unchanged(count: int) -> Row:
    """Compare builds of what has not changed."""
    with written(OURS, count) as ours, written(ALONE, count) as alone:
        build(ours)
        build(alone)
        times = [(build(ours), build(alone)) for _ in range(4 * ROUNDS)]
    return ratio(
        f"the same {count} pages unchanged, over Sphinx alone", 1.02, *zip(*times, strict=True)
    )


def edited(count: int) -> Row:
    """Compare builds after an edit of one page, with a worker that lingers."""
    with written(LINGERING, count) as ours, written(ALONE, count) as alone:
        times = []
        try:
            for turn in range(2 * ROUNDS + 1):
                for project, tool in ((ours, LINGERING), (alone, ALONE)):
                    page = tool.page.replace("{number}", f"{turn}.5")
                    (project / "page0.rst").write_text(page)
                times.append((build(ours), build(alone)))
        finally:
            stop(str(ours))
    what = f"one of {count} pages edited, the worker lingering, over Sphinx alone"
    return ratio(what, 1.25, *zip(*times[1:], strict=True))


# --- one figure ---


def watching() -> Row:
    """Measure from the save of a program to its new drawing, beyond what the program takes."""
    with tempfile.TemporaryDirectory() as directory:
        program, drawing = Path(directory, "linreg.py"), Path(directory, "l.svg")
        program.write_text(LINREG)
        begin = time.perf_counter()
        exec(compile(LINREG, "linreg.py", "exec"), {"__name__": "linreg"})  # torch's own beginnings
        begin = time.perf_counter()
        exec(compile(LINREG, "linreg.py", "exec"), {"__name__": "linreg"})
        itself = time.perf_counter() - begin
        command = [sys.executable, "-m", "sphinx_autogradgraph", "watch", "linreg.py"]
        process = subprocess.Popen(
            [*command, "--tensor", "l", "-o", "l.svg"], cwd=directory, stdout=subprocess.PIPE,
            text=True, bufsize=1, env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert process.stdout is not None
        try:
            process.stdout.readline()
            took = []
            for turn in range(3 * ROUNDS):
                time.sleep(0.3)
                before = drawing.stat().st_mtime_ns
                begin = time.perf_counter()
                program.write_text(LINREG.replace("/ 2)", f"/ {turn + 3})"))
                while drawing.stat().st_mtime_ns == before:
                    time.sleep(0.001)
                took.append(time.perf_counter() - begin - itself)
                process.stdout.readline()
        finally:
            process.terminate()
            process.wait()
    return Row("save to new drawing in «watch», beyond the program", min(took), 0.3,
               f"the program {seconds(itself)}", " s")  # fmt: skip


CHAIN = """
import torch
x = torch.ones(3, requires_grad=True)
for _ in range({number}):
    x = x.sin()
"""


def long_chain() -> list[Row]:
    """Measure a page with a chain of 100,000 operations, beyond one with a tiny chain."""
    page = ":orphan:\n\nPage\n====\n\n.. autogradgraph::\n" + textwrap.indent(CHAIN, "   ")
    found: dict[int, list[float]] = {3: [], 100_000: []}
    size = 0
    for _ in range(ROUNDS):
        for length, times in found.items():
            tool = OURS._replace(page=page.replace("{number}", f"{length}"))
            with written(tool, 1) as project:
                times.append(build(project))
                size = Path(project.parent, "out", "page0.html").stat().st_size
    long, tiny = min(found[100_000]), min(found[3])
    return [
        Row("a chain of 100,000 as a page, beyond a tiny graph", long - tiny, 6,
            f"{seconds(long)} − {seconds(tiny)}", " s"),
        Row("that page", size / 1000, 200, "", " KB"),
    ]  # fmt: skip


def traces() -> list[Row]:
    """Compare tracing of some 6,000 nodes with torchviz, alone and beside large containers."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tracing", "--large"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    theirs = found.pop("torchviz.make_dot")
    found.pop("a walk that keeps nothing")
    return [
        Row(f"{name} (6,000 nodes), over torchviz.make_dot", value / theirs, 0.5,
            f"{seconds(value)} / {seconds(theirs)}")
        for name, value in found.items()
    ]  # fmt: skip


def sizes() -> list[Row]:
    """Measure what a reader's browser loads."""
    static = ROOT / "sphinx_autogradgraph" / "static"
    loaded = sum(len(gzip.compress(path.read_bytes())) for path in static.iterdir())
    with written(
        OURS._replace(page=rst("autogradgraph", "more = (l * 2).exp().log().sqrt() + 1\n")), 1
    ) as project:
        build(project)
        page = Path(project.parent, "out", "page0.html").read_text("utf-8")
    (drawing,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    return [
        Row("scripts and styles, compressed", loaded / 1000, 15, "", " KB"),
        Row("the SVG of a graph of 11 operations on a page", len(drawing.encode()) / 1000, 8,
            "", " KB"),
    ]  # fmt: skip


# --- all ---


@contextmanager
def private_runtime_directory() -> Iterator[None]:
    """Let workers linger in a directory of their own while the block runs."""
    with tempfile.TemporaryDirectory() as directory:
        os.environ["XDG_RUNTIME_DIR"] = directory
        yield
        stop()


def measure() -> Sequence[Table]:
    """Measure all, and tell on the way what is found."""
    parts: list[Callable[[], Row | list[Row]]] = [
        lambda: cold_builds(30),
        lambda: unchanged(30),
        lambda: edited(30),
        watching,
        traces,
        long_chain,
        sizes,
    ]
    if not QUICK:
        parts[1:2] = [lambda: cold_builds(100), lambda: unchanged(100)]
    rows = []
    with private_runtime_directory():
        for part in parts:
            found = part()
            for row in found if isinstance(found, list) else [found]:
                rows.append(row.cells())
                print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    return [Table("Bounds", ["", "found", "bound", "met", "of"], rows)]


if __name__ == "__main__":
    main(measure)
