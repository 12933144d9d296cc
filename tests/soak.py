"""A soak: builds in a loop, with edits, faults and kills at random times, until time is up.

Run ``python -m tests.soak MINUTES [PAUSE]``; PAUSE is how many seconds to rest after each build.  Most
builds are in this one process, as with editors that show a preview; those that are to be killed have
their own.  Their worker lingers.  At random a file is edited before or within a build, the worker is
killed, a build is killed, a setting changes, or the worker is stopped.

After each build that was left alone all pages must show what their files say.  Told every minute, and at
the end: builds, processes that are left, open descriptors, temporary files, and memory.  At the end
nothing may be left.
"""

from __future__ import annotations

import gc
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from sphinx_autogradgraph.runtime.lingering import own_directory, stop
from tests.runtime.test_faults import CASES, MARKER, left_running

LINGER = 4
"""Seconds that a worker lingers: some builds come in time for it, and some do not."""

PAGE = """\
:orphan:

Page
====

.. autogradgraph::

   import torch
   {get}
   x = torch.ones(count, requires_grad=True)
   y = (x * 2).sum()
"""

GETTING = {
    "text": "count = {count}",
    "module": "from helper import count",
    "data": "count = int(open('count.txt').read())",
}
"""How the code of a page gets the number that is edited, for each page."""


