"""The faults suite: programs that misbehave, each on a page of its own, beside healthy pages.

One build has all of them.  Whatever a program does, the build is complete, the healthy pages are
byte for byte those of a healthy build, each fault is one typed warning at the line of its directive,
and no process is left.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sphinx_autogradgraph.runtime.client import METHOD_VARIABLE
from tests.conftest import Build, Project

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc"),
]

GOOD = "x = torch.ones(2, requires_grad=True)\ny = (x * 2).sum()\n"
"""What a program ends with that is drawn all the same."""

ENDLESS = ":timeout: 3"


class Case(NamedTuple):
    """A program; the subtype and some words of its warning, None if it is drawn."""

    code: str
    kind: str | None = None
    words: str = ""
    option: str = ""


CASES: dict[str, Case] = {
    # --- exceptions ---
    "raise": Case("raise ValueError('bad')", "execution", "ValueError: bad"),
    "chained": Case(
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error",
        "execution", "KeyError: 'k'",
    ),
    "group": Case(
        "raise ExceptionGroup('several', [ValueError('a'), TypeError('b')])", "execution", "several"
    ),
    "message_raises": Case(
        "class E(Exception):\n    def __str__(self):\n        raise RuntimeError('no words')\nraise E()",
        "execution", "E",
    ),
    "repr_raises": Case(
        "class R:\n    def __repr__(self):\n        raise RuntimeError('no words')\nR() + 1",
        "execution", "TypeError",
    ),
    "del_raises": Case(
        f"class D:\n    def __del__(self):\n        raise RuntimeError('late')\nd = D()\ndel d\n{GOOD}"
    ),
    "ansi": Case("raise ValueError('\\x1b[31mred\\x1b[0m \\x07')", "execution", "red"),
    "not_utf_8": Case("raise ValueError('\\udcff\\udc80 half')", "execution", "half"),
    "bidi": Case("raise ValueError('a\\u202eb\\u2066c')", "execution", "ValueError"),
    "ten_megabytes": Case("raise ValueError('m' * 10_000_000)", "execution", "mmm"),
    "markup": Case("raise ValueError('<script>alert(1)</script> %s {x} ]]>')", "execution", "script"),
    "many_lines": Case("raise ValueError('line\\n' * 100_000)", "execution", "line"),
    "syntax": Case("def f(:\n    pass", "execution", "SyntaxError"),
    "indentation": Case("if True:\nx = 1", "execution", "IndentationError"),
    "null": Case("eval('1\\0')", "execution", "Error"),
    "keyboard": Case("raise KeyboardInterrupt", "execution", "KeyboardInterrupt"),
    "generator": Case("raise GeneratorExit", "execution", "GeneratorExit"),
    # --- ends ---
    "exit": Case("import sys\nsys.exit()", "execution", "SystemExit"),
    "exit_3": Case("import sys\nsys.exit(3)", "execution", "SystemExit: 3"),
    "exit_words": Case("import sys\nsys.exit('enough')", "execution", "enough"),
    "os_exit_0": Case("import os\nos._exit(0)", "crash", "status 0"),
    "os_exit_7": Case("import os\nos._exit(7)", "crash", "status 7"),
    "segfault": Case("import ctypes\nctypes.string_at(0)", "crash", "SIGSEGV"),
    "abort": Case("import os\nos.abort()", "crash", "SIGABRT"),
    "kill_itself": Case("import os\nos.kill(os.getpid(), 9)", "crash", "SIGKILL"),
    # --- without end ---
    "loop": Case("while True:\n    pass", "timeout", "3 seconds", ENDLESS),
    "loop_in_c": Case("sum(iter(int, 1))", "timeout", "3 seconds", ENDLESS),
    "sleep": Case("import time\ntime.sleep(600)", "timeout", "3 seconds", ENDLESS),
    "ignores_signals": Case(
        "import signal\nfor number in range(1, 32):\n    try:\n"
        "        signal.signal(number, signal.SIG_IGN)\n    except (OSError, ValueError):\n"
        "        pass\nwhile True:\n    pass",
        "timeout", "3 seconds", ENDLESS,
    ),
    "catches_everything": Case(
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n"
        "        pass",
        "timeout", "3 seconds", ENDLESS,
    ),
    "waits_for_a_child": Case(
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'while True: pass'])",
        "timeout", "3 seconds", ENDLESS,
    ),
    "recursion": Case("def f():\n    f()\nf()", "execution", "RecursionError"),
    "deep_recursion": Case(
        "import sys\nsys.setrecursionlimit(10**9)\n"
        "class C:\n    def __getattr__(self, name):\n        return getattr(self, name)\nC().x",
        "crash", "SIGSEGV",
    ),
    "memory": Case("held = []\nwhile True:\n    held.append(bytearray(10**7))", "execution",
                   "autogradgraph_memory"),
    "memory_of_torch": Case("x = torch.ones(10**12)", "execution", "autogradgraph_memory"),
    # --- streams and descriptors ---
    "gigabytes": Case(
        f"import sys\nfor _ in range(2000):\n    sys.stdout.write('x' * 10**6)\n"
        f"    sys.stderr.write('y' * 10**5)\n{GOOD}"
    ),
    "reads_stdin": Case("input()", "execution", "EOFError"),
    "closes_streams": Case(f"import os, sys\nsys.stdout.close()\nsys.stderr = None\nos.close(0)\n{GOOD}"),
    "closes_descriptors": Case(f"import os\nos.closerange(0, 256)\n{GOOD}"),
    "writes_everywhere": Case(
        f"import os\nfor fd in range(3, 256):\n    try:\n        os.write(fd, b'garbage' * 100)\n"
        f"    except OSError:\n        pass\n{GOOD}"
    ),
    "many_descriptors": Case(
        "held = []\nwhile True:\n    held.append(open('/dev/null'))", "execution", "Too many open files"
    ),
    # --- what is left running ---
    "thread": Case(
        f"import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\n{GOOD}"
    ),
    "child": Case(f"import subprocess\nsubprocess.Popen(['sleep', '600'])\n{GOOD}"),
    "daemon": Case(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        time.sleep(600)\n    os._exit(0)\n{GOOD}"
    ),
    "fork": Case("import os\nif os.fork() == 0:\n    os._exit(0)\nos.wait()\n" + GOOD),
    "fork_that_goes_on": Case(f"import os\nos.fork()\n{GOOD}"),
    "data_loader": Case(
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "loader = DataLoader(TensorDataset(torch.ones(8, 2)), batch_size=4, num_workers=2)\n"
        "w = torch.ones(2, requires_grad=True)\ny = sum((batch @ w).sum() for (batch,) in loader)\n"
    ),
    "multiprocessing": Case(
        "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool:\n"
        f"    assert pool.map(abs, [-1, -2]) == [1, 2]\n{GOOD}"
    ),
    # --- what is left changed ---
    "directory": Case(f"import os\nos.chdir('/')\nos.environ.clear()\n{GOOD}"),
    "default_dtype": Case(f"torch.set_default_dtype(torch.float64)\n{GOOD}"),
    "default_device": Case(f"torch.set_default_device('meta')\n{GOOD}"),
    "no_grad": Case(
        "torch.set_grad_enabled(False)\nx = torch.ones(2, requires_grad=True)\ny = x * 2",
        "no_graph", "gradients are switched off",
    ),
    "patched_torch": Case(f"{GOOD}setattr(torch.Tensor, 'sum', None)\nsetattr(torch, 'manual_seed', None)\n",),
    "patched_json": Case(f"import json\njson.dumps = json.loads = None\n{GOOD}"),
    "patched_builtins": Case(
        f"{GOOD}import builtins\n[setattr(builtins, n, None) for n in ('len', 'isinstance', 'open')]\ny\n"
    ),
    "patched_os": Case(f"{GOOD}import os\n[setattr(os, n, None) for n in ('open', 'write', 'replace', '_exit')]\ny\n"),
    "trace_function": Case(f"import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(None)\n{GOOD}"),
    "no_modules": Case(f"{GOOD}import sys\nsys.modules.clear()\n"),
    "exit_handler": Case(
        f"import atexit, time\natexit.register(time.sleep, 600)\n{GOOD}"
    ),
    # --- windows ---
    "window": Case(
        f"import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nplt.pause(0.1)\n{GOOD}"
    ),
    "window_wanted": Case(
        f"import matplotlib\nmatplotlib.use('tkagg')\nimport matplotlib.pyplot as plt\n"
        f"plt.figure()\n{GOOD}",
        "execution", "tkagg",
    ),
    # --- names ---
    "hostile_names": Case(
        "held = {\"</script><script>alert(1)</script>\": torch.ones(2, requires_grad=True),\n"
        "        'a\\u202eb\\n\\x00]]>%s{x}\\\\': torch.ones(2, requires_grad=True),\n"
        "        'n' * 10_000: torch.ones(2, requires_grad=True), '🙂 名前': torch.ones(2, "
        "requires_grad=True)}\ny = sum(held.values())\n"
    ),
    "hostile_class": Case(
        "Net = type('<b>Net</b>\\n]]>', (torch.nn.Linear,), {})\nnet = Net(2, 2)\n"
        "y = net(torch.ones(1, 2)).sum()\n"
    ),
    "hostile_operation": Case(
        "class F(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n"
        "        return x * 2\n    @staticmethod\n    def backward(ctx, g):\n        return g * 2\n"
        "F.__name__ = F.__qualname__ = '<i>&'\n"
        "y = F.apply(torch.ones(2, requires_grad=True)).sum()\n"
    ),
}  # fmt: skip

if sys.version_info < (3, 11):
    del CASES["group"]

REFERENCES = {
    "directory": ("folder.py", "it is no regular file"),
    "missing": ("missing.py", "there is no file"),
    "binary": ("binary.py", "is not a text in UTF-8"),
    "no_module": ("nowhere.at.all:x", "there is no module"),
    "not_a_reference": ("some words", "is no reference"),
    "pipe": ("pipe.py", "it is no regular file"),
    "unreadable": ("circle.py", "circle.py cannot be read: "),
    "huge": ("huge.py", "has more than 10 MiB"),
}

HEALTHY = """
Healthy {number}
==========

