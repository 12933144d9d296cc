"""Numbers and words in SVG."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from sphinx_autogradgraph.render.labels import Word
from sphinx_autogradgraph.render.layout import Point

MIDDLE = 0.35
"""Distance from the middle of a line down to its baseline, as a share of the font size."""


def word_svg(word: Word, attributes: str) -> str:
    """Return a word as an element, with the class of its role."""
    role, text = word
    return f'<tspan class="{role}"{attributes}>{escape(text)}</tspan>'


def pair(point: Point) -> str:
    """Return a place as SVG writes it: ``12.5,3``."""
    return f"{number(point[0])},{number(point[1])}"


@lru_cache(maxsize=16_384)  # most places and sizes come again and again
def number(value: float) -> str:
    """Return a number with at most one digit after the point."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"
