"""Labels of arrows, at the places that the engine kept free for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from sphinx_autogradgraph.render.diagram import PLUS, Arrow, Diagram, Direction, twins_of
from sphinx_autogradgraph.render.layout import Layout, Point
from sphinx_autogradgraph.render.lettering import printable, text_width

LABEL_FONT_SIZE = 11.0
"""Font size of the words of arrows, in the units of the drawing."""

GAP = 6.0
"""Distance between the line of an arrow and its words."""

BACKWARD: dict[Direction, str] = {"TB": "↑", "BT": "↓", "LR": "←", "RL": "→"}
"""Sign of the direction of gradients, which flow against the arrows."""


LINE = 13.0
"""Distance of the lines of words at an arrow."""


class EdgeLabel(NamedTuple):
    """A line of the words of an arrow, and its centre."""

    arrow: Arrow
    text: str
    x: float
    y: float


def text_of(arrow: Arrow, direction: Direction) -> str:
    """Return the text of an arrow: the direction of the gradient, and its words."""
    words = " ".join(printable(word) for _, word in arrow.words)
    return f"{BACKWARD[direction]} {words}"


def lines_of(arrow: Arrow, diagram: Diagram) -> list[str]:
    """Return the text of an arrow as lines: where drawings are to be narrow, one for each gradient.

    Several gradients, of arrows between the same boxes, are a sum.
    """
    if diagram.lines == 1:
        return [text_of(arrow, diagram.direction)]
    lines = [[BACKWARD[diagram.direction]]]
    for word in arrow.words:
        if word == PLUS:
            lines.append([])
        lines[-1].append(printable(word[1]))
    return [" ".join(line) for line in lines]


def label_width(arrow: Arrow, diagram: Diagram) -> float:
    """Return the width that the words of an arrow need, with a gap on each side."""
    return max(map(text_width, lines_of(arrow, diagram))) * LABEL_FONT_SIZE + 2 * GAP


TWIN = 8.0
"""Distance of parallel arrows."""


def with_twins(diagram: Diagram, layout: Layout) -> Layout:
    """Return the layout with routes for arrows that stand beside another one between its boxes."""
    across = diagram.direction in ("TB", "BT")
    routes = dict(layout.routes)
    count: Counter[str] = Counter()
    for key, other in twins_of(diagram).items():
        count[other] += 1
        by = -TWIN * count[other]

        def beside(point: Point, by: float = by) -> Point:
            return (point[0] + by, point[1]) if across else (point[0], point[1] + by)

        routes[key] = routes[other].moved(beside).replace(words=None)
    return replace(layout, routes=routes)


KNOT = "knot_"
"""Prefix of an arrow's key: the key of its knot, a point that divides it for the engine."""


def with_knots_undone(layout: Layout) -> Layout:
    """Return the layout with one route for each arrow that has a knot, and without the knots."""
    knots = [key for key in layout.boxes if key.startswith(KNOT)]
    if not knots:
        return layout
    boxes, routes = dict(layout.boxes), dict(layout.routes)
    for knot in knots:
        del boxes[knot]
        first, key = routes.pop(knot), knot.removeprefix(KNOT)
        points = (*first.points, *routes[key].points[1:])
        routes[key] = routes[key].replace(points=points, words=first.words)
    return replace(layout, boxes=boxes, routes=routes)


def edge_labels(diagram: Diagram, layout: Layout) -> Iterator[EdgeLabel]:
    """Yield the words of all arrows, line by line."""
    for arrow in diagram.arrows:
        place = layout.routes[arrow.key].words
        if not arrow.words or place is None:
            continue
        lines = lines_of(arrow, diagram)
        left = place[0] - max(map(text_width, lines)) * LABEL_FONT_SIZE / 2
        for number, line in enumerate(lines):
            x = left + text_width(line) * LABEL_FONT_SIZE / 2
            yield EdgeLabel(arrow, line, x, place[1] + (number - (len(lines) - 1) / 2) * LINE)