.. autogradgraph::

   import torch
   assert torch.get_default_dtype() == torch.float32
   x = torch.ones(3, requires_grad=True)
   y = (x * {number}).sin().sum()

.. autogradgraph:: with space/naïve 名.py
   :tensor: z
"""

MARKER = "AUTOGRADGRAPH_FAULT_SUITE"


def left_running(mark: str) -> list[str]:
    """The processes with our mark in their environment."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            environment = (directory / "environ").read_bytes()
            command = (directory / "cmdline").read_bytes()
        except OSError:
            continue
        if f"{MARKER}={mark}".encode() in environment.split(b"\0"):
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def healthy(project: Project) -> None:
    project.conf(
        "autogradgraph_memory = 2000\nhtml_theme = 'basic'\nhtml_copy_source = False\n"
        "html_sidebars = {'**': []}\nhtml_theme_options = {'nosidebar': True}\n"
        "exclude_patterns = ['_build']\n"
    )
    project.write("with space/naïve 名.py", f"import torch\n{GOOD}z = y\n")
    for number in (1, 2):
        project.write(f"healthy{number}.rst", ":orphan:\n" + HEALTHY.format(number=number))
    project.write("index.rst", "Title\n=====\n")


@pytest.fixture(scope="module", params=["fork", pytest.param("fresh", marks=pytest.mark.nightly)])
def suite(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Build, Build, list[str]]]:
    """The build with all faults, a healthy one, and what the first has left running.

    Once as on Linux, and once as where processes cannot be forked.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(METHOD_VARIABLE, request.param)
        yield _suite(tmp_path_factory)


def _suite(tmp_path_factory: pytest.TempPathFactory) -> tuple[Build, Build, list[str]]:
    calm = Project(tmp_path_factory.mktemp("calm") / "docs")
    healthy(calm)
    without = calm.build("html", "-W")
    assert without.status == 0, without.stderr
    wild = Project(tmp_path_factory.mktemp("wild") / "docs")
    healthy(wild)
    for name, case in CASES.items():
        code = textwrap.indent(f"import torch\n{case.code}", "   ")
        option = f"   {case.option}\n" if case.option else ""
        text = f":orphan:\n\n{name}\n{'=' * 40}\n\n.. autogradgraph::\n   :include-source: no\n"
        wild.write(f"case_{name}.rst", f"{text}{option}\n{code}\n")
    (wild.directory / "folder.py").mkdir()
    (wild.directory / "binary.py").write_bytes(bytes(range(256)) * 100)
    os.mkfifo(wild.directory / "pipe.py")
    (wild.directory / "circle.py").symlink_to("circle.py")
    with (wild.directory / "huge.py").open("wb") as huge:
        huge.truncate(100 * 2**20)
    for name, (reference, _) in REFERENCES.items():
        text = f":orphan:\n\n{name}\n{'=' * 40}\n\n.. autogradgraph:: {reference}\n"
        wild.write(f"reference_{name}.rst", text)
    mark = str(os.getpid())
    os.environ[MARKER] = mark
    try:
        built = wild.build("html", "-j", "2")
    finally:
        del os.environ[MARKER]
    time.sleep(1)
    return built, without, left_running(mark)


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("name", sorted(CASES))
def test_a_fault(suite: tuple[Build, Build, list[str]], name: str) -> None:
    built, _, _ = suite
    case = CASES[name]
    page = built.read(f"case_{name}.html")
    found = [text for text in built.warnings if f"case_{name}.rst" in text]
    if case.kind is None:
        assert found == []
        assert '<svg xmlns="http://www.w3.org/2000/svg" class="autogradgraph-svg"' in page
    else:
        (warning,) = found
        assert f"case_{name}.rst:6: WARNING" in warning
        assert case.words in warning
        assert len(warning) < 10_000
        assert "could not be drawn" in page
    assert "<script>alert" not in page
    assert "<b>Net</b>" not in page
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", page)
    assert str(built.source) not in page


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_a_reference_that_is_none(suite: tuple[Build, Build, list[str]], name: str) -> None:
    built, _, _ = suite
    (warning,) = [text for text in built.warnings if f"reference_{name}.rst" in text]
    assert REFERENCES[name][1] in warning
    assert str(built.source.parent) not in warning.partition("WARNING")[2]


@pytest.mark.xdist_group("faults")
def test_the_build_is_complete_and_nothing_is_left(suite: tuple[Build, Build, list[str]]) -> None:
    built, without, running = suite
    assert built.status == 0
    assert running == []
    differing = [
        page.name
        for page in sorted(without.out.glob("healthy*.html"))
        if page.read_bytes() != (built.out / page.name).read_bytes()
    ]
    assert differing == []
    diagnostics = [case for case in CASES.values() if case.kind is not None]
    assert len(built.warnings) == len(diagnostics) + len(REFERENCES)
    print(f"{len(CASES) + len(REFERENCES)} cases, {len(running)} processes left, "
          f"{len(differing)} pages differ")  # fmt: skip
