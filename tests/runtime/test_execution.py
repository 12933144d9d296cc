"""Execution: what runs, where and how; what is drawn; what becomes of programs that misbehave."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.settings import Settings
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.program.program import (
    Block,
    Program,
    Target,
    find_module,
    read_block,
    split_expressions,
)
from sphinx_autogradgraph.runtime import fresh_processes
from sphinx_autogradgraph.runtime.cache import Cache
from sphinx_autogradgraph.runtime.cached_client import CachedRunner
from sphinx_autogradgraph.runtime.client import Method, Runner, default_method
from sphinx_autogradgraph.runtime.forking_worker import ForkingWorker
from sphinx_autogradgraph.runtime.rehearsal import rehearse
from sphinx_autogradgraph.runtime.result import Result, Traced
from sphinx_autogradgraph.runtime.supervised_process import LoneProcess, SupervisedProcess
from tests.conftest import Project

forks = pytest.mark.skipif(default_method() != "fork", reason="no safe fork on this system")

HEAD = "import torch\nx = torch.ones(3, requires_grad=True)\n"


def program(directory: Path, code: str, tensor: str = "", **options: object) -> Program:
    expressions = split_expressions(tensor) if tensor else ()
    return Program(
        blocks=(Block(code, "page.rst", str(directory / "page.rst"), 10),),
        targets=(Target(1, expressions),),
        directory=str(directory),
        root=str(directory),
        **options,  # type: ignore[arg-type]
    )


def run(runner: Runner, program: Program) -> Graph | Diagnostic:
    (result,) = runner.run([program])
    return graph_or_fault(result.targets[0])


def using(runner: Runner, method: Method) -> contextlib.AbstractContextManager[Runner]:
    """The runner if it has the method, else one of its own."""
    return contextlib.nullcontext(runner) if method == runner.method else Runner(method=method)


def graph_or_fault(drawn: Traced | Diagnostic) -> Graph | Diagnostic:
    return drawn.graph if isinstance(drawn, Traced) else drawn


def names(found: Graph | Traced | Diagnostic) -> list[str | None]:
    if isinstance(found, Traced):
        found = found.graph
    assert isinstance(found, Graph), found
    return [output.name for output in found.outputs]


def diagnostic(found: Graph | Traced | Diagnostic) -> Diagnostic:
    assert isinstance(found, Diagnostic)
    return found


@pytest.mark.parametrize(
    ("code", "tensor", "expected"),
    [
        ("l = x.sum()\nm = l * 2", "l, l.mean()", ["l", "l.mean()"]),
        ("l = x.sum()\n(x * 2).sum()\nk = 3", "", ["(x * 2).sum()"]),  # the last value
        ("l = x.sum()\nl.backward()", "", ["l"]),  # of None: the last assignment
        ("l = x.sum()\nprint(l)", "", ["l"]),
        ("a, b = x * 1, x * 2", "", ["a", "b"]),
        ("a, (b, *c) = x * 1, (x * 2, x * 3)", "", ["a", "b", "c[0]"]),
        ("l: torch.Tensor = x * 2\nk: int", "", ["l"]),
        ("l = x * 2\nl += 1", "", ["l"]),
        ("for i in range(2):\n    l = x * i", "", ["l"]),
        ("l = x * 2\ndef f():\n    m = 3", "", ["l"]),
        ("out = {'a': x * 2, 'b': [x * 3, 7]}", "", ["out['a']", "out['b'][0]"]),
        ("parts = [x * 1, x * 2]", "*parts", ["*parts[0]", "*parts[1]"]),
        ("l = (x\n     * 2)\n(l\n .sum())", "", ["l.sum()"]),
        ("'''A docstring.'''\nl = x * 2", "", ["l"]),
    ],
)
def test_what_is_drawn(
    runner: Runner, tmp_path: Path, code: str, tensor: str, expected: list[str]
) -> None:
    assert names(run(runner, program(tmp_path, HEAD + code, tensor))) == expected


def write_file(tmp_path: Path, code: str, name: str = "script.py") -> Path:
    path = tmp_path / "examples" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(code)
    return path


def of_file(path: Path, member: str | None = None, tensor: str = "") -> Program:
    return Program(
        blocks=(read_block(str(path), str(path.parents[1])),),
        targets=(Target(1, split_expressions(tensor) if tensor else (), member),),
        directory=str(path.parent),
        root=str(path.parents[1]),
        module=path.stem,
    )


def test_a_file_runs_as_an_import_would(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "helper.py").write_text("factor = 2.0\n")
    path = write_file(
        tmp_path,
        "import dataclasses, os, sys\nimport helper\n" + HEAD + "assert __name__ == 'script'\n"
        "assert os.getcwd() == os.path.dirname(__file__) == sys.path[0]\n"
        "@dataclasses.dataclass\nclass Held:\n    value: 'int' = 3\n"
        "l = x * helper.factor\n"
        "if __name__ == '__main__':\n    raise SystemExit('the guard fired')\n",
    )
    (result,) = runner.run([of_file(path)])
    assert names(result.targets[0]) == ["l"]
    assert [Path(file).name for file in result.files] == ["helper.py"]


def test_members_of_a_file(runner: Runner, tmp_path: Path) -> None:
    path = write_file(
        tmp_path,
        HEAD + "l = x * 2\ndef make(n=2):\n    return {'a': x * n}\ndef needs(n, *rest): pass\n"
        "class Model:\n    net = torch.nn.Linear(2, 2)\n    @staticmethod\n    def loss():\n"
        "        return Model.net(torch.ones(2)).sum()\n",
    )
    assert names(run(runner, of_file(path, "l"))) == ["l"]
    assert names(run(runner, of_file(path, "make"))) == ["make()['a']"]
    assert names(run(runner, of_file(path, "Model.loss"))) == ["Model.loss()"]
    missing = diagnostic(run(runner, of_file(path, "absent")))
    assert (missing.kind, missing.sentence()) == (
        "reference", "there is no absent in examples/script.py",
    )  # fmt: skip
    assert "needs n" in diagnostic(run(runner, of_file(path, "needs"))).sentence()


def test_a_module_reference_sees_the_path_of_conf_py(runner: Runner, tmp_path: Path) -> None:
    package = tmp_path / "lib" / "mine"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "model.py").write_text(HEAD + "def loss():\n    return (x * 2).sum()\n")
    (package / "broken.py").write_text("import nowhere_to_be_found\n")

    def of_module(module: str, path: tuple[str, ...]) -> Program:
        return Program(
            blocks=(), targets=(Target(0, member="loss"),), directory=str(tmp_path),
            root=str(tmp_path), path=path, import_module=module,
        )  # fmt: skip

    lib = (str(tmp_path / "lib"),)
    (result,) = runner.run([of_module("mine.model", lib)])
    assert names(result.targets[0]) == ["loss()"]
    assert find_module("mine.model", lib) == str(package / "model.py")
    assert find_module("mine.absent", lib) is find_module("mine.model.x", lib) is None
    assert {Path(file).name for file in result.files} == {"__init__.py", "model.py"}
    assert diagnostic(run(runner, of_module("mine.model", ()))).kind == "reference"
    assert diagnostic(run(runner, of_module("mine.absent", lib))).kind == "reference"
    inside = diagnostic(run(runner, of_module("mine.broken", lib)))
    assert (inside.kind, inside.file, inside.line) == ("execution", "lib/mine/broken.py", 1)


@pytest.mark.parametrize(
    ("code", "kind", "line", "says"),
    [
        ("x = 1\n1 / 0", "execution", 11, "ZeroDivisionError: division by zero"),
        ("def f():\n    return g()\nf()", "execution", 11, "NameError"),
        ("x = (", "execution", 10, "SyntaxError"),
        ("import sys\nsys.exit(3)", "execution", 11, "SystemExit: 3"),
        ("class E(Exception):\n    def __str__(self): raise OSError\nraise E", "execution", 12, "E:"),
        (
            "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E",
            "execution", 12, "E: (its message cannot be shown)",
        ),
        ("raise ValueError('a\\x1b[31mb\\x00')", "execution", 10, "ValueError: a\ufffd[31mb\ufffd"),
        ("def f(): f()\nf()", "execution", 10, "RecursionError"),
        ("input()", "execution", 10, "EOFError"),
        ("import os\nos._exit(0)", "crash", 11, "status 0"),
        ("import os\nos._exit(7)", "crash", 11, "status 7"),
        ("import ctypes\n\nctypes.string_at(0)", "crash", 12, "SIGSEGV"),
        ("import os\nos.abort()", "crash", 11, "SIGABRT"),
        ("y = 1", "no_graph", None, "y is of type int"),
        ("pass", "no_graph", None, "assigns nothing"),
        ("y = []", "no_graph", None, "y is empty"),
        ("import torch\ny = torch.ones(2)", "no_graph", None, "nothing that requires grad"),
        (HEAD + "y = x.detach()", "no_graph", None, "detached"),
        (HEAD + "with torch.no_grad():\n    y = x * 2", "no_graph", None, "no_grad"),
        (HEAD + "y = (x > 0)", "no_graph", None, "torch.bool"),
        (HEAD + "torch.set_grad_enabled(False)\ny = x * 2", "no_graph", None, "switched off"),
        (HEAD + "with torch.inference_mode():\n    y = x * 2", "no_graph", None, "inference_mode"),
    ],
)  # fmt: skip
def test_faults(
    runner: Runner, tmp_path: Path, code: str, kind: str, line: int | None, says: str
) -> None:
    found = diagnostic(run(runner, program(tmp_path, code)))
    assert (found.kind, found.line) == (kind, line)
    assert says in found.sentence()
    assert str(tmp_path) not in found.report()


@pytest.mark.parametrize(
    ("code", "drawn"),
    [
        ("y = x * 2\nz = y.exp()\n1 / 0\n", ["z"]),  # nor is what raises a value
        ("z = x * 2\ny = z / 0 + 1 // 0\nq = 3\n", ["z"]),  # what was never bound is not drawn
        ("x * 2\ny = 1 / 0\n", ["x * 2"]),
    ],
)
def test_what_was_made_until_an_expected_exception_is_drawn_by_itself(
    runner: Runner, tmp_path: Path, code: str, drawn: list[str]
) -> None:
    graph = run(runner, program(tmp_path, HEAD + code, raises="ZeroDivisionError"))
    assert names(graph) == drawn


def test_an_expression_that_raises_names_itself(runner: Runner, tmp_path: Path) -> None:
    found = diagnostic(run(runner, program(tmp_path, HEAD, "x.nothing")))
    assert found.kind == "execution"
    assert found.sentence().startswith(":tensor: x.nothing raised AttributeError")


@pytest.mark.parametrize("loop", ["while True: pass", "import time\ntime.sleep(60)"])
def test_a_program_without_end_is_stopped_where_it_is(
    runner: Runner, tmp_path: Path, loop: str
) -> None:
    begin = time.monotonic()
    found = diagnostic(run(runner, program(tmp_path, loop, timeout=1.0)))
    assert time.monotonic() - begin < 20
    assert found.kind == "timeout"
    assert found.line == 10 + loop.count("\n")


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("method", "end"),
    [
        (default_method(), "y = x * 2"),
        pytest.param("fresh", "y = x * 2", marks=pytest.mark.long),
        pytest.param("fresh", "os._exit(1)", marks=pytest.mark.long),
    ],
)
def test_nothing_that_a_program_starts_outlives_it(
    runner: Runner, tmp_path: Path, method: Method, end: str
) -> None:
    mark = f"left-behind-by-{os.getpid()}-{time.monotonic_ns()}"
    code = (
        HEAD + "import os, subprocess, sys, threading, time\n"
        f"hang = [sys.executable, '-c', 'import time; time.sleep(600)', '{mark}']\n"
        "subprocess.Popen(hang, start_new_session=True)\n"
        "if os.fork() == 0:\n    os.setsid()\n    subprocess.Popen(hang)\n    os._exit(0)\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        f"{end}"
    )
    with using(runner, method) as own:
        found = run(own, program(tmp_path, code))
        assert isinstance(found, Graph) == (end == "y = x * 2")
    left = []
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in cmdline.read_bytes():
                left.append(cmdline.parent.name)
        except OSError:
            continue
    assert left == []


def test_a_sum_of_many_terms_over_lines_is_a_value_as_any_other(
    runner: Runner, tmp_path: Path
) -> None:
    terms = "y = x * 2\n(" + " + ".join(["y"] * 900) + "\n)"
    found = run(runner, program(tmp_path, HEAD + terms))
    assert isinstance(found, Graph), found
    assert len(found.nodes) == 901


def test_programs_do_not_reach_each_other(runner: Runner, tmp_path: Path) -> None:
    spoil = HEAD + (
        "import json, os, builtins\n"
        "torch.set_default_dtype(torch.float64); torch.manual_seed = None\n"
        "json.dumps = os.write = builtins.len = None\nos.chdir('/')\n"
        "os.environ['SPOILED'] = '1'\nos.closerange(3, 100)\ny = x * 2"
    )
    clean = HEAD + (
        "import os\nassert 'SPOILED' not in os.environ\n"
        "assert torch.get_default_dtype() == torch.float32\ny = x * 2"
    )
    results = runner.run([program(tmp_path, spoil), program(tmp_path, clean)] * 3)
    assert [names(result.targets[0]) for result in results] == [["y"]] * 6


def test_programs_are_seeded(runner: Runner, tmp_path: Path) -> None:
    code = (
        HEAD + "import random, numpy\n"
        "got = (random.random(), numpy.random.rand(), torch.rand(()).item())\n"
        "raise ValueError(got)"
    )
    first, again, other = (
        diagnostic(result.targets[0]).sentence()
        for result in runner.run(
            [
                program(tmp_path, code, seed=1),
                program(tmp_path, code, seed=1),
                program(tmp_path, code, seed=2),
            ]
        )
    )
    assert first == again != other


@pytest.mark.parametrize("where", ["page", pytest.param("file", marks=pytest.mark.long)])
def test_processes_that_a_program_spawns_have_its_definitions(
    runner: Runner, tmp_path: Path, where: str
) -> None:
    code = HEAD + (
        "from torch.utils.data import DataLoader, Dataset\nSIZE = 4\n"
        "class Numbers(Dataset):\n"
        "    def __len__(self): return SIZE\n"
        "    def __getitem__(self, index): return torch.tensor(float(index))\n"
        "def double(value): return value * 2\n"
        "loader = DataLoader(Numbers(), batch_size=2, num_workers=1, "
        "multiprocessing_context='spawn')\n"
        "y = sum((batch * x[:2]).sum() for batch in loader)\n"
        "import multiprocessing\n"
        "with multiprocessing.get_context('forkserver').Pool(1) as pool:\n"
        "    assert pool.map(double, [1, 2]) == [2, 4]\n"
    )
    made = program(tmp_path, code, "y") if where == "page" else of_file(write_file(tmp_path, code))
    if where == "file":
        made = replace(made, targets=(Target(1, ("y",)),))
    assert names(run(runner, made)) == ["y"]


def test_a_helper_of_equal_size_and_time_is_read_anew(runner: Runner, tmp_path: Path) -> None:
    path = write_file(tmp_path, "import helper\n" + HEAD + "y = getattr(x, helper.op)()\n")
    helper = path.with_name("helper.py")
    for op in ("sin", "cos"):
        helper.write_text(f"op = '{op}'\n")
        os.utime(helper, (1_000_000_000, 1_000_000_000))
        graph = run(runner, of_file(path))
        assert isinstance(graph, Graph)
        assert graph.chain == (f"{op.title()}Backward0",)
    assert not list(path.parent.glob("__pycache__"))


@pytest.mark.long
def test_many_programs_at_once_come_back_in_order(tmp_path: Path) -> None:
    with Runner(jobs=2) as runner:
        programs = [program(tmp_path, HEAD + f"y{i} = x * {i}") for i in range(12)]
        found = [names(result.targets[0]) for result in runner.run(programs)]
    assert found == [[f"y{i}"] for i in range(12)]


@forks
def test_how_the_worker_is_tuned_is_none_of_a_programs_business(
    runner: Runner, tmp_path: Path
) -> None:
    tuned = "{'GLIBC_TUNABLES', 'OPENBLAS_THREAD_TIMEOUT'}"
    code = HEAD + f"import os\nassert not {tuned} & set(os.environ)\ny = x * 2"
    assert names(run(runner, program(tmp_path, code))) == ["y"]


def test_asking_whether_results_are_there_costs_nothing(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = runner.submit([program(tmp_path, HEAD + "y = x * 2")])
    with monkeypatch.context() as patched:  # as a build does for each page that is not done
        patched.setattr(runner.worker, "wait", lambda seconds: pytest.fail("it looked again"))
        assert not pending.done()
    pending.results()
    assert pending.done()


@pytest.mark.long
def test_big_graphs_cross(runner: Runner, tmp_path: Path) -> None:
    code = HEAD + "y = x\nfor i in range(100_000):\n    y = y * 1.0\n"
    results = runner.run([program(tmp_path, code, "y")] * 3)
    for result in results:
        assert isinstance(result.targets[0], Traced)
        assert len(result.targets[0].graph.nodes) == 100_001


@pytest.mark.long
def test_big_graphs_of_functions_cross(runner: Runner, tmp_path: Path) -> None:
    # What a function returns nobody holds but us, and torch destroys it by recursion.
    code = "import torch\ndef f():\n    y = torch.ones(1, requires_grad=True)\n"
    code += "    for i in range(100_000):\n        y = y * 1.0\n    return y\n"
    path = tmp_path / "f.py"
    path.write_text(code)
    block = Block(code=code, file="f.py", path=str(path))
    made = replace(program(tmp_path, code), blocks=(block,), targets=(Target(after=1, member="f"),))
    (result,) = runner.run([made])
    assert isinstance(result.targets[0], Traced)
    assert len(result.targets[0].graph.nodes) == 100_001


def targets_of(result: Result) -> tuple[Traced, ...]:
    assert all(isinstance(target, Traced) for target in result.targets), result
    return cast("tuple[Traced, ...]", result.targets)


def worker_of(runner: Runner) -> ForkingWorker:
    assert isinstance(runner.worker, ForkingWorker)
    return runner.worker


@forks
def test_the_worker_ends_with_its_runner(tmp_path: Path) -> None:
    with Runner() as runner:
        run(runner, program(tmp_path, HEAD + "y = x * 2"))
        worker = worker_of(runner)
        pid, directory = worker.pid, worker.directory
        assert pid is not None
        assert alive(pid)
    assert not alive(pid)
    assert not os.path.exists(directory)


def test_a_rehearsal_changes_nothing_that_programs_see() -> None:
    def seen() -> tuple[object, ...]:
        modules = {name: id(module) for name, module in sys.modules.items()}
        threads, tracing = threading.active_count(), sys.gettrace()
        return os.getcwd(), list(sys.path), dict(os.environ), modules, threads, tracing

    rehearse()  # imports that are made at first use are what it is for
    before = seen()
    rehearse()
    assert seen() == before


@forks
def test_a_supervisor_serves_one_program_after_the_other(tmp_path: Path) -> None:
    code = HEAD + "import os\nfound = {os.getppid(): x, os.getpid(): x}"
    with Runner(1) as runner:
        results = runner.run([program(tmp_path, code, "found")] * 3)
        worker = worker_of(runner)
        assert worker.pid is not None
        # One supervisor, with the child that it keeps for the next program.
        wait_until(lambda: len(descendants(worker.pid or 0)) == 2, 5)
        assert len([path for path in Path(worker.directory).iterdir() if path.is_dir()]) == 1
    supervisors, children = (
        {drawn.graph.outputs[place].name for (drawn,) in map(targets_of, results)}
        for place in (0, 1)
    )
    assert len(supervisors) == 1
    assert len(children) == 3


@forks
def test_a_worker_that_was_released_is_started_again(tmp_path: Path) -> None:
    drawn = program(tmp_path, HEAD + "y = x * 2")
    with Runner() as runner:
        first = names(run(runner, drawn))
        before = worker_of(runner).pid
        assert before is not None
        runner.release()
        wait_until(lambda: not Path(worker_of(runner).directory).exists(), 5)
        assert names(run(runner, drawn)) == first
        assert worker_of(runner).pid not in (None, before)
        directory = worker_of(runner).directory
    assert not alive(before)
    assert not os.path.exists(directory)


@forks
def test_the_worker_imports_torch_before_it_is_needed(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    with Runner() as runner:
        cached = CachedRunner(runner, cache, Settings(), ())
        cached.warm_up()
        server = worker_of(runner).pid
        assert server is not None
        cached.submit([program(tmp_path, HEAD + "y = x * 2")]).results()
        assert worker_of(runner).pid == server
    with Runner() as runner:
        CachedRunner(runner, cache, Settings(), ()).warm_up()  # all may be remembered
        assert worker_of(runner).pid is None


@forks
def test_a_worker_whose_build_is_killed_while_it_imports_torch_leaves_no_directory(
    tmp_path: Path,
) -> None:
    code = (
        "import sys, time\n"
        "from sphinx_autogradgraph.runtime.torch_import import ending_with\n"
        "with ending_with(0): print(flush=True); time.sleep(60)\n"
    )
    directory = tmp_path / "worker"
    directory.mkdir()
    worker = subprocess.Popen(
        [sys.executable, "-c", code], cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdout.readline()
    worker.stdin.close()
    assert worker.wait(20) == 1
    assert not directory.exists()
    worker.stdout.close()


@pytest.mark.long
@forks
def test_a_worker_that_was_killed_is_started_again(tmp_path: Path) -> None:
    with Runner() as runner:
        run(runner, program(tmp_path, HEAD + "y = x * 2"))
        pid = worker_of(runner).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert names(run(runner, program(tmp_path, HEAD + "y = x * 2"))) == ["y"]
        assert worker_of(runner).pid != pid


@pytest.mark.long
@pytest.mark.parametrize(
    "process", [SupervisedProcess, pytest.param(LoneProcess, marks=pytest.mark.nightly)]
)
def test_a_fresh_process_does_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    process: type[SupervisedProcess] | type[LoneProcess],
) -> None:
    monkeypatch.setattr(fresh_processes, "SupervisedProcess", process)
    with Runner(method="fresh") as runner:
        results = runner.run(
            [
                program(tmp_path, HEAD + "y = x * 2"),
                program(tmp_path, "1 / 0"),
                program(tmp_path, "x = 1\nwhile True: pass", timeout=1.0),
                program(tmp_path, "import os\nos._exit(3)"),
            ]
        )
    assert names(results[0].targets[0]) == ["y"]
    diagnostics = [diagnostic(result.targets[0]) for result in results[1:]]
    assert [(found.kind, found.line) for found in diagnostics] == [
        ("execution", 10), ("timeout", 11), ("crash", 11),
    ]  # fmt: skip


@forks
@pytest.mark.parametrize("parallel", [False, True])
def test_when_sphinx_is_killed_everything_ends(project: Project, parallel: bool) -> None:
    mark = project.directory / "started"
    pages = [f"page{index}" for index in range(8 if parallel else 1)]
    project.write("index.rst", "T\n=\n\n.. toctree::\n\n" + "".join(f"   {p}\n" for p in pages))
    for page in pages:
        project.write(
            f"{page}.rst",
            f"T\n=\n\n.. autogradgraph::\n\n   import os, time\n   open({str(mark)!r}, 'a')\n"
            f"   # {mark}\n   time.sleep(600)\n",
        )
    sphinx = subprocess.Popen(
        [sys.executable, "-m", "sphinx", "-q", "-j", "4" if parallel else "1",
         str(project.directory), str(project.directory / "out")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(mark.exists, 60)
        ours = descendants(sphinx.pid)
        assert len(ours) >= 3  # the worker, a supervisor, a program
    finally:
        sphinx.kill()
        sphinx.wait()
    wait_until(lambda: not [pid for pid in ours if alive(pid)], 5)


def wait_until(condition: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def descendants(pid: int) -> list[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.long
def test_programs_fail_alike_without_forking(runner: Runner, tmp_path: Path) -> None:
    codes = [
        "x = 1\n1 / 0",
        "import sys\nsys.exit(3)",
        "class E(Exception):\n    def __str__(self): raise OSError\nraise E",
        "input()",
        "import os\nos._exit(7)",
        "import ctypes\n\nctypes.string_at(0)",
        "y = 1",
        "import torch\ny = torch.ones(2)",
        HEAD + "import os, json\nos.chdir('/')\njson.dumps = None\ny = x * 2",
        HEAD + "import helper\ny = x * 2",
    ]
    (tmp_path / "helper.py").write_text("factor = 2\n")
    programs = [program(tmp_path, code) for code in codes]
    with Runner(method="fresh") as fresh:
        results = fresh.run(programs)
    for code, one, other in zip(codes, results, runner.run(programs), strict=True):
        assert one.targets == other.targets, code
        assert one.files == other.files, code


def test_two_mistakes_that_look_like_something_else_get_a_hint(
    tmp_path: Path, runner: Runner
) -> None:
    caption = run(runner, program(tmp_path, "The loss of linear regression."))
    assert isinstance(caption, Diagnostic)
    assert "SyntaxError" in caption.sentence()
    assert "a caption is the option :caption:" in caption.sentence()
    plain = run(runner, program(tmp_path, "l = ("))
    assert isinstance(plain, Diagnostic)
    assert ":caption:" not in plain.sentence()
    code = "import torch\nif __name__ == '__main__':\n    l = torch.ones(2, requires_grad=True).sum()\n"
    script = replace(program(tmp_path, code, "l"), module="script")
    guarded = run(runner, script)
    assert isinstance(guarded, Diagnostic)
    assert "below its __main__ guard does not run" in guarded.sentence()
