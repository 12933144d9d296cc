"""Tasks that ``.ci/run`` and contributors share: ``.venv/bin/nox -l`` lists them.

Each runs in the environment that nox itself is installed in, but for those that try the package
in an environment of its own.
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import sys
import venv
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "docs"]
nox.options.default_venv_backend = "none"

ROOT = Path(__file__).parent

# Tasks call the tools that are installed beside nox, whether its environment is activated or not.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

BUILD = ROOT / "docs" / "_build"
PIP = ("-m", "pip", "install", "-q")

OLDEST = "7.2.6"
"""The oldest Sphinx that is supported."""

NOT_KEPT = frozenset(
    {
        "flags",
        "formulas",
        "gradients",
        "inputs",
        "memory",
        "parameters",
        "saved",
        "tensors",
        "values",
    }
)
"""What options ask for that no snapshot has: pages with it differ where torch is not installed."""


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and spelling."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("codespell")
    session.run("sphinx-lint", "docs", "README.md")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types."""
    session.run("mypy")


@nox.session
def frontend(session: nox.Session) -> None:
    """Check the script and the style sheet, and that what is shipped was built from them."""
    session.run("bash", "frontend/check.sh")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation in both languages, and compare its figures with their snapshots."""
    session.run(sys.executable, "-m", "sphinx", "-W", "-b", "html", "docs", str(BUILD / "html"))
    chinese(session)
    session.run("autogradgraph", "check", "docs")
    session.run("autogradgraph", "sync", "--check", "README.md")


@nox.session
def chinese(session: nox.Session) -> None:
    """Build the Chinese translation of the walk-through."""
    source, out = ROOT / "docs" / "zh_CN", BUILD / "zh_CN"
    session.run(sys.executable, "-m", "sphinx", "-W", "-b", "html", str(source), str(out))


@nox.session
def long(session: nox.Session) -> None:
    """Install what the tests need that the plain command leaves out, and run them."""
    session.run(sys.executable, *PIP, "-c", "constraints.txt", "--group", "long")
    pytest = (sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "--durations", "25")
    session.run(*pytest, "-m", "long and not nightly")
    session.run(*pytest, "-m", "properties", "--hypothesis-profile", "many")


@nox.session
def nightly(session: nox.Session) -> None:
    """Run what takes too long for each change, and look for new examples of properties."""
    session.run(sys.executable, *PIP, "-c", "constraints.txt", "--group", "long")
    pytest = (sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup")
    session.run(*pytest, "-m", "nightly")
    marimo(session)
    session.run(*pytest, "-m", "properties", "--hypothesis-profile", "random")


@nox.session
def marimo(session: nox.Session) -> None:
    """Export the notebook of marimo, which takes no newer pymdown-extensions, and look at it."""
    python = _environment(ROOT / ".venv-marimo")
    constraints = _constraints(ROOT / ".venv-marimo", "pymdown-extensions==")
    session.run(python, *PIP, "-U", "-c", constraints, "pip")
    session.run(
        python, *PIP, "-c", constraints, "-e", ".[torch]", "marimo", "pytest", "hypothesis",
    )  # fmt: skip
    session.run(
        python, "-m", "pytest", "-m", "nightly", "tests/hosts/test_sites.py", "-k", "marimo"
    )


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the plain tests and print which lines of the package they ran."""
    session.run(sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "--cov")


@nox.session
def package(session: nox.Session) -> None:
    """Build the package and check what is in it."""
    session.run(
        sys.executable, *PIP, "-c", "constraints.txt", "build", "check-wheel-contents", "pyroma",
        "twine",
    )  # fmt: skip
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run(sys.executable, "-m", "build", "-q")
    built = [str(path) for path in sorted((ROOT / "dist").iterdir())]
    session.run("twine", "check", "--strict", *built)
    session.run("check-wheel-contents", *(name for name in built if name.endswith(".whl")))
    session.run("pyroma", "--min=8", *(name for name in built if name.endswith(".gz")))


@nox.session
def without_torch(session: nox.Session) -> None:
    """Build the documentation from its snapshots, by the package that was built."""
    python = _environment(ROOT / ".venv-notorch")
    (wheel,) = (ROOT / "dist").glob("*.whl")
    session.run(python, *PIP, "-U", "-c", "constraints.txt", "pip")
    session.run(python, *PIP, "-c", "constraints.txt", str(wheel), "--group", "docs")
    session.run(python, "-c", "import torch", success_codes=[1], silent=True)
    out = BUILD / "html-notorch"
    session.run(python, "-m", "sphinx", "-W", "-q", "-b", "html", "docs", str(out))
    _compare(session, BUILD / "html", out)


@nox.session
def oldest(session: nox.Session) -> None:
    """Run the tests that Sphinx has a say in on the oldest Sphinx."""
    python = _environment(ROOT / ".venv-oldest")
    constraints = _constraints(
        ROOT / ".venv-oldest",
        "sphinx==", "docutils==", "myst-parser==", "sphinx-gallery==",
    )  # fmt: skip
    session.run(python, *PIP, "-U", "-c", constraints, "pip")
    session.run(
        python, *PIP, "-c", constraints, f"sphinx=={OLDEST}", "sphinx-gallery==0.19.0",
        "matplotlib", "-e", ".[torch]", "--group", "docs", "--group", "test",
    )  # fmt: skip
    # What is long tries variations that do not mind the version of Sphinx, but for the site of
    # sphinx-gallery, which PyTorch builds with this one.
    pytest = (python, "-m", "pytest", "-n", "2", "--dist", "loadgroup")
    session.run(
        *pytest, "-m", "not long and not latex", "tests/hosts/test_sphinx.py",
        "tests/hosts/test_page_program.py", "tests/hosts/test_gallery_and_docstrings.py",
        "tests/hosts/test_while_reading.py", "tests/snapshots/test_snapshots.py",
    )  # fmt: skip
    session.run(*pytest, "-m", "long", "tests/hosts/test_sites.py", "-k", "sphinx-gallery")
    out = BUILD / "html-oldest"
    session.run(python, "-m", "sphinx", "-W", "-q", "-j", "2", "-b", "html", "docs", str(out))


def _environment(directory: Path) -> str:
    """Make a new virtual environment; return its Python."""
    venv.create(directory, with_pip=True, clear=True)
    return str(directory / "bin" / "python")


def _constraints(directory: Path, *without: str) -> str:
    """Write the constraints without those lines into an environment; return the file's name."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines(keepends=True)
    file = directory / "constraints.txt"
    file.write_text("".join(x for x in lines if not x.lower().startswith(without)), "utf-8")
    return str(file)


def _compare(session: nox.Session, with_torch: Path, without: Path) -> None:
    """Fail where a page that needs no torch differs between two builds."""
    for page in sorted(with_torch.rglob("*.html")):
        name = page.relative_to(with_torch)
        sources = (ROOT / "docs" / name.with_suffix(suffix) for suffix in (".rst", ".md"))
        text = "".join(path.read_text("utf-8") for path in sources if path.exists())
        asked = " ".join(re.findall(r":(?:show|table):(.*)", text)).replace(",", " ").split()
        if NOT_KEPT.isdisjoint(asked) and not filecmp.cmp(page, without / name, shallow=False):
            session.error(f"{name} differs where torch is not installed")
