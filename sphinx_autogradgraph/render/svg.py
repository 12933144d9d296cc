"""SVG of a diagram at the places of its layout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from sphinx_autogradgraph.core.garbage import uncollected
from sphinx_autogradgraph.render.arrow_heads import arrow_head
from sphinx_autogradgraph.render.candidates import MARGIN
from sphinx_autogradgraph.render.diagram import ArrowKind, Cluster, Diagram
from sphinx_autogradgraph.render.edge_labels import LABEL_FONT_SIZE, EdgeLabel, edge_labels
from sphinx_autogradgraph.render.layout import Frame, Layout, Point, Route
from sphinx_autogradgraph.render.legend import with_legend
from sphinx_autogradgraph.render.lettering import CLUSTER_FONT_SIZE, FONT_SIZE, printable
from sphinx_autogradgraph.render.links import Link
from sphinx_autogradgraph.render.plain_style import PlainStyle
from sphinx_autogradgraph.render.style_sheet import style_sheet
from sphinx_autogradgraph.render.svg_boxes import DrawnBox, box_svg, box_text, sample_svg
from sphinx_autogradgraph.render.svg_text import MIDDLE, number, pair, word_svg

SVG_CLASS = "autogradgraph-svg"
"""Class of the element of every drawing."""


@uncollected()
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
    parts.append(f'<g transform="translate({number(MARGIN)} {number(MARGIN)})">')
    frames = [(cluster, layout.frames[cluster.key]) for cluster in diagram.clusters]
    parts += [_frame(frame, f"{prefix}-{cluster.key}", style) for cluster, frame in frames]
    parts += _arrows(diagram, layout, said, prefix, marks, style)
    parts += [_frame_label(cluster, frame, style) for cluster, frame in frames]
    for box in diagram.boxes:
        drawn, mark = DrawnBox(box, layout.boxes[box.key], style), marks.get(box.key)
        parts.append(box_svg(drawn, f"{prefix}-{box.key}", mark, lines or {}, calls or {}))
    if standalone:
        for box in diagram.legend:
            parts.append(sample_svg(DrawnBox(box, layout.boxes[box.key], style)))
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
    across, down = map(number, size)
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
    words: defaultdict[str, str] = defaultdict(str)
    for label in labels:
        words[label.arrow.key] += _edge_label(label, style)
    for arrow in diagram.arrows:
        route = layout.routes[arrow.key]
        kind = "edge" if arrow.kind == "use" else f"edge {arrow.kind}"
        kind += f" {marks[arrow.key]}" if arrow.key in marks else ""
        yield (
            f'<g class="{kind}" id="{prefix}-{arrow.key}" data-ends="{arrow.tail} {arrow.head}">'
            f"{_arrow(route, arrow.kind, style)}{words[arrow.key]}</g>"
        )


def legend_html(diagram: Diagram, *, plain: bool = False) -> str:
    """Return the legend as HTML, which wraps as text does; empty without a legend."""
    samples = []
    style = PlainStyle(plain)
    for box in diagram.legend:
        width, height = box.width + 2 * MARGIN, box.height + 2 * MARGIN
        drawn = DrawnBox(box, (width / 2, height / 2), style)
        samples.append(
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{SVG_CLASS}" role="img" '
            f'aria-label="{escape(box_text(box))}" viewBox="0 0 {number(width)} {number(height)}" '
            f'width="{number(width)}" height="{number(height)}" style="display:inline-block;'
            f'width:{width / FONT_SIZE:.2f}em;min-width:0;margin:0"{style.root}>'
            f"{sample_svg(drawn)}</svg>"
        )
    if not samples:
        return ""
    body = "\n".join(samples)
    return f'<div class="autogradgraph-legend" style="font-size:{FONT_SIZE:g}px">{body}</div>\n'


def _frame(frame: Frame, id: str, style: PlainStyle) -> str:
    return (
        f'<g class="cluster" id="{id}"><rect x="{number(frame.left)}" y="{number(frame.top)}" '
        f'width="{number(frame.width)}" height="{number(frame.height)}" rx="6"{style.frame}/></g>'
    )


def _frame_label(cluster: Cluster, frame: Frame, style: PlainStyle) -> str:
    """Return the words of a frame; they come after the arrows, to be drawn above them."""
    x, y = frame.label
    words = " ".join(word_svg(word, style.word(word[0], None)) for word in cluster.words)
    y += MIDDLE * CLUSTER_FONT_SIZE
    place = f'x="{number(x)}" y="{number(y)}"'
    return f'<text class="cluster" {place}{style.frame_label}>{words}</text>'


def _edge_label(label: EdgeLabel, style: PlainStyle) -> str:
    """Return a line of the words at an arrow."""
    place = f'x="{number(label.x)}" y="{number(label.y + MIDDLE * LABEL_FONT_SIZE)}"'
    word = word_svg(("gradient", label.text), style.word("gradient", None))
    return f'<text class="carried" {place}{style.edge_label}>{word}</text>'


def _arrow(route: Route, kind: ArrowKind, style: PlainStyle) -> str:
    neck, corners = arrow_head(route)
    path = _path([*route.points, neck] if corners else route.points, len(route.points))
    line = f'<path d="{path}"{style.edge(kind)}/>'
    if not corners:
        return line
    tip, left, right = corners
    head = f"M{pair(tip)}l{pair(_step(tip, left))} {pair(_step(left, right))}z"
    return f'{line}<path class="head" d="{head}"{style.head}/>'


def _step(here: Point, there: Point) -> Point:
    """Return the way between two places, which is shorter in a path than the second place."""
    return there[0] - here[0], there[1] - here[1]


def _path(points: Sequence[Point], curved: int) -> str:
    """Return the path of a spline through ``curved`` points, and of straight lines to the rest."""
    for axis, command in ((0, "V"), (1, "H")):
        places = [point[axis] for point in points]
        if max(places) - min(places) < STRAIGHT:
            return f"M{pair(points[0])}{command}{number(points[-1][1 - axis])}"
    path = f"M{pair(points[0])}C" + " ".join([pair(point) for point in points[1:curved]])
    return path + "".join([f"L{pair(point)}" for point in points[curved:]])


STRAIGHT = 0.06
"""Distance to the side, in pixels, up to which a line is drawn as straight."""
