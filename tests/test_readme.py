"""The README: its commands are there, its picture is what is drawn today."""

from __future__ import annotations

import re

import pytest

from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.hosts.cli import main
from sphinx_autogradgraph.render.text import plain, summary, title
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def test_the_picture_and_the_caption_are_those_of_the_example(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # «autogradgraph sync README.md» draws it anew.
    assert main(["sync", "--check", str(ROOT / "README.md")]) == 0, capsys.readouterr().out
    graph = Graph.from_json((ROOT / "docs" / "snapshots" / "index.1.json").read_text("utf-8"))
    words = " ".join(README.replace("\n> ", "\n").replace("`", "").split())
    assert f"{plain(title(['l']))} {plain(summary(graph))}" in words


def test_the_two_commands_are_one_line_each() -> None:
    commands = re.findall(r"^```sh\n(.*)\n```$", README, flags=re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        assert command.startswith("python3 -m venv .venv && ")
        assert "-c constraints.txt -e '.[torch]' --group " in command
