"""A soak: builds in a loop, with random faults at random times, until time is up.

Run ``python -m tests.soak MINUTES``.  All builds are in this one process, as with sphinx-autobuild;
at random the worker is killed in the middle of one.  Told every minute, and at the end: builds,
processes that are left, open descriptors, files in the temporary directory, and memory.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import signal
import sys
import tempfile
import textwrap
import threading
import time
from io import StringIO
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from tests.runtime.test_faults import CASES, HEALTHY, MARKER, left_running


def pages(directory: Path, chance: random.Random) -> None:
    """A project of a few random faults and a healthy page."""
    directory.mkdir(exist_ok=True)
    for old in directory.glob("*.rst"):
        old.unlink()
    (directory / "conf.py").write_text(
        "extensions = ['sphinx_autogradgraph']\nautogradgraph_memory = 2000\n"
    )
    (directory / "index.rst").write_text("Title\n=====\n")
    healthy = HEALTHY.format(number=chance.randint(1, 10**6)).partition(".. autogradgraph:: with")[
        0
    ]
    (directory / "healthy.rst").write_text(f":orphan:\n{healthy}")
    for name in chance.sample(sorted(CASES), 6):
        case = CASES[name]
        code = textwrap.indent(f"import torch\n{case.code}", "   ")
        option = f"   {case.option}\n" if case.option else ""
        text = f":orphan:\n\n{name}\n{'=' * 40}\n\n.. autogradgraph::\n{option}\n{code}\n"
        (directory / f"{name}.rst").write_text(text)


def kill_a_worker(mark: str) -> None:
    """Kill all of our processes but this one."""
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARKER}={mark}".encode() in (directory / "environ").read_bytes():
                os.kill(int(directory.name), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            continue


def state(builds: int, killed: int, mark: str) -> str:
    """What there is now, in a line."""
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    scratch = len(list(Path(tempfile.gettempdir()).glob("autogradgraph-*")))
    return (
        f"{builds} builds, {killed} with a killed worker; {len(left_running(mark))} processes left, "
        f"{len(os.listdir('/proc/self/fd'))} descriptors, {scratch} temporary directories, "
        f"{resident / 2**20:.0f} MB"
    )


def main(minutes: float) -> None:
    """Build until time is up."""
    chance = random.Random(0)
    mark = f"soak-{os.getpid()}"
    os.environ[MARKER] = mark
    end = time.monotonic() + minutes * 60
    tell = 0.0
    builds = killed = 0
    with tempfile.TemporaryDirectory() as place:
        docs = Path(place, "docs")
        while time.monotonic() < end:
            pages(docs, chance)
            kill = None
            if chance.random() < 0.25:
                killed += 1
                kill = threading.Timer(chance.uniform(0.5, 6), kill_a_worker, [mark])
                kill.start()
            with docutils_namespace():
                app = Sphinx(
                    docs, docs, Path(place, "out"), Path(place, "doctrees"), "html",
                    status=None, warning=StringIO(),
                )  # fmt: skip
                app.build()
            if kill is not None:
                kill.cancel()
                kill.join()
            else:
                page = Path(place, "out", "healthy.html").read_text("utf-8")
                assert "autogradgraph-svg" in page, "the healthy page has no drawing"
            builds += 1
            if time.monotonic() > tell:
                print(state(builds, killed, mark), flush=True)
                tell = time.monotonic() + 60
    time.sleep(1)
    print(f"end: {state(builds, killed, mark)}", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]))
