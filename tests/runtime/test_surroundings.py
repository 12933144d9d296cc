"""Surroundings that misbehave: torch, the layout engine, the disk, whoever ends a build."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sphinx_autogradgraph.runtime.client import METHOD_VARIABLE, Method
from tests.conftest import LINREG, Project
from tests.runtime.test_faults import MARKER, left_running

PAGE = "Title\n=====\n\n.. autogradgraph:: linreg.py\n   :tensor: l\n"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc"),
]


@pytest.fixture
def page(project: Project) -> Project:
    project.write("linreg.py", LINREG)
    project.write("index.rst", PAGE)
    return project


def start(project: Project, mark: str) -> subprocess.Popen[bytes]:
    """A build in the background, with our mark in its environment."""
    where = project.directory / "_build"
    temporary(project).mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "sphinx", "-q", "-b", "html", "-d", str(where / "doctrees"),
         str(project.directory), str(where / "html")],
        # A shell starts what is in its background with this signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env={**os.environ, MARKER: mark, "TMPDIR": str(temporary(project))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def temporary(project: Project) -> Path:
    """Where a build in the background has its temporary files."""
    return project.directory.parent / "tmp"


def wait_for(condition: object, seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_build_that_is_ended_leaves_nothing(project: Project, number: signal.Signals) -> None:
    project.write(
        "index.rst",
        "Title\n=====\n\n.. autogradgraph::\n\n   import os, time\n"
        f"   open({str(project.directory / 'runs')!r}, 'w').close()\n   time.sleep(600)\n",
    )
    mark = f"ended-{os.getpid()}-{number.value}"
    process = start(project, mark)
    assert wait_for((project.directory / "runs").exists)
    process.send_signal(number)
    process.wait(20)
    assert wait_for(lambda: not left_running(mark), 6), left_running(mark)
    assert wait_for(lambda: not list(temporary(project).iterdir()), 6)


def test_a_worker_that_is_killed_in_the_middle(project: Project) -> None:
    for name in ("a", "b", "c"):
        project.write(
            f"{name}.rst",
            f":orphan:\n\n{name}\n=\n\n.. autogradgraph::\n\n   import time, torch\n"
            f"   open({str(project.directory / 'runs')!r}, 'w').close()\n   time.sleep(2)\n"
            "   x = torch.ones(2, requires_grad=True)\n   y = x.sum()\n",
        )
    project.write("index.rst", "Title\n=====\n")
    mark = f"killed-{os.getpid()}"
    process = start(project, mark)
    assert wait_for((project.directory / "runs").exists)
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            marked = f"{MARKER}={mark}".encode() in (directory / "environ").read_bytes()
            if marked and b"runtime.worker" in (directory / "cmdline").read_bytes():
                os.kill(int(directory.name), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            continue
    assert process.wait(60) == 0
    for name in ("a", "b", "c"):
        text = (project.directory / "_build" / "html" / f"{name}.html").read_text()
        assert "autogradgraph-svg" in text or "could not be drawn" in text
    assert wait_for(lambda: not left_running(mark), 6)


KILLED = """
import os, signal, sys
sys.path.insert(0, os.path.dirname(__file__))

def setup(app):
    def kill(*_):
        os.kill(os.getpid(), signal.SIGKILL)
    if "KILLED_AT" in os.environ:
        app.connect(os.environ["KILLED_AT"], kill, priority=950)