class Soak:
    """A project, what its pages have to show, and what was done to it."""

    def __init__(self, place: Path, chance: random.Random) -> None:
        self.docs, self.place = place / "docs", place
        self.chance = chance
        self.counts = dict.fromkeys(GETTING, 3)
        self.mark = f"soak-{os.getpid()}"
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.docs.mkdir()
        (self.docs / "index.rst").write_text("Title\n=====\n")
        for name in GETTING:
            self.edit(name)
        self.configure()

    def configure(self) -> None:
        """Write the configuration, with a setting by which workers differ."""
        (self.docs / "conf.py").write_text(
            "import os, sys\nsys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))\n"
            f"extensions = ['sphinx_autogradgraph']\nautogradgraph_linger = {LINGER}\n"
            f"autogradgraph_memory = 2000\nautogradgraph_environment = ['{MARKER}', "
            f"'SOAK_{self.chance.randint(0, 1)}']\n"
        )

    def edit(self, name: str) -> None:
        """Give the page of that name another number, in the file where it stands."""
        count = self.counts[name] = self.chance.randint(1, 10**6)
        page = PAGE.format(get=GETTING[name].format(count=count))
        if not (self.docs / f"{name}.rst").exists() or name == "text":
            self.save(f"{name}.rst", page)
        if name == "module":
            self.save("helper.py", f"count = {count}\n")
        if name == "data":
            self.save("count.txt", f"{count}\n")

    def save(self, name: str, text: str) -> None:
        """Write a file as editors do: nobody reads half of it."""
        aside = self.place / "aside"
        aside.write_text(text)
        aside.replace(self.docs / name)

    def add_faults(self) -> None:
        """Replace the pages of faults by others."""
        for old in self.docs.glob("fault_*.rst"):
            old.unlink()
        for name in self.chance.sample(sorted(CASES), 3):
            case = CASES[name]
            code = textwrap.indent(f"import torch\n{case.code}", "   ")
            option = f"   {case.option}\n" if case.option else ""
            text = f":orphan:\n\n{name}\n{'=' * 40}\n\n.. autogradgraph::\n{option}\n{code}\n"
            (self.docs / f"fault_{name}.rst").write_text(text)

    def build(self) -> str:
        """Build in this process; return the warnings."""
        warnings = StringIO()
        with docutils_namespace():
            app = Sphinx(
                self.docs, self.docs, self.place / "out", self.place / "doctrees", "html",
                status=None, warning=warnings,
            )  # fmt: skip
            app.build()
        return warnings.getvalue()

    def build_and_kill(self) -> None:
        """Build in a process of its own, which is killed at some time."""
        command = [sys.executable, "-m", "sphinx", "-q", "-d", str(self.place / "doctrees")]
        quiet = subprocess.DEVNULL
        places = str(self.docs), str(self.place / "out")
        process = subprocess.Popen([*command, *places], stderr=quiet)
        try:
            process.wait(self.chance.uniform(0.3, 6))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill_workers(self) -> None:
        """Kill all of our processes but this one."""
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARKER}={self.mark}".encode() in (directory / "environ").read_bytes():
                    os.kill(int(directory.name), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue

    def within(self, action: Callable[[], None]) -> None:
        """Build, and do something else at some time of it."""
        timer = threading.Timer(self.chance.uniform(0.05, 4), action)
        timer.start()
        self.build()
        timer.cancel()
        timer.join()

    def check(self, kind: str) -> None:
        """Build, and see that all pages show what their files say."""
        warnings = self.build()
        for name, count in self.counts.items():
            page = (self.place / "out" / f"{name}.html").read_text("utf-8")
            shown = set(re.findall(r">\((\d+),\)<", page))
            if shown != {f"{count}"}:
                self.wrong.append(name)
                print(f"WRONG after «{kind}»: {name} shows {shown}, {count} is right; {len(page)} "
                      f"characters, {'whole' if '</html>' in page else 'cut off'}\n{warnings}",
                      flush=True)  # fmt: skip

    def one_round(self) -> None:
        """Do one thing at random, build, and look at the pages."""
        names: Sequence[str] = self.chance.sample(sorted(GETTING), self.chance.randint(0, 2))
        for name in names:
            self.edit(name)
        kinds: dict[str, Callable[[], object]] = {
            "edit": lambda: None,
            "faults": self.add_faults,
            "other settings": self.configure,
            "stop": stop,
            "wait": lambda: time.sleep(LINGER + 1),
            "kill a build": self.build_and_kill,
            "kill the worker": lambda: self.within(self.kill_workers),
            "edit meanwhile": lambda: self.within(lambda: self.edit("module")),
            "data meanwhile": lambda: self.within(lambda: self.edit("data")),
        }
        kind = self.chance.choice(sorted(kinds))
        self.done[kind] += 1
        kinds[kind]()
        self.check(kind)

    def state(self) -> str:
        """What there is now, in a line."""
        gc.collect()
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        what = ", ".join(f"{count} × {kind}" for kind, count in sorted(self.done.items()))
        return (
            f"{self.done.total()} rounds ({what}); {len(left_running(self.mark))} processes, "
            f"{len(os.listdir('/proc/self/fd'))} descriptors, {len(self.files())} temporary files, "
            f"{resident / 2**20:.0f} MB"
        )

    def files(self) -> list[str]:
        """Everything in the directories for temporary files, sockets and shared memory."""
        found = [tempfile.gettempdir(), own_directory()]
        return sorted(entry.path for directory in found for entry in os.scandir(directory))


def soak(minutes: float, pause: float) -> None:
    """Build until time is up."""
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        place = Path(directory)
        for name in ("tmp", "run"):
            (place / name).mkdir(mode=0o700)
        os.environ["TMPDIR"], os.environ["XDG_RUNTIME_DIR"] = str(place / "tmp"), str(place / "run")
        tempfile.tempdir = None
        project = Soak(place, random.Random(0))
        os.environ[MARKER] = project.mark
        shared = set(os.listdir("/dev/shm"))
        end = time.monotonic() + minutes * 60
        tell = 0.0
        while time.monotonic() < end:
            project.one_round()
            if time.monotonic() > tell:
                print(project.state(), flush=True)
                tell = time.monotonic() + 60
            time.sleep(pause)
        time.sleep(LINGER + 5)
        stop()
        print(f"end: {project.state()}", flush=True)
        left = left_running(project.mark)
        assert project.wrong == [], project.wrong
        assert left == [], left
        assert project.files() == [], project.files()
        ours = set(os.listdir("/dev/shm")) - shared
        print(f"in shared memory, if nothing else runs here: {sorted(ours)}")


if __name__ == "__main__":
    soak(float(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0)
