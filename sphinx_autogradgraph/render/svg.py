"""SVG of a diagram at the places of its layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape
from itertools import groupby, pairwise
from typing import NamedTuple

from sphinx_autogradgraph.render.arrow_heads import arrow_head
from sphinx_autogradgraph.render.candidates import MARGIN
from sphinx_autogradgraph.render.diagram import LINE, ArrowKind, Box, Cluster, Diagram
from sphinx_autogradgraph.render.edge_labels import LABEL_FONT_SIZE, EdgeLabel, edge_labels
from sphinx_autogradgraph.render.labels import Word
from sphinx_autogradgraph.render.layout import Frame, Layout, Point, Route
from sphinx_autogradgraph.render.legend import with_legend
from sphinx_autogradgraph.render.lettering import CLUSTER_FONT_SIZE, FONT_SIZE, printable
from sphinx_autogradgraph.render.links import Link, shared_link
from sphinx_autogradgraph.render.plain_style import PlainStyle
from sphinx_autogradgraph.render.style_sheet import style_sheet

SVG_CLASS = "autogradgraph-svg"
"""Class of the element of every drawing."""


def svg_of(
    diagram: Diagram,
    layout: Layout,
    *,
    prefix: str,
    title: str,
    description: str,
    standalone: bool = False,
    plain: bool = False,
    role: str = "group",
    width: str | None = None,
    lines: Mapping[int, Link] | None = None,
    calls: Mapping[int, Link] | None = None,
    marks: Mapping[str, str] | None = None,
) -> str:
    """Return the drawing as the text of an ``<svg>`` element.

    All ids begin with ``prefix``, which is to be unique on the page.  ``role`` is that of ARIA: in
    an ``img`` assistive tools see no links.  Colours and fonts come from the style sheet of the
    page, by classes.  With ``standalone`` the element holds the style sheet and the legend; for
    pages there is :func:`legend_html`.  ``plain`` puts the light look into attributes, too, as
    ``standalone`` does.  ``width`` is a CSS length in place of the natural width.  ``lines`` links
    nodes of the Graph to the code that made them, ``calls`` to the documentation of the function
    that was called.  ``marks`` are more classes for boxes and arrows, by their keys.
    """
    prefix = escape(prefix)
    if standalone:
        layout = with_legend(layout, diagram.legend)
    marks = marks or {}
    said = list(edge_labels(diagram, layout))
    across, down = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    style = PlainStyle(plain or standalone)
    parts = [
        _opening(diagram, (across, down), prefix, role, width, style, sized=standalone),
        f'<title id="{prefix}-title">{escape(printable(title))}</title>',
        f'<desc id="{prefix}-desc">{escape(printable(description))}</desc>',
    ]
    if standalone:
        parts.append(_style())
    parts.append(f'<g transform="translate({_number(MARGIN)} {_number(MARGIN)})">')
    frames = [(cluster, layout.frames[cluster.key]) for cluster in diagram.clusters]
    parts += [_frame(frame, f"{prefix}-{cluster.key}", style) for cluster, frame in frames]
    parts += _arrows(diagram, layout, said, prefix, marks, style)
    parts += [_frame_label(cluster, frame, style) for cluster, frame in frames]
    for box in diagram.boxes:
        drawn, mark = _Drawn(box, layout.boxes[box.key], style), marks.get(box.key)
        parts.append(_box(drawn, f"{prefix}-{box.key}", mark, lines or {}, calls or {}))
    if standalone:
        for box in diagram.legend:
            parts.append(_sample(_Drawn(box, layout.boxes[box.key], style)))
    parts.append("</g></svg>")
    return "\n".join(parts)


def _opening(
    diagram: Diagram,
    size: tuple[float, float],
    prefix: str,
    role: str,
    width: str | None,
    style: PlainStyle,
    *,
    sized: bool,
) -> str:
    """Return the opening tag of a drawing; ``sized`` gives it attributes of its natural size."""
    across, down = map(_number, size)
    # In em of the labels: with the style sheet's font size, one unit is one pixel.
    natural = size[0] / FONT_SIZE
    css = f"width:{width};min-width:0" if width else f"--autogradgraph-width:{natural:.2f}em"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{SVG_CLASS}" role="{role}" '
        f'aria-labelledby="{prefix}-title {prefix}-desc" '
        f'viewBox="0 0 {across} {down}" style="{escape(css)}"'
        + ("" if diagram.direction == "TB" else f' data-direction="{diagram.direction}"')
        + (f' width="{across}" height="{down}"' if sized else "")
        + f"{style.root}>"
    )


def _style() -> str:
    """Return the style sheet as an element."""
    # In a condition, which renderers without custom properties pass over.
    sheet = f"@supports (color: light-dark(red, red)) {{{style_sheet()}}}"
    return f"<style>{escape(sheet, quote=False)}</style>"


def _arrows(
    diagram: Diagram,
    layout: Layout,
    labels: Sequence[EdgeLabel],
    prefix: str,
    marks: Mapping[str, str],
    style: PlainStyle,
) -> Iterator[str]:
    """Yield the arrows, each with its words."""
    words = {label.arrow.key: _edge_label(label, style) for label in labels}
    for arrow in diagram.arrows:
        route = layout.routes[arrow.key]
        kind = "edge" if arrow.kind == "use" else f"edge {arrow.kind}"
        kind += f" {marks[arrow.key]}" if arrow.key in marks else ""
        yield (
            f'<g class="{kind}" id="{prefix}-{arrow.key}" data-ends="{arrow.tail} {arrow.head}">'
            f"{_arrow(route, arrow.kind, style)}{words.get(arrow.key, '')}</g>"
        )


def legend_html(diagram: Diagram, *, plain: bool = False) -> str:
    """Return the legend as HTML, whose lines break as those of the page; "" without a legend."""
    samples = []
    style = PlainStyle(plain)
    for box in diagram.legend:
        width, height = box.width + 2 * MARGIN, box.height + 2 * MARGIN
        drawn = _Drawn(box, (width / 2, height / 2), style)
        samples.append(
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{SVG_CLASS}" role="img" '
            f'aria-label="{escape(_said(box))}" viewBox="0 0 {_number(width)} {_number(height)}" '
            f'width="{_number(width)}" height="{_number(height)}" style="display:inline-block;'
            f'width:{width / FONT_SIZE:.2f}em;min-width:0;margin:0"{style.root}>'
            f"{_sample(drawn)}</svg>"
        )
    if not samples:
        return ""
    body = "\n".join(samples)
    return f'<div class="autogradgraph-legend" style="font-size:{FONT_SIZE:g}px">{body}</div>\n'


def _frame(frame: Frame, id: str, style: PlainStyle) -> str:
    return (
        f'<g class="cluster" id="{id}"><rect x="{_number(frame.left)}" y="{_number(frame.top)}" '
        f'width="{_number(frame.width)}" height="{_number(frame.height)}" rx="6"{style.frame}/></g>'
    )


def _frame_label(cluster: Cluster, frame: Frame, style: PlainStyle) -> str:
    """Return the words of a frame; they come after the arrows, to be drawn above them."""
    x, y = frame.label
    words = " ".join(_word(word, style.word(word[0], None)) for word in cluster.words)
    y += MIDDLE * CLUSTER_FONT_SIZE
    place = f'x="{_number(x)}" y="{_number(y)}"'
    return f'<text class="cluster" {place}{style.frame_label}>{words}</text>'


ROUND = 20.0
"""Most that the corners of a function are rounded: in taller boxes, words would not fit."""


class _Drawn(NamedTuple):
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
        radius = min(box.height / 2, ROUND) if box.kind == "function" else 3.0
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
        start = f"M{_number(x - BAR / 2)},{_number(y + box.height / 2 - BAR_UP)}"
        track, bar = style.scale
        return (
            f'<path class="track" d="{start}h{_number(BAR)}"{track}/>'
            f'<path class="level" d="{start}h{_number(BAR * box.level)}"{bar}/>'
        )

    def words(self, line: Link | None = None, call: Link | None = None) -> Iterator[str]:
        """Yield the lines of words of the box, with links of their own if there is a ``call``."""
        box, (x, y), style = self
        for place, words in enumerate(box.lines):
            at = y + (place - (len(box.lines) - 1) / 2) * LINE + MIDDLE * FONT_SIZE
            parts = []
            for of_call, found in groupby(words, key=lambda word: word[0] in ("op", "call")):
                group = list(found)
                text = " ".join(_word(word, style.word(word[0], box.kind)) for word in group)
                if of_call and call:
                    said = " ".join(word for _, word in group)
                    text = call.around(text, "call", None if place else said)
                elif call and line:
                    text = line.around(text, "line", None)
                parts.append(text)
            yield f'<text x="{_number(x)}" y="{_number(at)}">{" ".join(parts)}</text>'


def _sample(drawn: _Drawn) -> str:
    """Return a box of the legend, which looks like a node without being one."""
    kind = drawn.box.kind
    body = drawn.outline() + " ".join(drawn.words())
    return f'<g class="legend {CLASSES.get(kind, kind)}">{body}</g>'


def _classes(box: Box, mark: str | None) -> str:
    """Return the classes of a box besides ``node``."""
    shared = "shared" if box.shared else None
    return " ".join(filter(None, [CLASSES.get(box.kind, box.kind), shared, mark]))


def _box(
    drawn: _Drawn,
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
        body = line.around(body, "line", _said(box)) if line else body
    else:
        # The operation leads to its documentation, all else to the line; links do not nest.
        body = line.around(rect, "line", _said(box)) if line else rect
        body += " ".join(drawn.words(line, call))
    nodes = escape(runs(box.nodes))
    return (
        f'<g class="node {_classes(box, mark)}" id="{id}" data-node="{nodes}">{tooltip}{body}</g>'
    )


def _said(box: Box) -> str:
    return " ".join(text for words in box.lines for _, text in words)


CLASSES = {"base": "output base", "cut": "module cut"}
"""Classes of boxes that are a special case of another kind."""


def runs(ids: Sequence[int]) -> str:
    """Write ascending ids as text, consecutive ones as a run: ``3 12-40``."""
    found: list[list[int]] = []
    for id in ids:
        if found and found[-1][1] == id - 1:
            found[-1][1] = id
        else:
            found.append([id, id])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


CORNER = 7.0
"""Side of the corner that is cut off the box of a saved tensor."""

STACK = 3.0
"""Width at which the lower card of a fold shows under the upper one."""

BAR, BAR_UP = 80.0, 3.5
"""Length of a full bar of a gradient, and its distance from the lower end of its box."""

MIDDLE = 0.35
"""Distance from the middle of a line down to its baseline, as a share of the font size."""


def _rect(
    left: float, top: float, width: float, height: float, radius: float, attributes: str
) -> str:
    return (
        f'<rect x="{_number(left)}" y="{_number(top)}" width="{_number(width)}" '
        f'height="{_number(height)}" rx="{_number(radius)}"{attributes}/>'
    )


def _note(left: float, top: float, width: float, height: float, attributes: str) -> str:
    """Return the outline of a box like a sheet of paper, with a corner cut off."""
    down, right = _number(height), _number(width - CORNER)
    corner = _number(CORNER)
    return (
        f'<path class="note" d="M{_number(left)},{_number(top)}h{right}l{corner},{corner}'
        f'V{_number(top + height)}h-{_number(width)}v-{down}z"{attributes}/>'
    )


def _word(word: Word, attributes: str) -> str:
    role, text = word
    return f'<tspan class="{role}"{attributes}>{escape(text)}</tspan>'


def _edge_label(label: EdgeLabel, style: PlainStyle) -> str:
    """Return the words at an arrow."""
    place = f'x="{_number(label.x)}" y="{_number(label.y + MIDDLE * LABEL_FONT_SIZE)}"'
    word = _word(("gradient", label.text), style.word("gradient", None))
    return f'<text class="carried" {place}{style.edge_label}>{word}</text>'


def _arrow(route: Route, kind: ArrowKind, style: PlainStyle) -> str:
    neck, corners = arrow_head(route)
    path = _path([*route.points, neck] if corners else route.points, len(route.points))
    line = f'<path d="{path}"{style.edge(kind)}/>'
    if not corners:
        return line
    # Relative to the tip: shorter.
    sides = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(corners)]
    head = f"M{_pair(corners[0])}l" + " ".join(_pair(side) for side in sides) + "z"
    return f'{line}<path class="head" d="{head}"{style.head}/>'


def _path(points: Sequence[Point], curved: int) -> str:
    """Return the path of a spline through ``curved`` points, and of straight lines to the rest."""
    start, *rest = points
    for axis, command in ((0, "V"), (1, "H")):
        if all(abs(point[axis] - start[axis]) < 0.06 for point in rest):
            return f"M{_pair(start)}{command}{_number(rest[-1][1 - axis])}"
    path = f"M{_pair(start)}C" + " ".join(map(_pair, points[1:curved]))
    return path + "".join(f"L{_pair(point)}" for point in points[curved:])


def _pair(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


@lru_cache(maxsize=16_384)  # most places and sizes come again and again
def _number(value: float) -> str:
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"
