"""The example documentation with every builder, in parallel, beside a second extension."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LINREG, ROOT, Build, Project, made_by_latexmk

BUILDERS = [
    "html", "dirhtml", "singlehtml", "epub", "latex", "text", "man", "texinfo", "xml", "pseudoxml",
    "gettext", "linkcheck", "dummy", "markdownish",
]  # fmt: skip

AGAIN = {"html", "epub", "latex", "text"}
"""What is built a second time, with what the first has kept: one builder of each kind."""

SECOND = '''
from docutils import nodes
from sphinx.builders import Builder


class badge(nodes.Inline, nodes.TextElement):
    pass


def visit(self, node):
    pass


class Markdownish(Builder):
    """As builders of others do: it knows the nodes of docutils and Sphinx, and no more."""

    name = format = "markdownish"
    out_suffix = ".md"

    def get_outdated_docs(self):
        return self.env.found_docs

    def get_target_uri(self, docname, typ=None):
        return docname

    def write_doc(self, docname, doctree):
        for node in doctree.findall():
            home = type(node).__module__.partition(".")[0]
            if home not in ("docutils", "sphinx"):
                raise TypeError(f"{type(node)} is nothing that this builder knows")
        path = self.outdir / f"{docname}.md"
        path.write_text(doctree.astext(), "utf-8")

    def prepare_writing(self, docnames):
        pass

    def get_relative_uri(self, from_, to, typ=None):
        return to


def setup(app):
    app.add_builder(Markdownish)
    app.add_node(badge, epub=(visit, visit), html=(visit, visit))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
'''


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation of this project, whose builders share what they read."""
    directory = tmp_path_factory.mktemp("example")
    for name in ("docs", "examples", "sphinx_autogradgraph"):  # which pages show
        ignore = shutil.ignore_patterns("_build", "__pycache__")
        shutil.copytree(ROOT / name, directory / name, ignore=ignore)
    (directory / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "test_walls.py", directory / "tests")
    (directory / "docs" / "second.py").write_text(SECOND)
    conf = directory / "docs" / "conf.py"
    more = "\nimport os, sys\nsys.path.insert(0, os.path.dirname(__file__))\n"
    more += "extensions.append('second')\nnumfig = True\nlinkcheck_ignore = ['.*']\n"
    more += "man_pages = [('index', 'example', 'Example', 'Us', 1)]\nsuppress_warnings = []\n"
    conf.write_text(conf.read_text() + more)
    return directory


