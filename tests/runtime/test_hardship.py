"""Programs and machines that make it hard for the worker: nothing hangs, nothing is left, others run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.runtime import forking_worker, fresh_processes, patience
from sphinx_autogradgraph.runtime.client import Method, Runner, default_method
from sphinx_autogradgraph.runtime.crashes import lost
from sphinx_autogradgraph.runtime.forked_run import ATTEMPTS
from sphinx_autogradgraph.runtime.forking_worker import ForkingWorker
from sphinx_autogradgraph.runtime.protocol import encode
from sphinx_autogradgraph.runtime.worker_command import environment
from tests.runtime.test_execution import (
    HEAD,
    alive,
    descendants,
    diagnostic,
    graph_or_fault,
    names,
    program,
    run,
    using,
    wait_until,
    worker_of,
)
from tests.runtime.test_faults import MARKER, left_running

pytestmark = pytest.mark.skipif(default_method() != "fork", reason="no safe fork on this system")

ROOT = Path(__file__).parents[2]
GOOD = HEAD + "y = x * 2"


@pytest.mark.parametrize("number", ["SIGKILL", "SIGSTOP"])
@pytest.mark.parametrize("method", ["fork", pytest.param("fresh", marks=pytest.mark.long)])
def test_a_program_that_attacks_its_supervisor_fails_alone(
    runner: Runner, tmp_path: Path, method: Method, number: str
) -> None:
    record = tmp_path / "pid"
    attack = (
        "import os, signal, subprocess, sys, time\n"
        "from multiprocessing import get_context\n"
        "lock = get_context('spawn').Lock()\n"
        # What ignores this signal must not have the lock's helper killed along with it.
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n    time.sleep(600)\n"
        f"open({str(record)!r} + '-lock', 'w').write(lock._semlock.name)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],\n"
        "                         start_new_session=True)\n"
        f"open({str(record)!r}, 'w').write(str(child.pid))\n"
        f"os.kill(os.getppid(), signal.{number})\ntime.sleep(600)\n"
    )
    begin = time.monotonic()
    with using(runner, method) as own:
        results = own.run([program(tmp_path, attack), program(tmp_path, GOOD)])
    assert time.monotonic() - begin < 60  # not the timeout of the program, nor an answer that waits
    found, others = (graph_or_fault(result.targets[0]) for result in results)
    assert found == lost("unsupervised", program(tmp_path, attack))
    assert names(others) == ["y"]
    wait_until(lambda: not alive(int(record.read_text())), 5)
    semaphore = Path("/dev/shm", "sem." + Path(f"{record}-lock").read_text().strip("/"))
    wait_until(lambda: not semaphore.exists(), 5)


@pytest.mark.long
@pytest.mark.nightly
def test_a_program_that_has_no_moment_for_us_ends_with_the_build(tmp_path: Path) -> None:
    begun, temporary = tmp_path / "begun", tmp_path / "temporary"
    temporary.mkdir()
    code = f"open({str(begun)!r}, 'w').close()\nsum(iter(int, 1))"  # holds the interpreter's lock
    build = f"""
        from pathlib import Path
        from sphinx_autogradgraph.runtime.client import Runner
        from tests.runtime.test_execution import program
        with Runner(method="fresh") as runner:
            runner.run([program(Path({str(tmp_path)!r}), {code!r})])
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(build)], cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    wait_until(begun.exists, 60)
    ours = descendants(process.pid)
    process.kill()
    process.wait()
    wait_until(lambda: not [pid for pid in ours if alive(pid)], 5)
    wait_until(lambda: not list(temporary.iterdir()), 5)


def test_a_program_outlasts_any_number_of_workers_that_others_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers: dict[socket.socket, socket.socket] = {}

    def connect(_: ForkingWorker) -> socket.socket:
        ours, theirs = socket.socketpair()
        peers[ours] = theirs
        return ours

    monkeypatch.setattr(ForkingWorker, "connect", connect)
    worker = ForkingWorker(1, {})
    try:
        runs = [worker.start(program(tmp_path, GOOD)) for _ in range(2 * ATTEMPTS)]
        for run in runs[:-1]:
            assert run is not None
            peers[run.connection].sendall(encode({"supervisor": 1}))
            worker.wait(1)
            for peer in peers.values():
                peer.close()  # as when that program has killed the worker
            peers.clear()
            worker.wait(1)
            assert run.result is not None
        assert runs[-1] is not None
        assert runs[-1].result is None
        for _ in range(ATTEMPTS):  # a worker on which nothing begins is given up
            for peer in peers.values():
                peer.close()
            worker.wait(1)
        assert runs[-1].result is not None
    finally:
        worker.close()


