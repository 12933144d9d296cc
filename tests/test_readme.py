"""The README: its commands are there, its picture and caption are those of today."""

from __future__ import annotations

import re

from sphinx_autogradgraph.hosts.sync import sync_files
from sphinx_autogradgraph.program.program import Program, Target, read_block
from sphinx_autogradgraph.render.text import plain, summary, title
from sphinx_autogradgraph.runtime.client import Runner
from sphinx_autogradgraph.runtime.result import Traced
from tests.conftest import ROOT

README = ROOT / "README.md"
TEXT = README.read_text("utf-8")


def test_the_picture_is_what_is_drawn_today() -> None:
    assert 'svg="docs/images/linreg.svg"' in TEXT
    assert sync_files([README], check=True) == ([], [])


def test_the_caption_is_that_of_the_example(runner: Runner) -> None:
    example = ROOT / "examples" / "linreg.py"
    program = Program(
        blocks=(read_block(str(example), str(ROOT)),),
        targets=(Target(1, ("l",)),),
        directory=str(example.parent),
        root=str(ROOT),
        module=example.stem,
    )
    (traced,) = runner.run([program])[0].targets
    assert isinstance(traced, Traced)
    words = " ".join(TEXT.replace("\n> ", "\n").replace("`", "").split())
    assert f"{plain(title(['l']))} {plain(summary(traced.graph))}" in words


def test_the_two_commands_are_one_line_each() -> None:
    commands = re.findall(r"^```sh\n(.*)\n```$", TEXT, flags=re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        assert command.startswith("python3 -m venv .venv && ")
        assert "-c constraints.txt -e '.[torch]' --group " in command