def build(example: Path, builder: str, *arguments: str) -> Build:
    out = example / "out" / builder
    # gettext reads in a way of its own.
    doctrees = example / ("doctrees-gettext" if builder == "gettext" else "doctrees")
    done = subprocess.run(
        [
            sys.executable, "-m", "sphinx", "-W", "--keep-going", "-j", "2", "-b", builder,
            "-d", str(doctrees), *arguments, str(example / "docs"), str(out),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"},
    )  # fmt: skip
    return Build(example / "docs", out, done.returncode, done.stdout, done.stderr)


@pytest.mark.long
@pytest.mark.xdist_group("builders")  # in one process, with the same example
def test_every_builder_and_the_first_of_each_kind_twice(example: Path) -> None:
    for builder in BUILDERS:
        for _ in range(2 if builder in AGAIN else 1):
            built = build(example, builder)
            assert built.status == 0, f"{builder}: {built.stderr}"
        check(builder, built)


def check(builder: str, built: Build) -> None:
    """What a reader of that output finds of the walk-through."""
    chain = "SumBackward0"
    if builder in ("html", "dirhtml"):
        page = built.read("index.html")
        assert 'class="autogradgraph-svg"' in page
        page = built.read(f"linear-regression{'/index' * (builder == 'dirhtml')}.html")
        assert page.count("<figure") == page.count("autogradgraph-svg") == 8
        assert str(built.source.parent) not in page
        links_lead_somewhere(built.out)
    elif builder == "singlehtml":
        page = built.read("index.html")
        # Two pages may have sections of one name, and furo gives tables their ids twice.
        ids = re.findall(r'<(?:g|title|desc)\b[^>]*\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids)) > 300
        assert page.count('class="autogradgraph-svg"') > 8
        links_lead_somewhere(built.out)
    elif builder == "epub":
        assert list(built.out.glob("*.epub"))
    elif builder == "latex":
        (tex,) = built.out.glob("*.tex")
        assert len(list(built.out.glob("autogradgraph-*.pdf"))) > 8
        assert chain in tex.read_text("utf-8")
    elif builder in ("text", "pseudoxml", "markdownish"):
        suffix = {"text": "txt", "pseudoxml": "pseudoxml", "markdownish": "md"}[builder]
        text = built.read(f"index.{suffix}")
        assert "└─" in text
        assert chain in text
    elif builder == "man":
        assert chain in built.read("example.1")
    elif builder == "texinfo":
        (texinfo,) = built.out.glob("*.texi")
        assert chain in texinfo.read_text("utf-8")
    elif builder == "xml":
        assert chain in built.read("index.xml")
    elif builder == "gettext":
        assert "The loss of a linear regression" in built.read("index.pot")


def links_lead_somewhere(out: Path) -> None:
    """What pages name of the files that we write is there."""
    found = 0
    for page in out.rglob("*.html"):
        text = page.read_text("utf-8").replace("&quot;", '"')
        for url in re.findall(r'"((?:[^"<>\s]*/)?_autogradgraph/[^"<>\s]+)"', text):
            assert (page.parent / url).is_file(), f"{page.name}: {url}"
            found += 1
    assert found > 0


@pytest.mark.long
@pytest.mark.xdist_group("builders")
def test_the_epub_is_valid(example: Path) -> None:
    if shutil.which("epubcheck") is None:
        pytest.skip("needs Debian's epubcheck")
    built = build(example, "epub")
    assert built.status == 0, built.stderr
    (book,) = built.out.glob("*.epub")
    done = subprocess.run(
        ["java", "-jar", str(shutil.which("epubcheck")), str(book)],
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
    assert [line for line in errors if not foreign(line)] == [], errors


@pytest.mark.latex
@pytest.mark.long
@pytest.mark.xdist_group("builders")
def test_the_pdf_of_the_documentation(example: Path) -> None:
    built = build(example, "latex")
    assert built.status == 0, built.stderr
    text, log = made_by_latexmk(built)
    assert "MmBackward0 (10, 1)" in text  # as only the drawing says it
    assert "model.encoder.layers.5 TransformerEncoderLayer" in text
    assert "Missing character" not in log
    assert re.findall(r"Overfull \\.box \((\d\d.*)", log) == []  # by 10 points and more


def foreign(error: str) -> bool:
    """Whether an error is about what Sphinx writes by itself, with no figure of ours in it."""
    return any(name in error for name in ("genindex", "search.xhtml", "nav.xhtml"))


FIGURES = """
Title
=====

.. _start:

.. autogradgraph:: linreg.py
   :tensor: l
   :name: good
   :caption: The loss.
   :alt: A graph of ten nodes.

.. autogradgraph:: linreg.py
   :tensor: nothing
   :name: bad
   :caption: What is not there.

See :numref:`good` and :numref:`bad`, :ref:`good` and :ref:`bad`.
"""


@pytest.fixture
def figures(project: Project) -> Project:
    project.conf("numfig = True\nversion = copyright = '1'\n"
                 "man_pages = [('index', 'example', 'Example', 'Us', 1)]")  # fmt: skip
    project.write("linreg.py", LINREG)
    project.write("index.rst", FIGURES)
    return project


LONG = [
    pytest.param(name, marks=pytest.mark.long)
    for name in ("singlehtml", "latex", "epub", "text", "man")
]


@pytest.mark.parametrize("builder", ["html", *LONG])
def test_numbers_and_references_also_where_the_program_failed(
    figures: Project, builder: str
) -> None:
    built = figures.build(builder)
    (warning,) = [text for text in built.warnings if "nothing" in text]
    assert "NameError" in warning
    assert built.warnings == [warning]
    names: dict[str, Any] = {
        "html": "index.html", "singlehtml": "index.html", "epub": "index.xhtml", "text": "index.txt",
        "man": "example.1",
    }  # fmt: skip
    if builder == "latex":
        (tex,) = built.out.glob("*.tex")
        text = tex.read_text("utf-8")
        for label in ("good", "bad"):
            assert rf"\label{{\detokenize{{index:{label}}}}}" in text
            assert rf"\ref{{\detokenize{{index:{label}}}}}" in text
        assert r"\caption{What is not there.}" in text
        return
    text = re.sub(r"<[^>]+>", "", built.read(names[builder]))
    # Sphinx numbers no figures in text and man pages.
    numbers = ("%s", "%s") if builder in ("text", "man") else ("1", "2")
    joined = " ".join(re.sub(r"\\f[IP]|\\%", "", text).split())
    assert f"See Fig. {numbers[0]} and Fig. {numbers[1]}, The loss. and What is not" in joined
    assert "could not be drawn" in joined


@pytest.mark.long
def test_the_search_finds_captions_and_leaves(figures: Project) -> None:
    index = figures.build("html").read("searchindex.js")
    for word in ("loss", "leav", "sumbackward0"):
        assert re.search(rf'\b"?{word}"?:', index), word
    page = figures.build("html").read("index.html")
    assert "A graph of ten nodes.</desc>" in page
