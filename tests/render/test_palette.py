"""The colours: one source for drawings with and without a style sheet."""

from __future__ import annotations

import re
from importlib.resources import files

from sphinx_autogradgraph.render.palette import BOXES, LIGHT, PALETTE, WORDS
from sphinx_autogradgraph.render.style_sheet import style_sheet

SHEET = (files("sphinx_autogradgraph") / "static" / "autogradgraph.css").read_text("utf-8")


def test_the_style_sheet_has_the_colours_of_the_palette() -> None:
    found = re.findall(r"--autogradgraph-([\w-]+): ?light-dark\((#\w+), ?(#\w+)\)", SHEET)
    assert {name: (light, dark) for name, light, dark in found} == {
        name: (light, dark) for name, (light, dark, _) in PALETTE.items()
    }
    forced = SHEET[SHEET.index("forced-colors") :]
    for name, (_, _, own) in PALETTE.items():
        assert re.search(rf"--autogradgraph-{name}: ?{own}[;}}]", forced), name


def test_every_colour_that_the_style_sheet_asks_for_is_in_the_palette() -> None:
    assert set(re.findall(r"var\(--autogradgraph-([\w-]+)\)", SHEET)) - {"font", "width"} <= set(
        PALETTE
    )


def test_kinds_of_boxes_and_words_have_the_light_colours() -> None:
    used = {colour for box in BOXES.values() for colour in (box.fill, box.stroke)}
    assert used | set(WORDS.values()) <= set(LIGHT.values())


def test_the_style_sheet_of_a_drawing_can_stand_in_markdown() -> None:
    """A blank line would end the HTML there."""
    for sheet in (style_sheet(), style_sheet(page=True)):
        assert "\n\n" not in sheet
        assert "autogradgraph-controls" not in sheet
    assert "data-theme" in style_sheet(page=True)
    assert "data-theme" not in style_sheet()
