"""The README: its commands are there, its picture is what is drawn today."""

from __future__ import annotations

import re

from sphinx_autogradgraph.program.program import Program, Target, read_block
from sphinx_autogradgraph.render.diagram_of_graph import diagram_of
from sphinx_autogradgraph.render.dot import digraph_of
from sphinx_autogradgraph.render.layout import lay_out
from sphinx_autogradgraph.render.svg import svg_of
from sphinx_autogradgraph.render.text import alternative, plain, summary, title
from sphinx_autogradgraph.runtime.client import Runner
from sphinx_autogradgraph.runtime.result import Traced
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def test_the_picture_and_the_caption_are_those_of_the_example(runner: Runner) -> None:
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
    graph = traced.graph
    diagram = diagram_of(graph)
    svg = svg_of(
        diagram,
        lay_out(digraph_of(diagram).source),
        prefix="linreg",
        title=plain(title(["l"])),
        description=alternative(graph),
        standalone=True,
    )
    committed = ROOT / "docs" / "images" / "linreg.svg"
    if not committed.exists():  # delete it to have it drawn anew
        committed.parent.mkdir(exist_ok=True)
        committed.write_text(svg, "utf-8")
    assert committed.read_text("utf-8") == svg
    words = " ".join(README.replace("\n> ", "\n").replace("`", "").split())
    assert f"{plain(title(['l']))} {plain(summary(graph))}" in words


def test_the_two_commands_are_one_line_each() -> None:
    commands = re.findall(r"^```sh\n(.*)\n```$", README, flags=re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        assert command.startswith("python3 -m venv .venv && ")
        assert "-c constraints.txt -e '.[torch]' --group " in command
