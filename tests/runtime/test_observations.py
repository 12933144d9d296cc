"""A result is served again only while all that its program looked at is as it was."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sphinx_autogradgraph.program.observations import Observation
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.cache import Cache
from sphinx_autogradgraph.runtime.client import Runner
from sphinx_autogradgraph.runtime.result import Result, Traced
from tests.conftest import Project
from tests.runtime.test_execution import HEAD, program

LOADER = (
    "import importlib.util\nspec = importlib.util.spec_from_file_location('other', 'helper.py')\n"
    "module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n"
)

Change = Callable[[Path], object]


def write(name: str, text: str) -> Change:
    def change(directory: Path) -> None:
        (directory / name).parent.mkdir(exist_ok=True, parents=True)
        (directory / name).write_text(text)

    return change


def zipped(directory: Path) -> None:
    with zipfile.ZipFile(directory / "modules.zip", "w") as archive:
        archive.writestr("zipped.py", "factor = 3\n")


def set_variable(_: Path) -> None:
    os.environ["AUTOGRADGRAPH_TEST"] = "2"


CASES: dict[str, tuple[str, Change]] = {
    "a module": ("import helper", write("helper.py", "factor = 3\n")),
    "runpy": ("import runpy\nrunpy.run_path('helper.py')", write("helper.py", "factor = 3\n")),
    "exec": ("exec(open('helper.py').read())", write("helper.py", "factor = 3\n")),
    "a location": (LOADER, write("helper.py", "factor = 3\n")),
    "taken out": ("import helper, sys\ndel sys.modules['helper']", write("helper.py", "f = 3\n")),
    "data": ("import numpy\nnumpy.loadtxt('data/points.csv')", write("data/points.csv", "3\n")),
    "data that is not there": (
        "try:\n    open('absent.json')\nexcept OSError:\n    pass", write("absent.json", "{}"),
    ),
    "a listing": ("import glob\nglob.glob('data/*')", write("data/another.csv", "")),
    "a process that was forked": (
        "import os\npid = os.fork()\nif not pid:\n    open('data/points.csv').read()\n"
        "    os._exit(0)\nos.waitpid(pid, 0)",
        write("data/points.csv", "3\n"),
    ),
    "a module that was not found": (
        "try:\n    import optional\nexcept ImportError:\n    pass", write("optional.py", ""),
    ),
    "a module that comes in front": ("import later", write("first/later.py", "")),
    "a package that gets a file": ("import space.inner", write("space/__init__.py", "")),
    "a zip": ("import sys\nsys.path.insert(0, 'modules.zip')\nimport zipped", zipped),
    "a variable": ("import os\nos.environ.get('AUTOGRADGRAPH_TEST')", set_variable),
    "a variable as bytes": ("import os\nos.getenvb(b'AUTOGRADGRAPH_TEST')", set_variable),
    "a variable in a path": (
        "import os\nos.path.expandvars('$AUTOGRADGRAPH_TEST/data')", set_variable,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def remembered(
    runner: Runner, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Path, Result]]:
    """The result of each case, all run at once, each in a directory of its own."""
    found = {}
    programs = []
    for case, (code, _) in CASES.items():
        directory = tmp_path_factory.mktemp("case")
        write("helper.py", "factor = 2\n")(directory)
        write("data/points.csv", "1\n2\n")(directory)
        write("second/later.py", "")(directory)
        write("space/inner.py", "")(directory)
        (directory / "first").mkdir()
        with zipfile.ZipFile(directory / "modules.zip", "w") as archive:
            archive.writestr("zipped.py", "factor = 2\n")
        found[case] = directory
        programs.append(made(directory, code))
    results = runner.run(programs)
    return {case: (found[case], result) for case, result in zip(CASES, results, strict=True)}


def made(directory: Path, code: str) -> Program:
    path = (str(directory / "first"), str(directory / "second"))
    return program(directory, f"{HEAD}{code}\ny = x * 2", "y", path=path)


@pytest.mark.xdist_group("observations")
@pytest.mark.parametrize("case", CASES)
def test_what_a_program_looked_at_is_followed(
    remembered: dict[str, tuple[Path, Result]], case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTOGRADGRAPH_TEST", raising=False)
    code, change = CASES[case]
    directory, result = remembered[case]
    assert isinstance(result.targets[0], Traced), result
    run = made(directory, code)
    cache = Cache(directory / "_cache")
    cache.put(run, result)
    assert cache.get(run) == result
    monkeypatch.setenv("AUTOGRADGRAPH_TEST", "")
    monkeypatch.delenv("AUTOGRADGRAPH_TEST")
    change(directory)
    try:
        assert cache.get(run) is None
    finally:
        os.environ.pop("AUTOGRADGRAPH_TEST", None)


def test_what_the_loader_has_read_is_what_counts(runner: Runner, tmp_path: Path) -> None:
    helper = tmp_path / "helper.py"
    helper.write_text("factor = 2\n")
    (result,) = runner.run([program(tmp_path, "import helper\n" + HEAD + "y = x * 2", "y")])
    before = Observation.of_file(str(helper))
    assert before in result.observed
    # An edit while the program runs: what was loaded before it is not what is there.
    edit = f"import subprocess\nsubprocess.run(['sh', '-c', 'echo >> {helper}'], check=True)\n"
    (result,) = runner.run([program(tmp_path, HEAD + f"import helper\n{edit}y = x * 2", "y")])
    assert before in result.observed
    assert Observation.of_file(str(helper)) not in result.observed


def test_what_a_program_writes_is_no_dependency_of_it(runner: Runner, tmp_path: Path) -> None:
    code = HEAD + "open('out.txt', 'w').write('1')\nopen('out.txt').read()\ny = x * 2"
    (result,) = runner.run([program(tmp_path, code, "y")])
    assert result.files == ()


@pytest.mark.long
def test_a_page_is_read_again_when_what_its_program_read_changes(project: Project) -> None:
    project.write("points.csv", "1,2\n")
    project.write(
        "index.rst",
        "T\n=\n\n.. autogradgraph::\n\n   import torch, csv\n"
        "   rows = list(csv.reader(open('points.csv')))\n"
        "   x = torch.ones(len(rows), requires_grad=True)\n   y = x * 2\n",
    )
    assert "(1,)" in project.build("html", "-W").read("index.html")
    assert "0 changed" in project.build("html", "-W").stdout
    project.write("points.csv", "1,2\n3,4\n")
    assert "(2,)" in project.build("html", "-W").read("index.html")


@pytest.mark.long
def test_what_we_list_ourselves_is_not_followed(tmp_path: Path) -> None:
    run = program(tmp_path, f"{HEAD}y = x * 2", "y")
    with Runner(method="fresh") as runner:  # in which nothing was asked before
        (result,) = runner.run([run])
    cache = Cache(tmp_path / "_cache")
    cache.put(run, result)
    write("_build/index.html", "")(tmp_path)
    assert cache.get(run) == result
