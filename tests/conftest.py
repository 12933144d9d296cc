"""What the tests share: builds in a process of their own, a runner, a deep stack."""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

import tests.properties  # noqa: F401 - its profiles are to be known before hypothesis asks
from sphinx_autogradgraph.runtime.client import Runner

ROOT = Path(__file__).parents[1]

LINREG = (ROOT / "examples" / "linreg.py").read_text()


def pytest_configure(config: pytest.Config) -> None:
    """Compile the package once, before the workers of xdist start.

    The tests start some hundreds of Pythons.  Where these write no bytecode, as containers often
    have it (PYTHONDONTWRITEBYTECODE), each would compile the package for itself.
    """
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(ROOT / "sphinx_autogradgraph", quiet=1)


@dataclass
class Build:
    """A Sphinx build that has ended."""

    source: Path
    out: Path
    status: int
    stdout: str
    stderr: str

    @property
    def warnings(self) -> list[str]:
        """The warnings and errors, each with the lines that belong to it."""
        parts = re.split(
            r"^(?=\S.*?: (?:WARNING|ERROR|CRITICAL): |WARNING: )", self.stderr, flags=re.M
        )
        return [part.strip() for part in parts if part.strip()]

    def read(self, name: str) -> str:
        return (self.out / name).read_text("utf-8")


class Project:
    """A Sphinx project in a directory of the test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.conf("")

    def conf(self, text: str) -> None:
        # What costs time is taken where it is used.
        extensions = (
            "import pathlib\n"
            "has_myst = any(pathlib.Path(__file__).parent.rglob('*.md'))\n"
            'extensions = ["sphinx_autogradgraph", *["myst_parser"][:has_myst]]\n'
        )
        self.write("conf.py", extensions + textwrap.dedent(text))

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")
        return path

    def build(self, builder: str = "html", *arguments: str, out: str | None = None) -> Build:
        """Run sphinx-build as a user does."""
        where = self.directory / "_build" / (out or builder)
        done = subprocess.run(
            [
                sys.executable, "-m", "sphinx", "-b", builder,
                "-d", str(self.directory / "_build" / "doctrees"), *arguments,
                str(self.directory), str(where),
            ],
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"},
        )  # fmt: skip
        return Build(self.directory, where, done.returncode, done.stdout, done.stderr)


def made_by_latexmk(build: Build) -> tuple[str, str]:
    """The text that can be selected in the PDF of a build for LaTeX, and TeX's log.

    Skips the test where there is no TeX.
    """
    for tool in ("latexmk", "xelatex", "pdftotext"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    (tex,) = build.out.glob("*.tex")
    commands = [
        ["latexmk", "-xelatex", "-interaction=nonstopmode", tex.name],
        ["pdftotext", "-layout", tex.with_suffix(".pdf").name, "-"],
    ]
    for command in commands:
        done = subprocess.run(
            command, cwd=build.out, capture_output=True, text=True, errors="replace", timeout=300
        )
        assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout, tex.with_suffix(".log").read_text("utf-8", errors="replace")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "docs")


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    with Runner() as runner:
        yield runner


@pytest.fixture
def deep() -> Callable[[Callable[[], None]], None]:
    """Run a function on a stack on which torch can destroy a long graph."""

    def run(function: Callable[[], None]) -> None:
        failed: list[BaseException] = []

        def target() -> None:
            try:
                function()
            except BaseException as error:
                failed.append(error)

        before = threading.stack_size(512 * 1024 * 1024)
        try:
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        finally:
            threading.stack_size(before)
        if failed:
            raise failed[0]

    return run


@dataclass
class Element:
    """An element of an HTML page."""

    tag: str
    attributes: dict[str, str]
    text: str = ""

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()


class Elements(HTMLParser):
    """The elements of a page in order, each with all the text inside of it."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "hr", "path", "rect"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.all: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {key: value or "" for key, value in attrs})
        self.all.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append(Element(tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def select(self, tag: str, *classes: str) -> list[Element]:
        return [
            element
            for element in self.all
            if element.tag == tag and set(classes) <= set(element.classes)
        ]
