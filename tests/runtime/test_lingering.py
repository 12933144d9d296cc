"""Workers that linger: the next build has the same one; they end by time, by word and by change."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from sphinx_autogradgraph.runtime import forking_worker, lingering
from sphinx_autogradgraph.runtime.client import Runner, default_method
from sphinx_autogradgraph.runtime.lingering import Linger, own_directory, stop
from sphinx_autogradgraph.runtime.patience import is_stopped
from tests.conftest import Project
from tests.runtime.test_execution import HEAD, alive, names, program, run, wait_until, worker_of

pytestmark = pytest.mark.skipif(default_method() != "fork", reason="no safe fork on this system")


@pytest.fixture(autouse=True)
def own_runtime_directory(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    directory = tmp_path_factory.mktemp("run")
    directory.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    return directory


def once(tmp_path: Path, linger: Linger) -> int:
    """Run a program as a build would; the process of the worker."""
    with Runner(linger=linger) as runner:
        assert names(run(runner, program(tmp_path, HEAD + "y = x * 2"))) == ["y"]
        pid = worker_of(runner).pid
    assert pid is not None
    return pid


def test_a_worker_lingers_for_its_project_and_is_told_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linger = Linger(60, str(tmp_path))
    try:
        first = once(tmp_path, linger)
        assert alive(first)
        assert once(tmp_path, linger) == first
        sockets = [path for path in Path(own_directory()).rglob("*") if path.is_socket()]
        assert sockets
        for path in sockets:
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert path.parent.stat().st_uid == os.getuid()
        other = once(tmp_path, Linger(60, str(tmp_path), settings="others"))
        assert other != first
        wait_until(lambda: not alive(first), 5)  # nobody will ask for it any more
        monkeypatch.setenv("AUTOGRADGRAPH_TEST_VARIABLE", "1")
        changed = once(tmp_path, Linger(60, str(tmp_path), settings="others"))
        assert changed != other
        assert stop(str(tmp_path / "elsewhere" / "docs")) == 1  # a part of the project
        wait_until(lambda: not alive(changed), 5)
    finally:
        stop()
    assert stop() == 0
    assert os.listdir(own_directory()) == []


def test_a_worker_does_not_outlive_its_time_nor_leave_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    pid = once(tmp_path, Linger(1, str(tmp_path)))
    wait_until(lambda: not alive(pid), 10)
    assert os.listdir(own_directory()) == []
    assert os.listdir(scratch) == []


def test_a_directory_that_others_may_enter_is_not_used(
    tmp_path: Path, own_runtime_directory: Path
) -> None:
    (own_runtime_directory / "autogradgraph").mkdir(mode=0o755)
    (own_runtime_directory / "autogradgraph").chmod(0o755)
    with pytest.raises(PermissionError):
        own_directory()
    pid = once(tmp_path, Linger(60, str(tmp_path)))  # and the build has its own
    wait_until(lambda: not alive(pid), 5)


def test_what_a_killed_worker_leaves_is_removed(tmp_path: Path) -> None:
    linger = Linger(60, str(tmp_path))
    try:
        first = once(tmp_path, linger)
        os.kill(first, 9)
        wait_until(lambda: not alive(first), 5)
        second = once(tmp_path, linger)
        assert second != first
        os.kill(second, 9)
        wait_until(lambda: not alive(second), 5)
    finally:
        stop()
    assert os.listdir(own_directory()) == []


@pytest.mark.long
def test_a_worker_that_a_program_stopped_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forking_worker, "PING_EVERY", 0.5)
    linger = Linger(60, str(tmp_path))
    try:
        first = once(tmp_path, linger)
        os.kill(first, signal.SIGSTOP)
        second = once(tmp_path, linger)
        assert second != first
        assert not alive(first)
        os.kill(second, signal.SIGSTOP)
        monkeypatch.setattr(lingering, "STOPPING", 0.5)
        wait_until(lambda: is_stopped(second), 5)
        assert stop() == 1
        wait_until(lambda: not alive(second), 5)
    finally:
        stop()
    assert os.listdir(own_directory()) == []


def test_builds_of_sphinx_share_a_worker_until_it_is_stopped(project: Project) -> None:
    project.conf("autogradgraph_linger = 60\n")
    code = "import torch\nx = torch.ones(2, requires_grad=True)\ny = x * {}\n"
    pids = []
    try:
        for number in (1, 2):
            text = "\n".join(f"   {line}" for line in code.format(number).splitlines())
            project.write("index.rst", f"T\n=\n\n.. autogradgraph::\n\n{text}\n")
            begin = time.monotonic()
            assert project.build("html", "-W").status == 0  # and ends, though a worker does not
            assert time.monotonic() - begin < 55
            (record,) = Path(own_directory()).glob("*/pid")
            pids.append(int(record.read_text()))
        assert pids[0] == pids[1]
    finally:
        done = subprocess.run(
            [sys.executable, "-m", "sphinx_autogradgraph", "stop", str(project.directory)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1 worker stopped\n")
    wait_until(lambda: not alive(pids[0]), 5)


def test_users_of_sphinx_autobuild_are_told_once_of_lingering(project: Project) -> None:
    code = "   import torch\n   y = torch.ones(2, requires_grad=True) * {}\n"
    # It starts Sphinx so, and tells it nothing of itself.
    autobuild = project.write(
        "sphinx-autobuild",
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'sphinx', *sys.argv[1:]], check=True)\n",
    )
    said = []
    for number in (1, 2):
        project.write("index.rst", f"T\n=\n\n.. autogradgraph::\n\n{code.format(number)}")
        command = [
            sys.executable,
            str(autobuild),
            str(project.directory),
            str(project.directory / "out"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        said.append("with autogradgraph_linger = 600 in conf.py" in done.stdout)
    assert said == [True, False]
