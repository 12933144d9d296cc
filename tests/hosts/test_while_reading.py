"""Reading goes on while programs run: figures are put in when all pages have been read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Project

FAILURES = (
    "import os; os._exit(3)", "raise ValueError('no')", "import nothing_there", "l = 5",
    "l = torch.ones(2)", "1 / 0", "l = (", "assert False", "l.nothing", "raise SystemExit",
)  # fmt: skip
"""Ten ways in which a program may fail."""

CRASH = """
    from pathlib import Path

    def crash(app, env):
        if Path(app.srcdir, "crash").exists():
            raise RuntimeError("ended between reading and putting in")

    def setup(app):
        app.connect("env-updated", crash, priority=50)
"""


def pages(project: Project, count: int) -> None:
    """Write pages with a figure each, every second of which fails."""
    for number in range(count):
        code = f"import torch\nx{number} = torch.ones(2, requires_grad=True)\nl = x{number}.sum()\n"
        if number % 2:
            code += FAILURES[number // 2 % len(FAILURES)] + "\n"
        body = "".join(f"   {line}\n" for line in code.splitlines())
        text = f"Page {number}\n========\n\n.. autogradgraph::\n   :tensor: l\n\n{body}"
        project.write(f"page{number:03}.rst", text)


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*.html")
    }


@pytest.mark.long
def test_no_edit_is_lost_no_crash_leaves_half_and_processes_change_nothing(
    project: Project,
) -> None:
    project.conf(CRASH)
    pages(project, 8)
    project.write("helper.py", "import torch\nw = torch.ones(3, requires_grad=True)\n")
    # The author saves the helper while the program that has imported it runs.
    project.write(
        "edited.rst",
        "Edited\n======\n\n.. autogradgraph::\n   :name: drawn\n\n   import helper\n"
        "   import os\n   os.system(\"echo 'v = w' >> helper.py\")\n"
        "   loss = helper.w.sum()\n",
    )
    names = "".join(f"   page{number:03}\n" for number in range(8))
    project.write("index.rst", f"Top\n===\n\n:ref:`drawn`\n\n.. toctree::\n\n   edited\n{names}")
    project.write("crash", "")

    crashed = project.build()
    assert crashed.status != 0
    assert not list(crashed.out.glob("page*.html"))

    (project.directory / "crash").unlink()
    first = project.build()
    assert first.status == 0
    for number in range(0, 8, 2):
        assert "SumBackward0" in first.read(f"page{number:03}.html")
    assert len(first.warnings) == 4
    # A label has the caption of the figure as it was drawn.
    assert "Autograd graph of loss" in first.read("index.html").replace("<code", "").replace(
        'class="docutils literal notranslate"><span class="pre">', ""
    )

    again = project.build()
    assert "edited" in again.stdout.partition("reading sources")[2].partition("looking for")[0]

    project.write("helper.py", "import torch\nw = torch.ones(3, requires_grad=True)\n")
    alone = project.build("html", "-E", out="alone")
    project.write("helper.py", "import torch\nw = torch.ones(3, requires_grad=True)\n")
    shared = project.build("html", "-E", "-j", "2", out="shared")
    assert shared.stderr == alone.stderr
    assert files(shared.out) == files(alone.out)


@pytest.mark.long
def test_a_hundred_pages_half_of_which_fail_are_the_same_by_one_process_and_by_two(
    project: Project,
) -> None:
    pages(project, 100)
    names = "".join(f"   page{number:03}\n" for number in range(100))
    project.write("index.rst", f"Top\n===\n\n.. toctree::\n\n{names}")
    alone = project.build("html", "-E", out="alone")
    shared = project.build("html", "-E", "-j", "2", out="shared")
    assert len(alone.warnings) == 50
    assert shared.stderr == alone.stderr
    assert files(shared.out) == files(alone.out)


@pytest.mark.long
def test_verbose_builds_tell_where_time_goes(project: Project) -> None:
    project.write(
        "index.rst",
        """\
        T
        =

        .. autogradgraph::

           import os, torch
           x = torch.ones(int(os.environ.get("COUNT", "2")), requires_grad=True)
           y = x * 2
        """,
    )
    first = project.build("html", "-v").stdout
    assert "autogradgraph: importing torch: " in first
    told = re.search(
        r"autogradgraph: programs run and traced: 1, in (\d+\.\d\d) s.*\n"
        r"autogradgraph: tracing, in the programs' time: (\d+\.\d\d) s\n",
        first,
    )
    assert told is not None
    assert float(told[2]) <= float(told[1])
    assert "autogradgraph: figures laid out: 1, in " in first
    assert "autogradgraph: environment variables that programs read: COUNT\n" in first
    again = project.build("html", "-v", "-E").stdout
    assert "autogradgraph: programs from the cache: 1\n" in again
    assert "programs run and traced" not in again