@pytest.mark.parametrize("taken", [0, 3])
def test_streams_that_are_closed_are_none_of_ours(tmp_path: Path, taken: int) -> None:
    # Files that were opened since may have got the numbers of the streams.
    code = f"""
        from pathlib import Path
        held = [open({os.devnull!r}) for _ in range({taken})]
        from sphinx_autogradgraph.runtime.client import Runner
        from tests.runtime.test_execution import GOOD, program
        with Runner() as runner:
            (result,) = runner.run([program(Path({str(tmp_path)!r}), GOOD)])
        open({str(tmp_path / "said")!r}, "w").write(str(result.targets[0]))
    """.replace("GOOD, ", "").replace("GOOD", repr(GOOD))
    script = tmp_path / "closed.py"
    script.write_text(textwrap.dedent(code))
    subprocess.run(
        f"{sys.executable} {script} <&- >&- 2>&-", shell=True, cwd=ROOT, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "Graph of y" in (tmp_path / "said").read_text()


@pytest.mark.parametrize("method", ["fork", pytest.param("fresh", marks=pytest.mark.long)])
def test_a_long_temporary_directory_is_no_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    long = tmp_path / ("d" * 120)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setattr(tempfile, "tempdir", None)
    code = HEAD + (
        "import tempfile\nfrom multiprocessing import shared_memory\n"
        "held = shared_memory.SharedMemory(create=True, size=8)\n"
        f"open({str(tmp_path / 'name')!r}, 'w').write(held.name)\n"
        "tempfile.mkdtemp()\ny = x * 2"
    )
    with Runner(method=method) as runner:
        assert names(run(runner, program(tmp_path, code))) == ["y"]
    assert os.listdir(long) == []  # nor does the program leave anything
    assert not Path("/dev/shm", (tmp_path / "name").read_text()).exists()


@pytest.mark.parametrize("method", ["fork", "fresh"])
def test_a_build_that_is_killed_before_it_runs_anything_leaves_no_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    code = """
        import os, signal, subprocess, sys
        from pathlib import Path
        from sphinx_autogradgraph.runtime import client
        from tests.runtime.test_execution import program

        runner = client.Runner(method=sys.argv[1])
        if sys.argv[1] == "fresh":  # it has started a process, and not told it what to run
            begin = subprocess.Popen.__init__
            def killed(*arguments, **keywords):
                begin(*arguments, **keywords)
                os.kill(os.getpid(), signal.SIGKILL)
            subprocess.Popen.__init__ = killed
            runner.submit([program(Path.cwd(), "x")])
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), method], cwd=ROOT, check=False
    )
    assert done.returncode == -9
    wait_until(lambda: not list((tmp_path / "temporary").iterdir()), 20)


@pytest.mark.long
def test_what_is_installed_does_not_stand_before_the_standard_library(tmp_path: Path) -> None:
    # As a backport does that somebody installed beside our package.
    (tmp_path / "sphinx_autogradgraph").symlink_to(ROOT / "sphinx_autogradgraph")
    (tmp_path / "dataclasses.py").write_text("raise ImportError('an old backport')\n")
    code = f"""
        import sys
        import dataclasses, sphinx, msgspec
        sys.path.insert(0, {str(tmp_path)!r})
        from pathlib import Path
        from sphinx_autogradgraph.runtime.client import Runner
        from sphinx_autogradgraph.program.program import Block, Program, Target
        block = Block({GOOD!r}, "page.rst", "/page.rst")
        with Runner() as runner:
            (result,) = runner.run([Program((block,), (Target(1),), "/", "/")])
        print(result.targets[0])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert "Graph of y" in done.stdout, done.stderr + done.stdout


LEAVES = """\
import os, subprocess, time
if os.fork() == 0:
    os.setsid()
    time.sleep(600)
subprocess.run(["sh", "-c", "setsid sleep 600 &"], close_fds=False)
"""
"""What starts processes that hold all open files and leave the session, one without a parent."""


@pytest.mark.parametrize("method", ["fork", "fresh"])
def test_what_the_import_of_torch_leaves_running_ends_with_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "torch.py").write_text(f"{LEAVES}raise ImportError('broken')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "fake"))
    monkeypatch.setenv(MARKER, str(tmp_path))
    with Runner(method=method) as runner:
        found = diagnostic(run(runner, program(tmp_path, GOOD)))
        assert "torch cannot be imported: ImportError: broken" in found.sentence()
    wait_until(lambda: not left_running(str(tmp_path)), 10)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("fork", "import time\ntime.sleep(600)"),
        pytest.param("fork", "while True: pass", marks=pytest.mark.long),
        pytest.param("fresh", "import time\ntime.sleep(600)", marks=pytest.mark.long),
        pytest.param("fresh", "while True: pass", marks=pytest.mark.long),
    ],
)
def test_an_import_of_torch_that_never_returns_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Method, code: str
) -> None:
    (tmp_path / "fake" / "torch").mkdir(parents=True)
    (tmp_path / "fake" / "torch" / "__init__.py").write_text(f"{LEAVES}{code}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "fake"))
    monkeypatch.setenv(MARKER, str(tmp_path))
    monkeypatch.setattr(forking_worker, "START_TIMEOUT", 3.0)
    monkeypatch.setattr(fresh_processes, "START_TIMEOUT", 3.0)
    monkeypatch.setattr(patience, "ENOUGH", 1.0)
    with Runner(method=method) as runner:
        begin = time.monotonic()
        found = diagnostic(run(runner, program(tmp_path, GOOD, timeout=1.0)))
        assert "did not end within 4 seconds" in found.sentence()
        again = diagnostic(run(runner, program(tmp_path, GOOD, timeout=1.0)))
        assert again == found  # and, where one process is for all, nobody waits for it again
        assert time.monotonic() - begin < 60
    wait_until(lambda: not left_running(str(tmp_path)), 10)


@pytest.mark.long
def test_a_program_that_stops_its_own_timer_times_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh_processes, "GRACE", 0.5)
    monkeypatch.setattr(fresh_processes, "START_TIMEOUT", 600.0)
    stops = "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"
    with Runner(method="fresh") as runner:
        begin = time.monotonic()
        found = diagnostic(run(runner, program(tmp_path, stops, timeout=0.5)))
        assert found.kind == "timeout"
        assert time.monotonic() - begin < 300


