"""A result is served again only while all that its program looked at is as it was."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sphinx_autogradgraph.program.observations import Observation, package
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


INSTALLED = {"a": "installed/__init__.py", "b": "shared/first.py", "c": "shared/second.py"}
"""Files of installed packages, by the names of their distributions."""


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
    "an installed package": ("import installed", write("site-packages/a.dist-info/RECORD",
        "installed/__init__.py,sha256=new,1\n")),
    "a part of an installed namespace": ("import shared.second", write(
        "site-packages/c.dist-info/RECORD", "shared/second.py,sha256=new,1\n")),
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
        for name, file in INSTALLED.items():
            write(f"site-packages/{file}", "")(directory)
            write(f"site-packages/{name}.dist-info/RECORD", f"{file},sha256=old,0\n")(directory)
        with zipfile.ZipFile(directory / "modules.zip", "w") as archive:
            archive.writestr("zipped.py", "factor = 2\n")
        found[case] = directory
        programs.append(made(directory, code))
    results = runner.run(programs)
    return {case: (found[case], result) for case, result in zip(CASES, results, strict=True)}


def made(directory: Path, code: str) -> Program:
    path = tuple(str(directory / name) for name in ("first", "second", "site-packages"))
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
    monkeypatch.syspath_prepend(directory / "site-packages")
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


@pytest.mark.xdist_group("observations")
@pytest.mark.parametrize("switch", ["PYTHONOPTIMIZE", "PYTORCH_JIT", "TORCH_COMPILE_DISABLE"])
def test_switches_of_python_and_torch_are_followed(
    remembered: dict[str, tuple[Path, Result]], switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, result = remembered["a module"]
    run, cache = made(directory, CASES["a module"][0]), Cache(directory / "_switches")
    write("helper.py", "factor = 2\n")(directory)
    monkeypatch.delenv(switch, raising=False)
    cache.put(run, result)
    assert cache.get(run) == result
    monkeypatch.setenv(switch, "1")
    assert cache.get(run) is None


@pytest.mark.parametrize(
    ("module", "records", "changes"),
    [
        ("plain.py", {"plain": "plain.py"}, {"plain"}),
        ("compiled.abi3.so", {"built": "compiled.abi3.so"}, {"built"}),
        ("own/__init__.py", {"own": "own/__init__.py", "z": "own/extra.py"}, {"own"}),
        ("part/a.py", {"a": "part/a.py", "b": "part/b.py", "c": "parting/b.py"}, {"a", "b"}),
        ("none.py", {"c": "nonesuch.py"}, set()),
    ],
)
def test_an_installed_package_is_known_by_the_records_of_all_that_share_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    records: dict[str, str],
    changes: set[str],
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    write(module, "")(tmp_path)
    for name, file in records.items():
        write(f"{name}.dist-info/RECORD", f"{file},sha256=old,0\n")(tmp_path)
    top = module.replace("/", ".").partition(".")[0]
    before = package(top)
    assert (before is None) == (not changes)
    for name, file in records.items():
        write(f"{name}.dist-info/RECORD", f"{file},sha256=new,0\n")(tmp_path)
        assert (package(top) != before) == (name in changes)
        write(f"{name}.dist-info/RECORD", f"{file},sha256=old,0\n")(tmp_path)


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
