"""Building documentation of 1 to 300 graphs: cold, after one page was edited, and unchanged.

Each tool has the same program on each page, with a number that tells the pages apart, and draws its graph
as its users do: with torchviz and dot, where it has no drawing of its own.  The largest project is
also built on one core, on more, and with ``-j``.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.table import QUICK, Plot, Table, main, median, seconds, times

COUNTS = (1, 3) if QUICK else (1, 30, 100, 300)

PROGRAM = """
import torch
X, y = torch.ones(10, 2) * {number}, torch.ones(10)
w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)
y_hat = torch.mm(X, w) + b
l = ((y_hat - y.view(y_hat.size())) ** 2 / 2).sum()
"""
DOT = "from torchviz import make_dot\n"
SHOWN = "class Shown:\n    def _repr_html_(self):\n        return make_dot(l).pipe('svg').decode()\n\nShown()\n"
PIXELS = (
    "import io\nimport matplotlib.pyplot as plt\n"
    "plt.imshow(plt.imread(io.BytesIO(make_dot(l).pipe('png'))))\n"
)
IN_PROCESS = """
from docutils import nodes
from docutils.parsers.rst import Directive

class Graph(Directive):
    has_content = True

    def run(self):
        from torchviz import make_dot
        names = {}
        exec("\\n".join(self.content), names)
        return [nodes.raw("", make_dot(names["l"]).pipe("svg").decode(), format="html")]

def setup(app):
    app.add_directive("graph", Graph)
    return {"parallel_read_safe": True}
