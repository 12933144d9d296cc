"""What the documentation shows of commands and code is what they do."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap

from tests.conftest import ROOT

PYTHON = (ROOT / "docs" / "python.rst").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of the page in a language."""
    found = re.findall(rf"\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)", PYTHON)
    return [textwrap.dedent(block).strip("\n") + "\n" for block in found]


def test_the_python_of_the_page() -> None:
    code = "".join(blocks("python"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (shown,) = blocks("text")
    assert done.stdout.startswith(shown)
    assert "MmBackward0 torch.mm" in done.stdout


def test_the_commands_of_the_page() -> None:
    (session,) = blocks("console")
    first, rest = session.split("\n", 1)
    arguments = first.removeprefix("$ autogradgraph ").split()
    done = subprocess.run(
        [sys.executable, "-m", "sphinx_autogradgraph", *arguments],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert rest.startswith(done.stdout)