@pytest.mark.parametrize(
    ("used", "over"),
    [
        ([1, 1], [60]),  # it waits for something
        ([0, 30.5], [60]),  # it had time enough
        ([0, 1, 2, 2], [60, 120, 180]),  # a busy machine, and then it waits
        ([0, 1, 2, None], [60, 120, 180]),  # it has ended
        ([None, None], [60]),  # the system does not tell
        (list(range(30)), [60 * count for count in range(1, patience.MOST + 1)]),  # without end
    ],
)
def test_patience_is_for_a_busy_machine_alone(
    monkeypatch: pytest.MonkeyPatch, used: list[float | None], over: list[int]
) -> None:
    now, times = 0.0, iter(used)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(patience, "processor_time", lambda pid: next(times))
    patient = patience.Patience(lambda: 1)
    for now in over[:-1]:
        assert not patient.is_over(now - 1, 60)
        assert not patient.is_over(now, 60)
    assert not patient.is_over(over[-1] - 1, 60)
    assert patient.is_over(over[-1], 60)


@pytest.mark.long
@pytest.mark.parametrize("seen", [True, False])
def test_a_worker_that_never_answers_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    if not seen:
        monkeypatch.setattr(forking_worker, "is_stopped", lambda pid: False)
        monkeypatch.setattr(forking_worker, "SILENCE", 2.0)
    monkeypatch.setattr(forking_worker, "PING_EVERY", 0.5)
    with Runner() as runner:
        assert names(run(runner, program(tmp_path, GOOD))) == ["y"]
        silent = worker_of(runner).pid
        assert silent is not None
        os.kill(silent, signal.SIGSTOP)
        assert names(run(runner, program(tmp_path, GOOD))) == ["y"]
        assert worker_of(runner).pid != silent
        wait_until(lambda: not alive(silent), 5)


def test_only_variables_that_are_named_reach_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    for secret in ("CONDA_TOKEN", "PYTHON_KEYRING_TOKEN", "LC_SECRET", "MKL_TOKEN", "OMP_TOKEN"):
        monkeypatch.setenv(secret, "1")
    monkeypatch.setenv("WANTED", "1")
    assert not {name for name in environment([]) if "TOKEN" in name or "SECRET" in name}
    assert "WANTED" in environment(["WANTED"])
    assert "PATH" in environment([])


@pytest.mark.long
def test_torch_outside_of_the_own_site_packages_is_not_the_authors(tmp_path: Path) -> None:
    code = f"""
        import os, sys, torch
        os.symlink(os.path.dirname(torch.__file__), {str(tmp_path / "torch")!r})
        for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
            del sys.modules[name]
        sys.path.insert(0, {str(tmp_path)!r})
        from sphinx_autogradgraph.program.author_files import is_authors, torch_directory
        assert torch_directory() == {str(tmp_path / "torch")!r}
        assert not is_authors({str(tmp_path / "torch" / "nn" / "x.py")!r})
        assert not is_authors("/opt/python3/dist-packages/anything.py")
        assert is_authors({str(tmp_path / "mine.py")!r})
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, check=True)


def test_the_graph_is_the_same_without_forking(runner: Runner, tmp_path: Path) -> None:
    forked = run(runner, program(tmp_path, GOOD))
    with Runner(method="fresh") as fresh:
        assert run(fresh, program(tmp_path, GOOD)) == forked
    assert isinstance(forked, Graph)