"""


@pytest.mark.parametrize(
    ("event", "count"),
    [
        ("env-updated", 3),  # the doctrees are written, and the environment is not
        ("env-check-consistency", 4),  # nor are the pages
        ("html-page-context", 4),
        (None, 4),  # not killed, but of another builder
    ],
)
def test_no_page_is_stale_after_a_build_that_did_not_write_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, event: str | None, count: int
) -> None:
    project.conf(KILLED)
    project.write("helper.py", "count = 3\n")
    project.write(
        "index.rst",
        "Title\n=====\n\n.. autogradgraph::\n\n   import helper, torch\n"
        "   x = torch.ones(helper.count, requires_grad=True)\n   y = x * 2\n",
    )
    assert ">(3,)<" in project.build("html", "-W").read("index.html")
    project.write("helper.py", "count = 4\n")
    if event is None:
        project.build("text", "-W")
    else:
        monkeypatch.setenv("KILLED_AT", event)
        assert project.build("html", "-W").status == -signal.SIGKILL
        monkeypatch.delenv("KILLED_AT")
    project.write("helper.py", f"count = {count}\n")  # in the first case taken back
    page = project.build("html", "-W", *["-a"] * (event == "env-updated")).read("index.html")
    assert f">({count},)<" in page
    assert f">({7 - count},)<" not in page
    assert "writing output... [" not in project.build("html", "-W").stdout


def test_two_builds_at_once_in_one_directory(page: Project) -> None:
    mark = f"two-{os.getpid()}"
    both = [start(page, mark), start(page, mark)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert list(temporary(page).iterdir()) == []
    assert "autogradgraph-svg" in (page.directory / "_build/html/index.html").read_text()
    assert page.build("html", "-W").status == 0
    assert left_running(mark) == []


@pytest.mark.parametrize(
    ("code", "words", "method"),
    [
        ("raise OSError('libtorch.so: no such file')", "OSError: libtorch.so", "fork"),
        ("import os\nos._exit(3)", "the process ended with status 3", "fork"),
        ("import os\nos._exit(3)", "the process ended with status 3", "fresh"),
        ("import os\nos.kill(os.getpid(), 11)", "the process was ended by SIGSEGV", "fork"),
    ],
)
def test_torch_that_is_broken(
    page: Project, monkeypatch: pytest.MonkeyPatch, code: str, words: str, method: str
) -> None:
    broken = page.directory.parent / "broken"
    broken.mkdir()
    (broken / "torch.py").write_text(code)
    monkeypatch.setenv(METHOD_VARIABLE, method)
    monkeypatch.setenv("PYTHONPATH", str(broken))
    page.write("other.rst", ":orphan:\n\n" + PAGE)
    build = page.build("html")
    (warning,) = build.warnings
    assert f"torch cannot be imported: {words}" in warning
    assert "(the same for 1 more figures)" in warning
    assert "could not be drawn" in build.read("index.html")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("sleep 600", "did not lay the graph out within 1 seconds"),
        ("kill -SEGV $$", "dot failed"),
        ("echo nonsense", "dot failed"),
        ("exit 3", "dot failed: status 3"),
    ],
)
def test_a_layout_engine_that_misbehaves(
    page: Project, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    folder = page.directory.parent / "bin"
    folder.mkdir()
    (folder / "dot").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    page.conf("autogradgraph_layout = 'dot'\nautogradgraph_layout_timeout = 1")
    for _ in range(2):
        build = page.build("html")
        (warning,) = build.warnings
        assert words in warning
        assert "index.rst:4" in warning
        assert "could not be drawn" in build.read("index.html")


def test_torch_that_is_too_old(page: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    old = page.directory.parent / "old"
    old.mkdir()
    (old / "torch.py").write_text("__version__ = '1.13.1+cpu'")
    monkeypatch.setenv("PYTHONPATH", str(old))
    (warning,) = page.build("html").warnings
    assert "torch 1.13.1+cpu is too old, 2.4 is needed" in warning


@contextlib.contextmanager
def mounted(directory: Path, options: str) -> Iterator[None]:
    """A file system of its own; skips the test for who may not mount."""
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(directory)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


def fill(directory: Path) -> None:
    """Leave no room in a file system."""
    with contextlib.suppress(OSError), (directory / "filler").open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


@pytest.mark.parametrize("how", ["a file", "full", "read-only"])
@pytest.mark.parametrize(
    ("setting", "words"),
    [("autogradgraph_cache", "the cache cannot be written"),
     ("autogradgraph_snapshots", "cannot be")],
)  # fmt: skip
def test_a_directory_that_cannot_be_written(
    page: Project, setting: str, words: str, how: str
) -> None:
    page.conf(f"{setting} = 'there'")
    there = page.directory / "there"
    with contextlib.ExitStack() as stack:
        if how == "a file":
            there.write_text("a file, where a directory should be")
        else:
            stack.enter_context(mounted(there, "size=64k" if how == "full" else "ro"))
            fill(there)
        build = page.build("html")
    (warning,) = build.warnings
    assert words in warning
    assert "autogradgraph-svg" in build.read("index.html")


@pytest.mark.parametrize("method", ["fork", pytest.param("fresh", marks=pytest.mark.nightly)])
def test_no_room_for_temporary_files(
    project: Project, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    monkeypatch.setenv(METHOD_VARIABLE, method)
    page = "Title\n=====\n\n.. autogradgraph::\n\n   import torch\n"
    loop = "   x = torch.ones(2, requires_grad=True)\n   for _ in range({}):\n       x = x * 2\n"
    project.write("index.rst", page + loop.format(9))
    project.write("large.rst", ":orphan:\n\n" + page + loop.format(2000))
    temporary = project.directory.parent / "tmp"
    with mounted(temporary, "size=64k"):
        monkeypatch.setenv("TMPDIR", str(temporary))
        build = project.build("html")
        assert list(temporary.iterdir()) == []
    (warning,) = build.warnings
    assert "nothing can be written where temporary files go: No space left on device" in warning
    assert "autogradgraph-svg" in build.read("index.html")
    assert "could not be drawn" in build.read("large.html")


def test_a_corrupt_cache_is_run_again(page: Project) -> None:
    page.conf("autogradgraph_cache = 'cache'")
    assert page.build("html", "-W").status == 0
    entries = [path for path in (page.directory / "cache").rglob("*") if path.is_file()]
    assert entries
    for garbage in (b"", b"\x1f\x8b", b"{}", os.urandom(500)):
        for path in entries:
            path.write_bytes(garbage)
        build = page.build("html", "-W", "-E")
        assert build.status == 0, build.stderr
        assert "autogradgraph-svg" in build.read("index.html")


def test_the_environment_is_scrubbed_on_request(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    monkeypatch.setenv("DATASETS", "/data")
    code = """
        Title
        =====

        .. autogradgraph::

           import os, torch
           assert "SECRET_TOKEN" not in os.environ, "seen"
           assert os.environ["DATASETS"] == "/data"
           assert "PATH" in os.environ
           y = torch.ones(2, requires_grad=True).sum()
        """
    project.write("index.rst", textwrap.dedent(code))
    assert "seen" in project.build("html").stderr
    project.conf("autogradgraph_environment = ['DATASETS']")
    build = project.build("html", "-W", "-E")
    assert build.status == 0, build.stderr


def test_memory_is_limited_on_request(project: Project) -> None:
    project.conf("autogradgraph_memory = 500")
    project.write(
        "index.rst",
        "Title\n=====\n\n.. autogradgraph::\n\n   import torch\n"
        "   held = torch.ones(400 * 2**20 // 4)\n   more = held + 1\n",
    )
    (warning,) = project.build("html").warnings
    assert "a program may take 500 MiB: autogradgraph_memory" in warning
    assert "index.rst, line 8" in warning
