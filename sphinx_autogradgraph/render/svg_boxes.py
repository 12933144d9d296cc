"""Boxes of a drawing as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import escape
from itertools import groupby
from typing import NamedTuple

from sphinx_autogradgraph.render.diagram import LINE, STACK, Box, BoxKind
from sphinx_autogradgraph.render.labels import Word
from sphinx_autogradgraph.render.layout import Point
from sphinx_autogradgraph.render.lettering import FONT_SIZE
from sphinx_autogradgraph.render.links import Link, shared_link
from sphinx_autogradgraph.render.plain_style import PlainStyle
from sphinx_autogradgraph.render.svg_text import MIDDLE, number, word_svg

FOLDED = 7.0
"""Side of the corner that is cut off the box of a saved tensor."""

BAR, BAR_UP = 80.0, 3.5
"""Length of a full bar of a gradient, and its distance from the lower end of its box."""

CLASSES = {"base": "output base", "cut": "module cut"}
"""Classes of boxes that are a special case of another kind."""


class DrawnBox(NamedTuple):
    """Box at its place, in its style."""

    box: Box
    centre: Point
    style: PlainStyle

    def outline(self) -> str:
        """Return the outlines of the box."""
        box, (x, y), style = self
        left, top = x - box.width / 2, y - box.height / 2
        if box.kind == "saved":
            return _note(left, top, box.width, box.height, style.box(box.kind))
        radius = box.corner_radius
        outer = _rect(left, top, box.width, box.height, radius, style.box(box.kind))
        if box.kind == "output":  # told apart by its double outline as well as by colour
            inside = (left + 2.5, top + 2.5, box.width - 5, box.height - 5, 1.5)
            return outer + _rect(*inside, f' class="inner"{style.inner(box.kind)}')
        if box.kind == "module":  # a stack of cards: there is more in it
            under = (left + STACK, top + STACK, box.width, box.height, radius)
            return _rect(*under, style.box(box.kind)) + outer
        return outer

    def scale(self) -> str:
        """Return a bar as long as the gradient of the box is high on the scale of gradients."""
        box, (x, y), style = self
        if box.level is None:
            return ""
        start = f"M{number(x - BAR / 2)},{number(y + box.height / 2 - BAR_UP)}"
        track, bar = style.scale
        return (
            f'<path class="track" d="{start}h{number(BAR)}"{track}/>'
            f'<path class="level" d="{start}h{number(BAR * box.level)}"{bar}/>'
        )

    def words(self, line: Link | None = None, call: Link | None = None) -> Iterator[str]:
        """Yield the lines of words of the box, with links of their own if there is a ``call``."""
        box, (x, y), style = self
        for place, words in enumerate(box.lines):
            at = y + (place - (len(box.lines) - 1) / 2) * LINE + MIDDLE * FONT_SIZE
            if call is None:
                text = _row(words, box.kind, style)
            else:
                text = " ".join(self._linked(words, line, call, is_first=not place))
            yield f'<text x="{number(x)}" y="{number(at)}">{text}</text>'

    def _linked(
        self, words: Iterable[Word], line: Link | None, call: Link, *, is_first: bool
    ) -> Iterator[str]:
        """Yield the words of a line: those of the operation lead to the call, others to the line.

        The keyboard reaches the call in the first line.
        """
        for of_call, found in groupby(words, key=lambda word: word[0] in ("op", "call")):
            group = tuple(found)
            text = _row(group, self.box.kind, self.style)
            if of_call:
                said = " ".join(word for _, word in group)
                yield call.around(text, "call", said if is_first else None)
            else:
                yield line.around(text, "line", None) if line else text


@lru_cache(maxsize=1024)  # a drawing has many boxes with the same words
def _row(words: tuple[Word, ...], kind: BoxKind, style: PlainStyle) -> str:
    """Return words beside each other, as a box of that kind has them."""
    return " ".join([word_svg(word, style.word(word[0], kind)) for word in words])


def sample_svg(drawn: DrawnBox) -> str:
    """Return a box of the legend, which looks like a node without being one."""
    kind = drawn.box.kind
    body = drawn.outline() + " ".join(drawn.words())
    return f'<g class="legend {CLASSES.get(kind, kind)}">{body}</g>'


def _classes(box: Box, mark: str | None) -> str:
    """Return the classes of a box besides ``node``."""
    kind = CLASSES.get(box.kind, box.kind)
    return f"{kind}{' shared' if box.shared else ''}{f' {mark}' if mark else ''}"


def box_svg(
    drawn: DrawnBox,
    id: str,
    mark: str | None,
    lines: Mapping[int, Link],
    calls: Mapping[int, Link],
) -> str:
    """Return a box with its tooltip and links; ``mark`` is one more class."""
    box, rect = drawn.box, drawn.outline() + drawn.scale()
    line = shared_link(box, lines)
    call = shared_link(box, calls) if box.kind == "function" else None
    tooltip = f"<title>{escape(box.tooltip)}</title>" if box.tooltip else ""
    if call is None:
        body = rect + " ".join(drawn.words())
        body = line.around(body, "line", box_text(box)) if line else body
    else:
        # The operation leads to its documentation, all else to the line; links do not nest.
        body = line.around(rect, "line", box_text(box)) if line else rect
        body += " ".join(drawn.words(line, call))
    classes, nodes = _classes(box, mark), runs(box.nodes)
    return f'<g class="node {classes}" id="{id}" data-node="{nodes}">{tooltip}{body}</g>'


def box_text(box: Box) -> str:
    """Return the words of a box as one text, for assistive tools."""
    return " ".join(text for words in box.lines for _, text in words)


@lru_cache(maxsize=32)  # a fold with thousands of outputs has the same nodes at each of them
def runs(ids: tuple[int, ...]) -> str:
    """Write ascending ids as text, consecutive ones as a run: ``3 12-40``."""
    if len(ids) == 1:
        return str(ids[0])
    found: list[list[int]] = []
    for id in ids:
        if found and found[-1][1] == id - 1:
            found[-1][1] = id
        else:
            found.append([id, id])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def _rect(
    left: float, top: float, width: float, height: float, radius: float, attributes: str
) -> str:
    return (
        f'<rect x="{number(left)}" y="{number(top)}" width="{number(width)}" '
        f'height="{number(height)}" rx="{number(radius)}"{attributes}/>'
    )


def _note(left: float, top: float, width: float, height: float, attributes: str) -> str:
    """Return the outline of a box like a sheet of paper, with a corner cut off."""
    down, right = number(height), number(width - FOLDED)
    corner = number(FOLDED)
    return (
        f'<path class="note" d="M{number(left)},{number(top)}h{right}l{corner},{corner}'
        f'V{number(top + height)}h-{number(width)}v-{down}z"{attributes}/>'
    )
