"""Light colours of a drawing as plain attributes, for SVG viewers without style sheets.

librsvg, CairoSVG, Inkscape and notebooks whose styles were stripped know neither custom properties
nor ``light-dark()``.  Where the style sheet holds, its rules come before attributes.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from sphinx_autogradgraph.render.diagram import ArrowKind, BoxKind
from sphinx_autogradgraph.render.edge_labels import LABEL_FONT_SIZE
from sphinx_autogradgraph.render.labels import Role
from sphinx_autogradgraph.render.lettering import CLUSTER_FONT_SIZE, FONT_SIZE
from sphinx_autogradgraph.render.palette import (
    BOXES,
    CLUSTER,
    CLUSTER_FILL,
    EDGE,
    MUTED,
    TEXT,
    WORDS,
)

FONTS = (
    "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', "
    "monospace"
)

DASHED, DOTTED = ' stroke-dasharray="4 3"', ' stroke-dasharray="1.5 3" stroke-linecap="round"'


class PlainStyle(NamedTuple):
    """Attributes of the parts of a drawing, with a space before each; empty unless ``used``."""

    used: bool

    def _text(self, attributes: str) -> str:
        return attributes if self.used else ""

    @property
    def root(self) -> str:
        """Attributes of the whole drawing."""
        font = f' font-family="{FONTS}" font-size="{FONT_SIZE:g}"'
        return self._text(f'{font} text-anchor="middle" fill="{TEXT}"')

    @property
    def head(self) -> str:
        """Attributes of the head of an arrow."""
        return self._text(f' fill="{EDGE}"')

    @property
    def frame(self) -> str:
        """Attributes of a frame around boxes."""
        return self._text(f' fill="{CLUSTER_FILL}" stroke="{CLUSTER}"')

    @property
    def frame_label(self) -> str:
        """Attributes of the words of a frame."""
        return self._text(f' font-size="{CLUSTER_FONT_SIZE:g}"')

    @property
    def scale(self) -> tuple[str, str]:
        """Attributes of the track and of the bar of a gradient on the scale of gradients."""
        width = ' stroke-width="2.5"'
        track = f' stroke="{WORDS["gradient"]}" stroke-opacity=".2"{width}'
        return self._text(track), self._text(f' stroke="{WORDS["gradient"]}"{width}')

    @property
    def edge_label(self) -> str:
        """Attributes of the words at an arrow."""
        return self._text(f' font-size="{LABEL_FONT_SIZE:g}"')

    def box(self, kind: BoxKind) -> str:
        """Return the attributes of the outline of a box."""
        return self._text(_box(kind))

    def inner(self, kind: BoxKind) -> str:
        """Return the attributes of the inner one of two outlines."""
        return self._text(f' fill="none" stroke="{BOXES[kind].stroke}" stroke-width=".75"')

    def edge(self, kind: ArrowKind) -> str:
        """Return the attributes of the line of an arrow."""
        return self._text(_edge(kind))

    def word(self, role: Role, kind: BoxKind | None) -> str:
        """Return the attributes of a word in a box or, without a ``kind``, in a frame's label."""
        muted = role == "meta" or (role == "op" and kind in ("function", None))
        colour = MUTED if muted else TEXT if role == "op" else WORDS[role]
        fill = "" if colour == TEXT else f' fill="{colour}"'
        return self._text(fill + (' font-weight="600"' if role in ("name", "order") else ""))


@cache
def _box(kind: BoxKind) -> str:
    colours = BOXES[kind]
    width = "" if kind in ("function", "input", "saved", "cut") else ' stroke-width="1.5"'
    lines = {"input": DASHED, "cut": DASHED, "base": DOTTED}.get(kind, "")
    return f' fill="{colours.fill}" stroke="{colours.stroke}"{width}{lines}'


@cache
def _edge(kind: ArrowKind) -> str:
    colour = BOXES["saved"].stroke if kind == "saved" else EDGE
    dots = ' stroke-width="1.6" stroke-dasharray=".1 3.5" stroke-linecap="round"'
    width = ' stroke-width="1.2"' if kind == "use" else dots
    return f' fill="none" stroke="{colour}"{width}'
