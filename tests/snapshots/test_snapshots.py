"""In sync: dependencies by content, the cache, snapshots, check and update, no torch."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sphinx.util

from sphinx_autogradgraph.core.atomic_files import ABANDONED, write_aside
from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.settings import Settings
from sphinx_autogradgraph.graph.model import Edge, Graph, Node, Output, TensorMeta
from sphinx_autogradgraph.hosts.cli import main
from sphinx_autogradgraph.program.observations import Observation
from sphinx_autogradgraph.program.program import Block, Program, Target, blocks_of_files
from sphinx_autogradgraph.runtime.cache import Cache, key_of
from sphinx_autogradgraph.runtime.cached_client import CachedRunner
from sphinx_autogradgraph.runtime.client import Runner
from sphinx_autogradgraph.runtime.result import Result, Traced
from sphinx_autogradgraph.snapshots.figure_names import FigureNames, is_altered
from sphinx_autogradgraph.snapshots.policy import SnapshotPolicy, fall_back
from sphinx_autogradgraph.snapshots.report import Report
from sphinx_autogradgraph.snapshots.store import SnapshotError, Snapshots, snapshot_text
from tests.conftest import Build, Project

TITLE = "Title\n=====\n\n"

SCRIPT = """\
import torch
import helper
open("runs", "a").write("x")
x = torch.ones(2, requires_grad=True)
y = getattr(x, helper.op)()
"""

WITHOUT_TORCH = """\
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, NoTorch())
"""


@pytest.fixture
def synced(project: Project) -> Project:
    project.conf("autogradgraph_snapshots = 'kept'")
    project.write("helper.py", "op = 'sin'\n")
    project.write("script.py", SCRIPT)
    project.write("index.rst", f"{TITLE}.. autogradgraph:: script.py\n   :name: the-graph\n")
    return project


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Python processes that are started find no torch."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(WITHOUT_TORCH)
    monkeypatch.setenv("PYTHONPATH", str(site))


def runs(project: Project) -> int:
    path = project.directory / "runs"
    return len(path.read_text()) if path.exists() else 0


def read_again(build: Build) -> str:
    found = re.search(r"(\d+) added, (\d+) changed, (\d+) removed", build.stdout)
    assert found, build.stdout
    return " ".join(found.groups())


def figure(build: Build, name: str = "index.html") -> str:
    found = re.search(r"<figure.*?</figure>", build.read(name), flags=re.DOTALL)
    assert found
    return found[0]


def command(project: Project, name: str, *pages: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sphinx_autogradgraph", name, str(project.directory), *pages],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def snapshot(project: Project) -> Path:
    return project.directory / "kept" / "index.the-graph.json"


# --- dependencies and cache ---


def test_nothing_changed_reads_and_runs_nothing(synced: Project) -> None:
    assert synced.build("html", "-W").status == 0
    again = synced.build("html", "-W")
    assert (read_again(again), runs(synced)) == ("0 0 0", 1)


@pytest.mark.long
def test_a_changed_script_and_a_changed_helper(synced: Project) -> None:
    synced.conf("")  # without snapshots: nothing is kept to drift from
    synced.build()
    synced.write("helper.py", "op = 'exp'\n")
    build = synced.build("html", "-W")
    assert (read_again(build), runs(synced)) == ("0 1 0", 2)
    assert "ExpBackward0" in figure(build)
    synced.write("script.py", SCRIPT + "y = y * 2\n")
    build = synced.build("html", "-W")
    assert (read_again(build), runs(synced)) == ("0 1 0", 3)
    assert "MulBackward0" in figure(build)


@pytest.mark.long
def test_changed_content_under_an_old_time_stamp(synced: Project) -> None:
    synced.conf("")
    synced.build()
    for name, text in (("helper.py", "op = 'cos'\n"), ("script.py", SCRIPT + "y = y + 1\n")):
        path = synced.write(name, text)
        os.utime(path, (1_577_836_800, 1_577_836_800))  # touch -d 2020-01-01
        assert read_again(synced.build("html", "-W")) == "0 1 0"
    assert runs(synced) == 3


@pytest.mark.long
def test_touched_only(synced: Project) -> None:
    synced.build()
    for name in ("helper.py", "script.py"):
        os.utime(synced.directory / name)
    assert (read_again(synced.build("html", "-W")), runs(synced)) == ("0 0 0", 1)
    os.utime(synced.directory / "index.rst")  # the page is Sphinx' to read again; nothing runs
    assert (read_again(synced.build("html", "-W")), runs(synced)) == ("0 1 0", 1)


@pytest.mark.long
def test_failing_twice_then_mended(synced: Project) -> None:
    synced.write("helper.py", "1 / 0\n")
    for _ in range(2):
        build = synced.build("html", "-W", "--keep-going")
        assert build.status == 1
        assert len(build.warnings) == 1
        assert "helper.py, line 1: ZeroDivisionError" in build.stderr
    synced.write("helper.py", "op = 'sin'\n")
    assert synced.build("html", "-W").status == 0
    assert read_again(synced.build("html", "-W")) == "0 0 0"


@pytest.mark.long
def test_a_file_that_appears_is_noticed(project: Project) -> None:
    project.write("index.rst", f"{TITLE}.. autogradgraph:: late.py\n")
    assert len(project.build().warnings) == 1
    project.write("late.py", "import torch\nx = torch.ones(2, requires_grad=True) * 2\n")
    assert project.build("html", "-W").status == 0


@pytest.mark.long
def test_a_deleted_directive_leaves_nothing_behind(synced: Project) -> None:
    synced.build()
    synced.write("index.rst", TITLE + "Nothing.\n")
    synced.build("html", "-W")
    synced.write("helper.py", "1 / 0\n")
    assert read_again(synced.build("html", "-W")) == "0 0 0"
    assert "<figure" not in synced.build().read("index.html")


@pytest.mark.long
def test_the_cache_elsewhere_serves_another_checkout(synced: Project, tmp_path: Path) -> None:
    synced.conf("autogradgraph_cache = '../cache'")
    first = synced.build()
    assert list((tmp_path / "cache").glob("*/*.json.gz"))
    other = Project(tmp_path / "elsewhere" / "docs")
    for name in ("conf.py", "helper.py", "script.py", "index.rst"):
        other.write(name, (synced.directory / name).read_text())
    (tmp_path / "cache").rename(tmp_path / "elsewhere" / "cache")
    second = other.build("html", "-W")
    assert runs(other) == 0
    assert figure(first) == figure(second)


@pytest.mark.long
def test_two_builds_at_the_same_time_on_one_cache(synced: Project) -> None:
    synced.conf("autogradgraph_cache = 'cache'")
    pages = [f"page{index}" for index in range(6)]
    for page in pages:
        synced.write(
            f"{page}.rst",
            f":orphan:\n\n{TITLE}.. autogradgraph::\n\n   import torch\n"
            f"   {page} = torch.ones(2, requires_grad=True)\n   {page} * 2\n",
        )

    def build(name: str) -> Build:
        out = str(synced.directory / "_build" / f"doctrees-{name}")
        return synced.build("html", "-W", "-E", "-j", "2", "-d", out, out=name)

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(build, ["one", "two"])
    assert one.status == two.status == 0, one.stderr + two.stderr
    for page in ["index", *pages]:
        assert one.read(f"{page}.html") == two.read(f"{page}.html")
    assert not list((synced.directory / "cache").rglob(".part-*"))


@pytest.mark.long
def test_a_cache_that_cannot_be_written_is_one_warning(synced: Project) -> None:
    synced.write("in-the-way", "a file where the directory should be")
    synced.conf("autogradgraph_cache = 'in-the-way'")
    build = synced.build()
    (warning,) = build.warnings
    assert "index.rst:4: WARNING: the cache cannot be written" in warning
    assert "<svg" in figure(build)


@pytest.mark.long
def test_the_table_of_tensors_is_kept_too(synced: Project) -> None:
    synced.write("index.rst", PAGE)
    synced.build("html", "-W")
    assert synced.build("html", "-W", "-E").status == 0  # a scalar in it is no drift
    assert command(synced, "check").returncode == 0
    text = (synced.directory / "kept" / "index.page-graph.json").read_text()
    assert '"name": "X", "shape": [3, 2]' in text


META = (TensorMeta((2,), "float32", "cpu"),)
GRAPH = Graph((Output("w", 0, 0),), (Node(0, "leaf", "AccumulateGrad", "w", META),), ())


def a_program(directory: Path, code: str = "x", **options: Any) -> Program:
    return Program(
        (Block(code, "page.rst", str(directory / "page.rst")),), (Target(1),),
        str(directory), str(directory), **options,
    )  # fmt: skip


def test_cache_entries(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    helper = tmp_path / "helper.py"
    helper.write_text("1")
    program = a_program(tmp_path)
    result = Result((Traced(GRAPH),), (Observation.of_file(str(helper)),))
    assert cache.get(program) is None
    cache.put(program, result)
    assert cache.get(program) == result
    assert cache.get(a_program(tmp_path, timeout=3.0)) == result  # no part of what it computes
    for other in (a_program(tmp_path, "y"), a_program(tmp_path, seed=1)):
        assert cache.get(other) is None
        assert key_of(other) != key_of(program)
    helper.write_text("2")
    assert cache.get(program) is None
    helper.unlink()
    assert cache.get(program) is None
    cache.put(a_program(tmp_path, "fails"), Result.of_diagnostic(Diagnostic("execution", "no"), 1))
    assert cache.get(a_program(tmp_path, "fails")) is None


def test_an_entry_that_cannot_be_written_is_no_fault_of_later_ones(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    programs, result = [a_program(tmp_path, code) for code in "ab"], Result((Traced(GRAPH),))
    key = key_of(programs[0], {})
    directory = tmp_path / "cache" / key[:2] / f"{key}.json.gz"
    directory.mkdir(parents=True)
    with Runner() as runner:
        cached = CachedRunner(runner, cache, Settings(), ())
        for program in programs:
            cached.remember(program, result)
        assert cache.get(programs[1]) == result
        error = cached.take_cache_error()
        assert error is not None
        assert error.kind == "cache"
        assert cached.take_cache_error() is None  # as long as no other fails


@pytest.mark.parametrize(
    "data",
    [b"", b"junk", gzip.compress(b"[]"), gzip.compress(b'{"format": 1, "key": "other"}'),
     gzip.compress(b"{}")[:-4], gzip.compress(b"\xff\xfe")],
    ids=["empty", "junk", "a list", "foreign", "cut off", "no text"],  # gzip's bytes tell the time
)  # fmt: skip
def test_a_corrupt_or_foreign_entry_is_a_miss(tmp_path: Path, data: bytes) -> None:
    cache = Cache(tmp_path)
    program = a_program(tmp_path)
    cache.put(program, Result((Traced(GRAPH),)))
    (path,) = tmp_path.glob("*/*.json.gz")
    path.write_bytes(data)
    assert cache.get(program) is None
    cache.put(program, Result((Traced(GRAPH),)))
    assert cache.get(program) == Result((Traced(GRAPH),))


def test_a_damaged_graph_in_an_entry_is_a_miss(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    program = a_program(tmp_path)
    cache.put(program, Result((Traced(GRAPH),)))
    (path,) = tmp_path.glob("*/*.json.gz")
    entry = json.loads(gzip.decompress(path.read_bytes()))
    target = entry["result"]["targets"][0]
    graph = json.loads(target["graph"])
    graph["outputs"][0]["node"] = 7
    target["graph"] = json.dumps(graph)
    path.write_bytes(gzip.compress(json.dumps(entry).encode()))
    assert cache.get(program) is None


def test_an_entry_that_does_not_fit_into_memory_is_a_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path)
    program = a_program(tmp_path)
    cache.put(program, Result((Traced(GRAPH),)))

    def refuse(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(json, "loads", refuse)
        assert cache.get(program) is None
    assert cache.get(program) is not None
    monkeypatch.setattr("sphinx_autogradgraph.runtime.cache.MAX_ENTRY", 100)
    assert cache.get(program) is None


def test_no_damage_to_an_entry_ends_a_build(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    program = a_program(tmp_path)
    cache.put(program, Result((Traced(GRAPH),)))
    (path,) = tmp_path.glob("*/*.json.gz")
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (0, 3, 7):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            path.write_bytes(flipped)
            assert cache.get(program) in (None, Result((Traced(GRAPH),)))
    text = gzip.decompress(whole).decode()
    for damaged in (
        text.replace('"notes": []', '"notes": [{"text": "{a.__class__}", "values": {"a": ""}}]'),
        text.replace('"notes": []', '"notes": [{"text": "{a:>999999999}", "values": {"a": ""}}]'),
        text.replace('"notes": []', '"notes": [{"text": 5, "values": {}}]'),
        text.replace('"notes": []', '"notes": ' + "[" * 100_000 + "]" * 100_000),
        text.replace(r"\"name\": \"w\"", r"\"name\": {}"),
        text.replace('"tensors": []', '"tensors": [{"name": null}]'),
    ):
        assert damaged != text
        path.write_bytes(gzip.compress(damaged.encode()))
        assert cache.get(program) is None
    path.unlink()
    os.mkfifo(path)
    assert cache.get(program) is None


def test_a_cache_that_is_read_only_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path)
    program = a_program(tmp_path)
    cache.put(program, Result((Traced(GRAPH),)))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read only")

    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    assert cache.get(program) == Result((Traced(GRAPH),))
    cache.prune(most=0)


def test_files_are_as_public_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_aside(tmp_path / "private", b"")
        os.umask(0o022)
        write_aside(tmp_path / "public", b"")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("private", "public")]
    assert modes == [0o600, 0o644]


def test_what_a_killed_writer_left_is_swept_by_a_later_one(tmp_path: Path) -> None:
    kill = "import os; os.replace = lambda *_: os.kill(os.getpid(), 9)\n"
    write = (
        "from sphinx_autogradgraph.core.atomic_files import write_aside\nfrom pathlib import Path\n"
    )
    code = f"{write}{kill}write_aside(Path({str(tmp_path / 'page')!r}), b'half')"
    subprocess.run([sys.executable, "-c", code], check=False)
    (left,) = tmp_path.iterdir()
    theirs = tmp_path / ".part-1234567890abcdef"
    theirs.touch()
    before = time.time() - 2 * ABANDONED
    os.utime(theirs, (before, before))

    def write_anew() -> set[str]:
        code = f"{write}write_aside(Path({str(tmp_path / 'page')!r}), b'whole')"
        subprocess.run([sys.executable, "-c", code], check=True)
        return {path.name for path in tmp_path.iterdir()}

    assert write_anew() == {"page", left.name, theirs.name}  # it may be of a writer at work
    os.utime(left, (before, before))
    assert write_anew() == {"page", theirs.name}


def test_the_cache_stays_in_bounds(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for index in range(10):
        cache.put(a_program(tmp_path, str(index)), Result((Traced(GRAPH),)))
        (path,) = tmp_path.glob(f"*/{key_of(a_program(tmp_path, str(index)))}.json.gz")
        os.utime(path, (index, index))
    size = path.stat().st_size
    cache.get(a_program(tmp_path, "0"))  # used just now
    theirs = [
        tmp_path / name for name in ("data/points.json.gz", "da/points.json.gz", f"xy/{path.name}")
    ]
    for file in theirs:
        file.parent.mkdir()
        file.write_bytes(path.read_bytes())
        os.utime(file, (0, 0))
    cache.prune(most=3 * size + 10)
    left = [index for index in range(10) if cache.get(a_program(tmp_path, str(index)))]
    assert left == [0, 8, 9]
    assert all(file.exists() for file in theirs)
    assert not cache.is_empty()
    cache.prune(most=0)
    assert cache.is_empty()


# --- snapshots ---


def test_a_snapshot_is_kept_and_drift_is_a_warning(synced: Project) -> None:
    assert synced.build("html", "-W").status == 0
    text = snapshot(synced).read_text()
    assert Graph.from_json(text).chain == ("SinBackward0",)
    assert sum('"kind"' in line for line in text.splitlines()) == 2
    assert str(synced.directory) not in text
    synced.write("helper.py", "op = 'cos'\n")
    # It comes back, until it is accepted or undone.
    for arguments, status in (((), 0), (("-W", "--keep-going"), 1)):
        drifted = synced.build("html", *arguments)
        assert drifted.status == status
        (warning,) = drifted.warnings
        assert (
            "index.rst:4: WARNING: the graph is no longer that of kept/index.the-graph.json"
            in warning
        )
        assert "    script.py:5  SinBackward0 became CosBackward0" in warning
    assert snapshot(synced).read_text() == text
    quiet = synced.build("html", "-W", "-D", "suppress_warnings=autogradgraph.drift")
    assert quiet.status == 0
    synced.write("helper.py", "op = 'sin'\n")
    assert synced.build("html", "-W").status == 0


@pytest.mark.long
def test_check_and_update(synced: Project) -> None:
    missing = command(synced, "check")
    assert missing.returncode == 1
    assert "there is no snapshot kept/index.the-graph.json" in missing.stdout
    assert not snapshot(synced).exists()  # it touches nothing
    accepted = command(synced, "update")
    assert accepted.returncode == 0
    assert "new: kept/index.the-graph.json" in accepted.stdout

    synced.write("helper.py", "op = 'exp'\n")
    stray = synced.write("kept/gone.1.json", snapshot(synced).read_text())
    before = snapshot(synced).read_text()
    drifted = command(synced, "check")
    assert drifted.returncode == 1
    assert "script.py:5  SinBackward0 became ExpBackward0" in drifted.stdout
    assert "no figure has the snapshot kept/gone.1.json" in drifted.stdout
    assert (
        "1 graphs: 0 as kept, 1 drifted, 0 without a snapshot, 0 failed; 1 snapshots"
        in drifted.stdout
    )
    assert snapshot(synced).read_text() == before
    assert stray.exists()

    accepted = command(synced, "update")
    assert accepted.returncode == 0
    assert "changed: kept/index.the-graph.json" in accepted.stdout
    assert "SinBackward0 became ExpBackward0" in accepted.stdout
    assert "removed: kept/gone.1.json" in accepted.stdout
    assert not stray.exists()
    checked = command(synced, "check", "-v")
    assert checked.returncode == 0
    assert checked.stdout.count("1 graphs: 1 as kept") == 1  # not also by the builder

    synced.write("helper.py", "1 / 0\n")
    failed = command(synced, "check")
    assert failed.returncode == 1
    assert "ZeroDivisionError" in failed.stdout
    assert "1 failed; 0 snapshots without" in failed.stdout
    before = snapshot(synced).read_text()
    assert command(synced, "update").returncode == 1
    assert snapshot(synced).read_text() == before  # what fails is not accepted, nor lost


@pytest.mark.long
def test_the_builder_checks_too(synced: Project) -> None:
    synced.build("html", "-W")
    assert synced.build("autogradgraph").status == 0
    synced.write("helper.py", "op = 'exp'\n")
    build = synced.build("autogradgraph")
    assert build.status == 1
    assert "SinBackward0 became ExpBackward0" in build.stderr
    assert runs(synced) == 3  # it runs everything, whatever the cache knows


def test_wrong_usage_of_the_command(project: Project, tmp_path: Path) -> None:
    project.write("index.rst", TITLE)
    without = command(project, "check")
    assert without.returncode == 2
    assert "autogradgraph_snapshots is not set" in without.stderr
    project.directory = tmp_path / "nowhere"
    assert command(project, "check").returncode == 2


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "same"),
    [
        (SCRIPT.replace("import torch\n", "import torch\n# a new line\nunused = 3\n"), True),
        (SCRIPT + "z = torch.ones(3)\n", True),
        (SCRIPT.replace("x", "v").replace("evp", "exp").replace("getattr(v", "getattr(v"), False),
    ],
)
def test_moved_lines_are_no_drift(synced: Project, text: str, same: bool) -> None:
    synced.write(
        "index.rst", f"{TITLE}.. autogradgraph:: script.py\n   :name: the-graph\n   :tensor: y\n"
    )
    assert command(synced, "update").returncode == 0
    synced.write("script.py", text)
    assert (command(synced, "check").returncode == 0) is same


@pytest.mark.long
def test_a_snapshot_that_cannot_be_read(synced: Project) -> None:
    synced.build("html", "-W")
    snapshot(synced).write_text("{")
    build = synced.build()
    (warning,) = build.warnings
    assert "the snapshot kept/index.the-graph.json cannot be read" in warning
    assert "<svg" in figure(build)
    assert snapshot(synced).read_text() == "{"
    assert command(synced, "update").returncode == 0
    assert synced.build("html", "-W").status == 0


def test_two_figures_never_share_a_file() -> None:
    names = ["loss graph", "", "loss-graph", "Loss-Graph", "2", "a b/../c", "0.1", "损失", "x" * 300,
             "loss-graph", "loss-graph", ""]  # fmt: skip
    one = FigureNames("v1", {"v1.0"}.__contains__)
    one.add(zip(names, range(1, 13), strict=True))
    files = [one.of(number) for number in range(1, 13)]
    assert len({file.casefold() for file in files}) == 12
    assert all("/" not in file and len(file) <= 80 for file in files)
    kept = {2: "2", 3: "loss-graph", 6: "a-b-..-c", 8: "损失", 12: "12"}
    assert {number: one.of(number) for number in kept} == kept
    altered = [
        number
        for number, name in enumerate(names, 1)
        if is_altered(name, f"v1.{one.of(number)}.json")
    ]
    assert altered == [1, 4, 5, 7, 10, 11]
    other = FigureNames("v1.0", {"v1"}.__contains__)
    other.add([("1", 1)])
    assert f"v1.0.{other.of(1)}" not in {f"v1.{file}" for file in files}
    alone = FigureNames("v1", {"v1"}.__contains__)
    alone.add([("loss graph", 1), ("0.1", 2), ("3", 3)])
    assert [alone.of(number) for number in (1, 2, 3)] == ["loss-graph", "0.1", "3"]


def test_a_snapshot_that_is_written_is_read(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path, tmp_path)
    traced = Traced(GRAPH)
    path = snapshots.path("sub/page", "1")
    snapshots.write(path, traced)
    assert path == tmp_path / "sub/page.1.json"
    assert snapshots.read(path) == traced
    assert snapshot_text(traced) == GRAPH.to_json()
    assert snapshots.orphans([], lambda _: True) == [path]
    assert snapshots.orphans([], lambda page: page != "sub/page") == []
    assert snapshots.orphans([path], lambda _: True) == []


FOREIGN = {
    "package.lock.json": '{"name": "app", "version": "1.0.0"}',
    "data.v1.json": '{"version": 1, "outputs": [1, 2]}',
    "theme.dark.json": '{"version": 1, "outputs": [], "nodes": [], "edges": []}',
    "list.1.json": "[]",
    "notes.1.json": "no JSON at all",
}


def test_what_is_not_ours_is_never_removed(tmp_path: Path) -> None:
    pages = tmp_path / "docs"
    pages.mkdir()
    for name, text in FOREIGN.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "drawn.1.json").write_text(GRAPH.to_json())  # somebody's
    (tmp_path / "link.1.json").symlink_to(tmp_path / "data.v1.json")
    os.mkfifo(tmp_path / "pipe.1.json")
    for snapshots in (Snapshots(tmp_path, pages), Snapshots(tmp_path / "kept", pages)):
        snapshots.write(snapshots.path("gone", "1"), Traced(GRAPH))
        tested = Snapshots(snapshots.directory)  # as assert_graph keeps them
        tested.write(tested.path("tested", "1"), Traced(GRAPH))
        assert tested.orphans([], lambda _: True) == []
        orphans = snapshots.orphans([], lambda _: True)
        assert snapshots.path("gone", "1") in orphans
        assert {path.name for path in orphans} == {"gone.1.json"}


@pytest.mark.parametrize("text", [*list(FOREIGN.values())[:4], '{"version": 2, "outputs": []}'])
def test_what_is_not_ours_is_never_overwritten(tmp_path: Path, text: str) -> None:
    path = tmp_path / "page.1.json"
    path.write_text(text)
    with pytest.raises(SnapshotError):
        Snapshots(tmp_path).write(path, Traced(GRAPH))
    assert path.read_text() == text


@pytest.mark.parametrize("kept", ["foreign", "folder", "in a file"])
def test_an_update_that_cannot_write_has_failed(tmp_path: Path, kept: str) -> None:
    path = tmp_path / "page.1.json"
    if kept == "folder":
        path.mkdir()
    elif kept == "foreign":
        path.write_text('{"name": "somebody\'s"}')
    else:
        (tmp_path / "page").write_text("no folder")
        path = tmp_path / "page" / "deeper.1.json"
    policy = SnapshotPolicy(str(tmp_path), "kept")
    comparison, told = policy.keep(path, Traced(GRAPH), "update", 1)
    assert comparison.status == "failed"
    assert len(told) == 1
    report = Report.of({"page": [comparison]}, policy)
    assert report.conclude("update") == 1
    assert "changed" not in "\n".join(report.conclusion("update"))


def test_nothing_but_a_file_of_the_directory_is_opened(tmp_path: Path) -> None:
    inside, outside = tmp_path / "kept", tmp_path / "secret.1.json"
    inside.mkdir()
    outside.write_text(GRAPH.to_json())
    snapshots = Snapshots(inside)
    os.mkfifo(inside / "pipe.1.json")
    (inside / "device.1.json").symlink_to("/dev/zero")
    (inside / "link.1.json").symlink_to(outside)
    (inside / "round.1.json").symlink_to(inside / "round.1.json")
    (inside / "out").symlink_to(tmp_path)
    for name in ("pipe.1", "device.1", "link.1", "round.1", "out/secret.1"):
        with pytest.raises(SnapshotError):
            snapshots.read(inside / f"{name}.json")
        with pytest.raises((SnapshotError, OSError)):
            snapshots.write(inside / f"{name}.json", Traced(GRAPH))
    assert outside.read_text() == GRAPH.to_json()


def test_what_no_snapshot_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.1.json"
    members = GRAPH.to_json().replace('"op"', '"members": ["\\"><script>"], "op"')
    values = GRAPH.to_json().replace('"device": "cpu"', '"device": "cpu", "values": [1.0, 2.0]')
    for text in (members, values):
        assert text != GRAPH.to_json()
        path.write_text(text)
        with pytest.raises(SnapshotError):
            Snapshots(tmp_path).read(path)


def test_two_projects_share_a_directory(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (Snapshots(kept, tmp_path / name) for name in ("one", "two"))
    one.write(one.path("a", "1"), Traced(GRAPH))
    two.write(two.path("b", "1"), Traced(GRAPH))
    assert [path.name for path in one.orphans([], lambda _: True)] == ["a.1.json"]
    assert [path.name for path in two.orphans([], lambda _: True)] == ["b.1.json"]
    with pytest.raises(SnapshotError, match="belongs to the project"):
        two.write(two.path("a", "1"), Traced(GRAPH))
    (tmp_path / "one").rename(tmp_path / "three")  # a project that has moved has its snapshots
    moved = Snapshots(kept, tmp_path / "three")
    assert moved.read(moved.path("a", "1")) == Traced(GRAPH)


def test_an_update_loses_nothing(synced: Project) -> None:
    """Nothing that is not ours, and no snapshot of a page that has errors."""
    synced.conf("autogradgraph_snapshots = '.'")
    for name, text in FOREIGN.items():
        synced.write(name, text)
    synced.write("typo.rst", f":orphan:\n\n{TITLE}.. autogradgraph:: script.py\n")
    synced.write("gone.rst", f":orphan:\n\n{TITLE}.. autogradgraph:: script.py\n")
    synced.write("part.rst", f":orphan:\n\n{TITLE}.. include:: part.inc\n")
    synced.write("part.inc", ".. autogradgraph:: script.py\n   :name: part\n")
    assert command(synced, "update").returncode == 0
    kept = ["typo.1.json", "part.part.json", "gone.1.json", "index.the-graph.json"]
    assert all((synced.directory / name).is_file() for name in kept)
    synced.write("typo.rst", f":orphan:\n\n{TITLE}.. autogradgraph:: script.py\n   :tenser: y\n")
    (synced.directory / "part.inc").unlink()
    (synced.directory / "gone.rst").unlink()
    done = command(synced, "update")
    assert done.returncode == 1
    assert "removed: ./gone.1.json" in done.stdout
    left = {path.name for path in synced.directory.glob("*.json")}
    assert left == {*FOREIGN, *kept} - {"gone.1.json"}
    assert all((synced.directory / name).read_text() == text for name, text in FOREIGN.items())


@pytest.mark.long
def test_an_update_of_some_pages_says_what_it_accepts(synced: Project) -> None:
    synced.write("other.rst", f":orphan:\n\n{TITLE}.. autogradgraph:: script.py\n")
    assert command(synced, "update").returncode == 0
    other = synced.directory / "kept/other.1.json"
    before = other.read_text()
    torch = re.search(r'"torch": "([^"]*)"', before)
    assert torch is not None
    path = snapshot(synced)
    path.write_text(path.read_text().replace(torch[0], '"torch": "2.0.0"'))
    synced.write("helper.py", "op = 'cos'\n")
    done = command(synced, "update", "index")
    assert done.returncode == 0, done.stderr
    assert "SinBackward0 became CosBackward0" in done.stdout
    assert f"the snapshot was made with torch 2.0.0, this with {torch[1]}" in done.stdout
    assert "CosBackward0" in snapshot(synced).read_text()
    assert other.read_text() == before


@pytest.mark.long
def test_an_update_of_a_page_below_the_root_leaves_the_root_alone(synced: Project) -> None:
    index, conf = (synced.directory / name for name in ("index.rst", "conf.py"))
    synced.write("index.rst", f"{index.read_text()}\n.. toctree::\n\n   other\n   third\n")
    synced.write("conf.py", f"{conf.read_text()}\nnumfig = True\n")
    for page in ("other", "third"):
        synced.write(f"{page}.rst", f"{TITLE}.. autogradgraph:: script.py\n   :caption: A figure\n")
    assert command(synced, "update").returncode == 0
    others = [snapshot(synced), synced.directory / "kept/third.1.json"]
    before = [path.read_text() for path in others]
    synced.write("helper.py", "op = 'cos'\n")
    done = command(synced, "update", "other")
    assert done.returncode == 0, done.stderr
    assert "CosBackward0" in (synced.directory / "kept/other.1.json").read_text()
    assert [path.read_text() for path in others] == before


@pytest.mark.long
def test_never_means_that_a_check_runs_nothing(synced: Project) -> None:
    synced.build("html", "-W")
    before = runs(synced)
    never = ["-D", "autogradgraph_execution=never"]
    build = synced.build("autogradgraph", *never)
    assert build.status != 0
    assert "autogradgraph_execution is 'never'" in build.stderr
    for name in ("check", "update"):
        done = command(synced, name, *never)
        assert done.returncode == 2
        assert "autogradgraph_execution is 'never'" in done.stderr
    assert runs(synced) == before


@pytest.mark.long
def test_a_name_that_had_to_be_altered_is_a_warning(synced: Project) -> None:
    figure = ".. autogradgraph:: script.py\n   :name: {}\n\n"
    names = ("loss-graph", "loss graph")
    synced.write("index.rst", TITLE + "".join(map(figure.format, names)))
    (warning,) = synced.build().warnings
    assert "the name loss graph could be that of another snapshot" in warning
    assert len(list((synced.directory / "kept").iterdir())) == 2
    assert command(synced, "check").returncode == 0


# --- without torch ---

PAGE = """
Title
=====