"""


class Tool(NamedTuple):
    """A tool: ``conf.py``, the page of a program, the most graphs that it is given, its rounds.

    More than a hundred pages are built in one round: they take so long that little disturbs them.
    """

    conf: str
    page: str
    most: int = 300
    rounds: int = 1 if QUICK else 3
    suffix: str = ".rst"
    where: str = ""


def rst(directive: str, extra: str = "") -> str:
    """Return a page with a directive that has the program as its content."""
    code = textwrap.indent(PROGRAM + extra, "   ")
    return f":orphan:\n\nPage\n====\n\n.. {directive}::\n{code}\n"


TOOLS = {
    "Sphinx alone": Tool("", rst("code-block").replace("block::", "block:: python")),
    "sphinx-autogradgraph": Tool("extensions = ['sphinx_autogradgraph']\n", rst("autogradgraph")),
    "a directive in the process of Sphinx": Tool(IN_PROCESS, rst("graph")),
    "sphinx-gallery": Tool(
        "extensions = ['sphinx_gallery.gen_gallery']\nexclude_patterns = ['scripts/*']\n"
        "sphinx_gallery_conf = {'examples_dirs': 'scripts', 'gallery_dirs': 'made', "
        "'filename_pattern': '.py', 'write_computation_times': False}\n",
        f'"""\nPage\n====\n"""\n{PROGRAM}{DOT}{SHOWN}', most=100, rounds=1, suffix=".py", where="scripts",
    ),
    "plot_directive": Tool(
        "extensions = ['matplotlib.sphinxext.plot_directive']\nplot_formats = ['png']\n"
        "plot_html_show_formats = False\n",
        rst("plot", DOT + PIXELS), most=100, rounds=1,
    ),
    "MyST-NB": Tool(
        "extensions = ['myst_nb']\nnb_execution_timeout = 120\n",
        "---\norphan: true\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n# Page\n\n"
        f"```{{code-cell}} ipython3\n{PROGRAM}{DOT}make_dot(l)\n```\n",
        most=30, rounds=1, suffix=".md",
    ),
    "jupyter-sphinx": Tool(
        "extensions = ['jupyter_sphinx']\n", rst("jupyter-execute", DOT + "make_dot(l)\n"),
        most=30, rounds=1,
    ),
}  # fmt: skip


SEVERAL = ("Sphinx alone", "sphinx-autogradgraph", "a directive in the process of Sphinx")
"""The tools that are measured on several cores."""


def build(project: Path, jobs: int = 1, cores: int | None = None) -> float:
    """Build a project, on so many cores if that is told; how many seconds it took."""
    some = sorted(os.sched_getaffinity(0))[:cores] if cores else ()
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-j", str(jobs), "-b", "html", ".", "../out",
         "-d", "../doctrees"],
        cwd=project, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        preexec_fn=(lambda: os.sched_setaffinity(0, some)) if some else None,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{project}: {done.stderr}")
    return time.perf_counter() - begin


@contextlib.contextmanager
def written(tool: Tool, count: int) -> Iterator[Path]:
    """Write a project with so many pages, for as long as the block runs."""
    with tempfile.TemporaryDirectory() as directory:
        project = Path(directory, "docs")
        pages = project / tool.where
        pages.mkdir(parents=True)
        (project / "conf.py").write_text(tool.conf + "html_theme = 'basic'\n")
        (project / "index.rst").write_text("Title\n=====\n")
        if tool.where:
            (pages / "GALLERY_HEADER.rst").write_text("Pages\n=====\n")
        for number in range(count):
            (pages / f"page{number}{tool.suffix}").write_text(
                tool.page.replace("{number}", f"{number}")
            )
        yield project


def one_round(tool: Tool, count: int) -> tuple[float, float, float]:
    """Time a build from nothing, one after an edit of one page, and one of nothing new."""
    with written(tool, count) as project:
        cold = build(project)
        first = project / tool.where / f"page0{tool.suffix}"
        first.write_text(tool.page.replace("{number}", "1.5"))
        edited = build(project)
        return cold, edited, build(project)


Found = dict[str, list[float]]
"""For each tool the seconds of a cold build, of one after an edit, and of one of nothing new."""


def measure_pages(count: int) -> Found:
    """Measure the tools that are given so many pages, by turns."""
    chosen = {name: tool for name, tool in TOOLS.items() if tool.most >= count}
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in chosen}
    for turn in range(max(tool.rounds for tool in chosen.values()) if count <= 100 else 1):
        for name, tool in chosen.items():
            if turn < tool.rounds:
                runs[name].append(one_round(tool, count))
    return {
        name: [median([run[kind] for run in took]) for kind in range(3)]
        for name, took in runs.items()
    }


def table(count: int, found: Found) -> Table:
    """Tell what was found with so many pages."""
    base = found["Sphinx alone"]
    rows = [
        [
            name,
            *(
                f"{seconds(value)} ({times(value, floor)})"
                for value, floor in zip(took, base, strict=True)
            ),
        ]
        for name, took in found.items()
    ]
    noun = "1 page with a graph" if count == 1 else f"{count} pages with a graph each"
    return Table(f"Building {noun}", ["", "cold", "one page edited", "unchanged"], rows,
                 "In brackets: times Sphinx alone.")  # fmt: skip


def growth(found: dict[int, Found]) -> Table:
    """Tell how cold builds grow with the number of pages."""
    lines: dict[str, list[list[float]]] = {}
    for count, of_tools in found.items():
        for name, (cold, *_) in of_tools.items():
            lines.setdefault(name, []).append([count, cold])
    heads = ["pages", *(str(count) for count in found), "each page"]
    rows = []
    for name, points in lines.items():
        (few, first), (many, last) = points[0], points[-1]
        missing = [""] * (len(found) - len(points))
        each = seconds((last - first) / (many - few))
        rows.append([name, *(seconds(taken) for _, taken in points), *missing, each])
    note = "«each page»: what one more page costs, from the fewest pages to the most."
    plot = Plot("building", lines, "pages with a graph each", "seconds of a cold build")
    return Table("Growth: cold builds by the number of pages", heads, rows, note, plot)


def cores() -> Table:
    """Measure how cold builds of many pages profit from cores, and from ``-j``."""
    count = COUNTS[-1]
    have = len(os.sched_getaffinity(0))
    powers = [2**power for power in range(1, 10) if 2**power <= have]
    ways = [(1, 1), *((many, jobs) for many in powers for jobs in (1, many))]
    rows = []
    for name in SEVERAL:
        took = []
        for some, jobs in ways:
            with written(TOOLS[name], count) as project:
                took.append(build(project, jobs, some))
        cells = (f"{seconds(value)} ({times(value, took[0])})" for value in took)
        rows.append([name, *cells])
    heads = [f"{some} core{'s' * (some > 1)}, -j {jobs}" for some, jobs in ways]
    return Table(f"Building {count} pages on cores", ["", *heads], rows,
                 "In brackets: times one core.")  # fmt: skip


def measure() -> Sequence[Table]:
    """Measure all tools with all counts, those of a count one after the other."""
    found = {count: measure_pages(count) for count in COUNTS}
    tables = [table(count, of_tools) for count, of_tools in found.items()]
    tables.append(growth(found))
    if hasattr(os, "sched_setaffinity"):  # Linux alone has it
        tables.append(cores())
    return tables


if __name__ == "__main__":
    main(measure)
