"""Diagram + layout → SVG."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from itertools import groupby

from sphinx_autogradgraph.render.candidates import MARGIN
from sphinx_autogradgraph.render.diagram import LINE, Box, Cluster, Diagram
from sphinx_autogradgraph.render.labels import FONT_SIZE, Word, printable
from sphinx_autogradgraph.render.layout import Frame, Layout, Point, Route

HEAD_LENGTH, HEAD_WIDTH = 6.0, 5.0


def svg_of(
    diagram: Diagram,
    layout: Layout,
    *,
    prefix: str,
    title: str,
    description: str,
    standalone: bool = False,
    role: str = "group",
    width: str | None = None,
    lines: Mapping[int, Link] | None = None,
    calls: Mapping[int, Link] | None = None,
    marks: Mapping[str, str] | None = None,
) -> str:
    """The drawing as the text of an ``<svg>`` element.

    All ids begin with ``prefix``, which is to be unique on the page.  ``role`` is that of
    ARIA: of an ``img`` assistive tools see no links.  Colours and fonts come from
    the style sheet by classes; with ``standalone`` it is put into the element.  ``width`` is a
    CSS length in place of the natural width.  ``lines`` links nodes of the Graph to the code that
    made them, ``calls`` to the documentation of the function that was called.
    ``marks`` are more classes for boxes and arrows, by their keys.
    """
    prefix = escape(prefix)
    marks = marks or {}
    across, down = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    # In em of the labels: with the style sheet's font size, one unit is one pixel.
    natural = across / FONT_SIZE
    size = f"width:{width};min-width:0" if width else f"--autogradgraph-width:{natural:.2f}em"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="autogradgraph-svg" role="{role}" '
        f'aria-labelledby="{prefix}-title {prefix}-desc" '
        f'viewBox="0 0 {_number(across)} {_number(down)}" style="{escape(size)}"'
        + ("" if diagram.direction == "TB" else f' data-direction="{diagram.direction}"')
        + (f' width="{_number(across)}" height="{_number(down)}"' if standalone else "")
        + ">",
        f'<title id="{prefix}-title">{escape(printable(title))}</title>',
        f'<desc id="{prefix}-desc">{escape(printable(description))}</desc>',
    ]
    if standalone:
        parts.append(f"<style>{escape(style_sheet(), quote=False)}</style>")
    parts.append(f'<g transform="translate({_number(MARGIN)} {_number(MARGIN)})">')
    frames = [(cluster, layout.frames[cluster.key]) for cluster in diagram.clusters]
    parts += [_frame(frame, f"{prefix}-{cluster.key}") for cluster, frame in frames]
    for arrow in diagram.arrows:
        route = layout.routes[arrow.key]
        kind = "edge" if arrow.kind == "use" else f"edge {arrow.kind}"
        kind += f" {marks[arrow.key]}" if arrow.key in marks else ""
        parts.append(
            f'<g class="{kind}" id="{prefix}-{arrow.key}" data-ends="{arrow.tail} {arrow.head}">'
            f"{_arrow(route)}</g>"
        )
    parts += [_frame_label(cluster, frame) for cluster, frame in frames]
    for box in diagram.boxes:
        line = _link_of(box, lines or {})
        call = _link_of(box, calls or {}) if box.kind == "function" else None
        kind = _classes(box, marks.get(box.key))
        parts.append(_box(box, layout.boxes[box.key], f"{prefix}-{box.key}", kind, line, call))
    parts += [_sample(box, layout.boxes[box.key]) for box in diagram.legend]
    parts.append("</g></svg>")
    return "\n".join(parts)


def style_sheet(*, page: bool = False) -> str:
    """What drawings need of the style sheet of pages, without what is for its script.

    With ``page`` they are light or dark as the page around them is.  It has no blank lines, which
    would end it where HTML stands in Markdown.
    """
    sheet = files("sphinx_autogradgraph") / "static" / "autogradgraph.css"
    _, drawing, in_page, _ = _PART.split(sheet.read_text("utf-8"))
    return drawing + in_page if page else drawing


_PART = re.compile(r"/\* === \w+ === \*/\n")
"""The heading of a part of the style sheet: drawing, page, controls."""


@dataclass(frozen=True)
class Link:
    """Where a link goes, and what is said of it besides the words that are seen."""

    url: str
    label: str

    def around(self, body: str, kind: str, words: str | None) -> str:
        """The body as a link, which is called by the words in it.

        Without ``words`` it is one that stands beside another to the same place.
        """
        called = None if words is None else escape(f"{words}, {self.label}")
        skip = ' tabindex="-1"' if called is None else f' aria-label="{called}"'
        return f'<a class="{kind}" href="{escape(self.url)}"{skip}>{body}</a>'


def _link_of(box: Box, links: Mapping[int, Link]) -> Link | None:
    """The link that all functions share which a box shows."""
    if box.kind not in ("function", "module") or not links:
        return None
    found = {links[node] for node in box.nodes if node in links}
    return found.pop() if len(found) == 1 else None


def _frame(frame: Frame, id: str) -> str:
    return (
        f'<g class="cluster" id="{id}"><rect x="{_number(frame.left)}" y="{_number(frame.top)}" '
        f'width="{_number(frame.width)}" height="{_number(frame.height)}" rx="6"/></g>'
    )


def _frame_label(cluster: Cluster, frame: Frame) -> str:
    """The words of a frame, which stand over the arrows that cross them."""
    x, y = frame.label
    words = " ".join(map(_word, cluster.words))
    return f'<text class="cluster" x="{_number(x)}" y="{_number(y)}" dy=".35em">{words}</text>'


def _outline(box: Box, centre: Point) -> str:
    x, y = centre
    left, top = x - box.width / 2, y - box.height / 2
    radius = box.height / 2 if box.kind == "function" else 3.0
    rect = (
        _note(left, top, box.width, box.height)
        if box.kind == "saved"
        else (
            f'<rect x="{_number(left)}" y="{_number(top)}" width="{_number(box.width)}" '
            f'height="{_number(box.height)}" rx="{_number(radius)}"/>'
        )
    )
    if box.kind == "output":  # told apart by its double outline as well as by colour
        rect += (
            f'<rect class="inner" x="{_number(left + 2.5)}" y="{_number(top + 2.5)}" '
            f'width="{_number(box.width - 5)}" height="{_number(box.height - 5)}" rx="1.5"/>'
        )
    return rect


def _sample(box: Box, centre: Point) -> str:
    """A box of the legend: no node, though it looks like one."""
    text = " ".join(_lines(box, centre))
    return f'<g class="legend {CLASSES.get(box.kind, box.kind)}">{_outline(box, centre)}{text}</g>'


def _classes(box: Box, mark: str | None) -> str:
    """The classes of a box besides ``node``."""
    shared = "shared" if box.shared else None
    return " ".join(filter(None, [CLASSES.get(box.kind, box.kind), shared, mark]))


def _box(box: Box, centre: Point, id: str, kind: str, line: Link | None, call: Link | None) -> str:
    rect = _outline(box, centre)
    tooltip = f"<title>{escape(box.tooltip)}</title>" if box.tooltip else ""
    if call is None:
        body = rect + " ".join(_lines(box, centre))
        body = line.around(body, "line", _said(box)) if line else body
    else:
        # The operation leads to its documentation, all else to the line; links do not nest.
        body = line.around(rect, "line", _said(box)) if line else rect
        body += " ".join(_lines(box, centre, line, call))
    nodes = escape(runs(box.nodes))
    return f'<g class="node {kind}" id="{id}" data-node="{nodes}">{tooltip}{body}</g>'


def _lines(
    box: Box, centre: Point, line: Link | None = None, call: Link | None = None
) -> Iterator[str]:
    """The lines of words of a box, with links of their own if there is a ``call``."""
    x, y = centre
    for place, words in enumerate(box.lines):
        at = y + (place - (len(box.lines) - 1) / 2) * LINE
        parts = []
        for of_call, found in groupby(words, key=lambda word: word[0] in ("op", "call")):
            group = list(found)
            text = " ".join(map(_word, group))
            if of_call and call:
                said = " ".join(word for _, word in group)
                text = call.around(text, "call", None if place else said)
            elif call and line:
                text = line.around(text, "line", None)
            parts.append(text)
        yield f'<text x="{_number(x)}" y="{_number(at)}" dy=".35em">{" ".join(parts)}</text>'


def _said(box: Box) -> str:
    return " ".join(text for words in box.lines for _, text in words)


CLASSES = {"base": "output base", "cut": "module cut"}
"""The classes of boxes that are a special case of another kind."""


def runs(ids: Sequence[int]) -> str:
    """Ascending ids as text, those that follow each other as a run: ``3 12-40``."""
    found: list[list[int]] = []
    for id in ids:
        if found and found[-1][1] == id - 1:
            found[-1][1] = id
        else:
            found.append([id, id])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


CORNER = 7.0
"""The side of the corner that is cut off the box of a saved tensor."""


def _note(left: float, top: float, width: float, height: float) -> str:
    """The outline of a box like a sheet of paper, with a corner cut off."""
    down, right = _number(height), _number(width - CORNER)
    corner = _number(CORNER)
    return (
        f'<path class="note" d="M{_number(left)},{_number(top)}h{right}l{corner},{corner}'
        f'V{_number(top + height)}h-{_number(width)}v-{down}z"/>'
    )


def _word(word: Word) -> str:
    role, text = word
    return f'<tspan class="{role}">{escape(text)}</tspan>'


def _arrow(route: Route) -> str:
    start, *rest = route.points
    path = f"M{_pair(start)}C" + " ".join(_pair(point) for point in rest)
    neck, corners = arrow_head(route)
    if not corners:
        return f'<path d="{path}"/>'
    head = "M" + "L".join(_pair(corner) for corner in corners) + "z"
    return f'<path d="{path}L{_pair(neck)}"/><path class="head" d="{head}"/>'


def arrow_head(route: Route) -> tuple[Point, list[Point]]:
    """Where the line of an arrow meets its head, and the corners of the head; none without one.

    They meet short of the tip, so that the line does not blunt it.
    """
    (x, y), (dx, dy) = _tip(route)
    if route.tip is None:
        return (x, y), []
    neck = (x - dx * HEAD_LENGTH * 0.7, y - dy * HEAD_LENGTH * 0.7)
    back = (x - dx * HEAD_LENGTH, y - dy * HEAD_LENGTH)
    side = (-dy * HEAD_WIDTH / 2, dx * HEAD_WIDTH / 2)
    return neck, [
        (x, y),
        (back[0] + side[0], back[1] + side[1]),
        (back[0] - side[0], back[1] - side[1]),
    ]


def _tip(route: Route) -> tuple[Point, Point]:
    """The tip of an arrow and the direction of length 1 in which it points."""
    tip = route.tip or route.points[-1]
    end = route.points[-1] if route.tip else route.points[-2]
    dx, dy = tip[0] - end[0], tip[1] - end[1]
    length = math.hypot(dx, dy) or 1.0
    return tip, (dx / length, dy / length)


def _pair(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(value: float) -> str:
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"
