"""The contract between markup and script, which frontend/README.md writes down."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.browser.conftest import Open

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
README = (FRONTEND / "README.md").read_text("utf-8")
CLASSES = re.compile(r"autogradgraph-[a-z]+(?:-[a-z]+)*")


def sources(folder: str, kind: str) -> str:
    paths = sorted((FRONTEND / folder).glob(f"*.{kind}"))
    return "\n".join(path.read_text("utf-8") for path in paths)


def written_down() -> set[str]:
    """The names that the README has; after a comma, those that begin like the one before."""
    full = set(CLASSES.findall(README))
    return full | {f"autogradgraph{short}" for short in re.findall(r"`(-[a-z]+)`", README)}


def test_every_class_of_the_script_is_written_down() -> None:
    used = set(CLASSES.findall(sources("src", "js")))
    used |= {f"autogradgraph-{name}" for name in ("now", "done", "flow", "ahead")}
    ours = {name for name in used if not name.startswith("autogradgraph-seen")}
    assert ours - written_down() == set()


def test_every_class_of_the_style_sheet_is_made_by_script_or_markup() -> None:
    sheet = sources("style", "css")
    asked = set(re.findall(r"\.(autogradgraph-[a-z-]+)", sheet))
    python = "".join(
        path.read_text("utf-8") for path in (ROOT / "sphinx_autogradgraph").rglob("*.py")
    )
    assert {name for name in asked if name not in python} - written_down() == set()


def test_every_word_of_the_script_comes_from_the_page() -> None:
    said = set(re.findall(r"\bsay\(\s*\"(\w+)\"", sources("src", "js")))
    said |= {name for pair in re.findall(r'say\([^"()]*\? "(\w+)" : "(\w+)"', sources("src", "js")) for name in pair}  # fmt: skip
    python = (ROOT / "sphinx_autogradgraph" / "figures" / "figure_html.py").read_text("utf-8")
    given = set(re.findall(r'^        "(\w+)": _\(', python, re.M))
    assert said == given


MARKUP = """
() => [...document.querySelectorAll("figure.autogradgraph")].map(figure => ({
  svg: figure.querySelectorAll(":scope > .autogradgraph-canvas > svg.autogradgraph-svg").length,
  title: figure.querySelector("svg > title").id,
  ids: [...figure.querySelectorAll("svg [id]")].map(e => e.id),
  kinds: [...figure.querySelectorAll(".node")].map(e => e.getAttribute("class")),
  shown: [...figure.querySelectorAll(".node")].map(e => e.dataset.node),
  ends: [...figure.querySelectorAll(".edge")].map(e => e.dataset.ends),
  levels: figure.querySelector(".autogradgraph-canvas").dataset.levels,
  data: figure.querySelector("script.autogradgraph-data").textContent,
}))
"""


@pytest.mark.long
@pytest.mark.browser
def test_the_markup_is_as_it_is_written_down(open_page: Open) -> None:
    page = open_page("reading", java_script_enabled=False)
    figures = page.evaluate(MARKUP)
    assert len(figures) == 3
    for figure in figures:
        assert figure["svg"] == 1
        prefix = figure["title"].removesuffix("title")
        assert prefix.endswith("-")
        keys = {id.removeprefix(prefix) for id in figure["ids"] if id.startswith(prefix)}
        assert len(keys) == len(figure["ids"]) == len(set(figure["ids"]))
        for ends in figure["ends"]:
            assert set(ends.split(" ")) <= keys
        for kinds in figure["kinds"]:
            known = {"leaf", "function", "output", "input", "module", "saved", "shared", "base"}
            assert set(kinds.split()) - {"node", "cut"} <= known
        for shown in figure["shown"]:
            assert re.fullmatch(r"\d+(-\d+)?( \d+(-\d+)?)*", shown)
        assert json.loads(figure["data"])["version"] == 1
    assert "data-autogradgraph-words" in page.content()
    first, *deeper = json.loads(figures[2]["levels"])
    assert set(first) == {"nodes"}
    assert all(set(level) == {"nodes", "url", "file"} for level in deeper)
