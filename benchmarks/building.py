"""Building documentation of 1, 30 and 100 graphs: cold, after one page was edited, and unchanged.

Each tool has the same program on each page, with a number that tells the pages apart, and draws its graph
as its users do: with torchviz and dot, where it has no drawing of its own.
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

from benchmarks.table import Table, main, median, seconds, times

COUNTS = (1, 30, 100)

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
"""


class Tool(NamedTuple):
    """A tool: ``conf.py``, the page of a program, the most graphs that it is given, its rounds."""

    conf: str
    page: str
    most: int = 100
    rounds: int = 3
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
        f'"""\nPage\n====\n"""\n{PROGRAM}{DOT}{SHOWN}', rounds=1, suffix=".py", where="scripts",
    ),
    "plot_directive": Tool(
        "extensions = ['matplotlib.sphinxext.plot_directive']\nplot_formats = ['png']\n"
        "plot_html_show_formats = False\n",
        rst("plot", DOT + PIXELS), rounds=1,
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


def build(project: Path) -> float:
    """Build a project; how many seconds it took."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-b", "html", ".", "../out", "-d", "../doctrees"],
        cwd=project, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONHASHSEED": "0"},
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


def measure() -> Sequence[Table]:
    """Measure all tools with all counts, those of a count one after the other."""
    tables = []
    for count in COUNTS:
        found: dict[str, list[float]] = {}
        chosen = {name: tool for name, tool in TOOLS.items() if tool.most >= count}
        runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in chosen}
        for turn in range(max(tool.rounds for tool in chosen.values())):
            for name, tool in chosen.items():
                if turn < tool.rounds:
                    runs[name].append(one_round(tool, count))
        found = {
            name: [median([run[kind] for run in took]) for kind in range(3)]
            for name, took in runs.items()
        }
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
        tables.append(
            Table(f"Building {noun}", ["", "cold", "one page edited", "unchanged"], rows,
                  "In brackets: times Sphinx alone.")
        )  # fmt: skip
    return tables


if __name__ == "__main__":
    main(measure)