.. code-block:: python

   import torch
   X = torch.ones(3, 2)
   w = torch.ones(2, 1, requires_grad=True)
   y_hat = torch.mm(X, w).sum()

.. autogradgraph::
   :tensor: y_hat
   :name: page-graph
   :show: shape inputs calls order
   :table: tensors nodes

.. autogradgraph:: script.py
   :include-source:
"""


@pytest.mark.parametrize("execution", ["never", pytest.param("auto", marks=pytest.mark.long)])
def test_the_same_pages_from_snapshots(
    synced: Project, execution: str, request: pytest.FixtureRequest
) -> None:
    synced.write("index.rst", PAGE)
    ran = synced.build("html", "-W", out="ran")
    assert ran.status == 0, ran.stderr
    before = runs(synced)
    if execution == "auto":
        request.getfixturevalue("without_torch")
    arguments = ["-D", f"autogradgraph_execution={execution}", "-E"]
    drawn = synced.build("html", "-W", *arguments, out="drawn")
    assert drawn.status == 0, drawn.stderr
    assert runs(synced) == before
    # Why an input needs no grad is known where the code runs, and is not kept: the page says so.
    note = (
        " Why inputs do not require grad is read where the code runs, and is not kept in snapshots."
    )
    text = drawn.read("index.html")
    assert note in text
    reason = r', "reason": \{"why": "\w+"(, "source": \{[^}]*\})?\}'
    cell = r"<a [^>]*>created, [^<]*</a>|created, index\.rst:\d+"
    page = re.sub(cell, "", re.sub(reason, "", ran.read("index.html")))
    assert page == text.replace(note, "")


@pytest.mark.long
def test_a_page_from_snapshots_links_only_where_the_text_still_stands(synced: Project) -> None:
    synced.write("index.rst", PAGE)
    synced.build("html", "-W")
    changed = PAGE.replace("import torch\n", "import torch\n   # one line more\n")
    synced.write("index.rst", changed)
    never = ["html", "-W", "-D", "autogradgraph_execution=never"]
    build = synced.build(*never)
    assert build.status == 0, build.stderr
    assert 'class="line"' not in figure(build)
    assert "MmBackward0" in figure(build)
    assert command(synced, "update").returncode == 0  # it takes over where lines are now
    build = synced.build(*never, "-E")
    assert build.status == 0, build.stderr
    assert 'class="line"' in figure(build)
    times = {path: path.stat().st_mtime_ns for path in (synced.directory / "kept").rglob("*.json")}
    assert command(synced, "update").returncode == 0
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_the_files_of_a_snapshot_are_found_by_their_names(tmp_path: Path) -> None:
    docs = tmp_path / "project" / "docs"
    outside = tmp_path / "outside.py"
    files = (docs / "helper.py", docs / "pkg/mod.py", docs.parent / "src/lib.py", outside)
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {file.stem}\n")
    os.mkfifo(docs / "pipe.py")
    names = ["helper.py", "pkg/mod.py", "src/lib.py", "../outside.py", str(outside), "pkg", "no.py"]
    names += ["pipe.py", "../docs/helper.py", "a\0b", ""]
    found = {block.file: block.code for block in blocks_of_files(names, str(docs))}
    assert found == {"helper.py": "# helper\n", "pkg/mod.py": "# mod\n", "src/lib.py": "# lib\n"}


@pytest.mark.parametrize(
    "where",
    ["page", *(pytest.param(name, marks=pytest.mark.long) for name in ("script", "module"))],
)
def test_code_that_is_no_longer_that_of_the_snapshot_is_drift(synced: Project, where: str) -> None:
    if where == "page":
        synced.write("index.rst", PAGE)
    elif where == "module":
        synced.write(
            "script.py",
            "from helper import f\nimport torch\n" + "y = f(torch.ones(2, requires_grad=True))\n",
        )
        synced.write("helper.py", "def f(x):\n    return x.sin()\n")
    synced.build("html", "-W")
    never = ["html", "-D", "autogradgraph_execution=never"]
    assert not synced.build(*never, "-E").warnings
    if where == "page":
        synced.write("index.rst", PAGE.replace(".sum()", ".sum() * 3"))
    elif where == "module":
        synced.write("helper.py", "def f(x):\n    return x.exp()\n")
    else:
        synced.write("script.py", SCRIPT.replace("getattr(x", "getattr(x * 2"))
    (warning,) = synced.build(*never).warnings
    assert "WARNING: the code is no longer that of kept/index." in warning


def test_a_figure_with_inputs_says_that_a_snapshot_keeps_no_reasons(tmp_path: Path) -> None:
    policy = SnapshotPolicy(str(tmp_path), "kept")
    both = (
        *GRAPH.nodes,
        Node(1, "input", "Input", "x", META),
        Node(2, "function", "Mul", None, META),
    )
    graph = Graph((Output("l", 2, 0),), both, (Edge(0, 2, 0, 0), Edge(1, 2, 0, 1)))
    for name, kept, notes in (("with", graph, 1), ("without", GRAPH, 0)):
        path = tmp_path / f"page.{name}.json"
        path.write_text(snapshot_text(Traced(kept)))
        drawn = fall_back(policy, path, Target(1, extras=("inputs",)), False, "never")
        assert isinstance(drawn, Traced)
        assert len(drawn.notes) == notes


def test_never_without_a_snapshot(synced: Project) -> None:
    arguments = ["-D", "autogradgraph_execution=never"]
    (warning,) = synced.build("html", *arguments).warnings
    assert "there is no snapshot kept/index.the-graph.json; run autogradgraph update" in warning
    assert runs(synced) == 0
    synced.conf("")
    (warning,) = synced.build("html", *arguments).warnings
    assert "set autogradgraph_snapshots" in warning


def test_no_torch_and_no_snapshot_is_one_clear_warning(
    synced: Project, without_torch: None
) -> None:
    synced.conf("")
    synced.write(
        "index.rst", f"{TITLE}.. autogradgraph:: script.py\n\n.. autogradgraph:: script.py\n"
    )
    (warning,) = synced.build().warnings
    assert "index.rst:4: WARNING: torch is not installed" in warning
    assert "autogradgraph_snapshots" in warning
    assert "the same for 1 more figures" in warning
    (always,) = synced.build("html", "-D", "autogradgraph_execution=always").warnings
    assert "torch is not installed" in always


@pytest.mark.long
def test_a_check_without_torch_fails_and_an_update_loses_nothing(
    synced: Project, request: pytest.FixtureRequest
) -> None:
    synced.build("html", "-W")
    before = snapshot(synced).read_text()
    request.getfixturevalue("without_torch")
    for name in ("check", "update"):
        done = command(synced, name)
        assert done.returncode == 1
        assert "torch is not installed" in done.stdout
        assert "1 failed" in done.stdout
    assert snapshot(synced).read_text() == before


@pytest.mark.long
def test_a_new_snapshot_redraws_a_page_that_is_not_run(synced: Project) -> None:
    synced.build("html", "-W")
    arguments = ["-D", "autogradgraph_execution=never"]
    synced.build("html", "-W", *arguments)
    text = snapshot(synced).read_text()
    snapshot(synced).write_text(text.replace("SinBackward0", "TanBackward0"))
    assert "TanBackward0" in figure(synced.build("html", "-W", *arguments))


@pytest.mark.long
def test_skipped_figures(synced: Project) -> None:
    synced.write(
        "index.rst", f"{TITLE}.. autogradgraph:: script.py\n   :name: the-graph\n   :skip:\n"
    )
    build = synced.build("html", "-W")
    assert build.status == 0, build.stderr
    assert "it is skipped, and there is no snapshot of it" in figure(build)
    synced.write("index.rst", f"{TITLE}.. autogradgraph:: script.py\n   :name: the-graph\n")
    synced.build("html", "-W")
    synced.write(
        "index.rst", f"{TITLE}.. autogradgraph:: script.py\n   :name: the-graph\n   :skip:\n"
    )
    ran = runs(synced)
    build = synced.build("html", "-W")
    assert "SinBackward0" in figure(build)
    assert runs(synced) == ran
    assert command(synced, "check").returncode == 0


@pytest.mark.long
def test_programs_that_are_expected_to_raise(project: Project) -> None:
    code = (
        "   import torch\n   x = torch.ones(2, requires_grad=True)\n   l = (x * x).sum()\n"
        "   l.backward()\n   l.backward()\n"
    )
    head = ".. autogradgraph::\n   :tensor: l\n   :raises: "
    project.write("index.rst", f"{TITLE}{head}RuntimeError\n\n{code}")
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    assert "SumBackward0" in figure(build)
    project.write("index.rst", f"{TITLE}{head}ValueError\n\n{code}")
    (warning,) = project.build().warnings
    assert "RuntimeError" in warning
    project.write("index.rst", f"{TITLE}{head}RuntimeError\n\n{code.rsplit('   l.back', 1)[0]}")
    (warning,) = project.build().warnings
    assert "the code was expected to raise RuntimeError, and did not" in warning


def test_pages_that_are_not_in_utf_8_are_named(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project.conf("autogradgraph_snapshots = 'graphs'\n")
    project.write("index.rst", "T\n=\n")
    (project.directory / "latin.rst").write_bytes("naïve\n".encode("latin-1"))
    site = tmp_path / "site"
    site.mkdir()
    (site / "pyproject.toml").write_text("[tool.autogradgraph]\nsnapshots = 'graphs'\n")
    (site / "latin.md").write_bytes("naïve\n".encode("latin-1"))
    places = [(site, "latin.md")]
    if not hasattr(sphinx.util, "UnicodeDecodeErrorHandler"):  # older ones read it, and warn
        places.append((project.directory, "latin.rst"))
    for directory, name in places:
        assert main(["check", str(directory)]) == 2
        assert f"{name} is not a text in UTF-8: " in capsys.readouterr().err


def test_a_check_needs_no_standard_output(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.conf("autogradgraph_snapshots = 'graphs'\n")
    project.write("index.rst", "T\n=\n")
    monkeypatch.setattr(sys, "stdout", None)  # as Python has it where the stream is closed
    assert main(["check", str(project.directory)]) == 0
