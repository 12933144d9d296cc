"""Straighten the main chain of a layout."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from sphinx_autogradgraph.render.diagram import Diagram
from sphinx_autogradgraph.render.layout import Layout, Point
from sphinx_autogradgraph.render.moving import as_wide_as_needed


def straightened(diagram: Diagram, layout: Layout) -> Layout:
    """Return the layout with the main chain on one line, to which each rank is moved.

    Between two ranks everything moves in proportion, so that what did not cross does not cross
    now.  Frames would lose their shape: with them the layout stays as it is.
    """
    if diagram.clusters or len(diagram.chain) < 2:
        return layout
    across = 0 if diagram.direction in ("TB", "BT") else 1
    places = {layout.boxes[key][across] for key in diagram.chain}
    if len(places) == 1:
        return layout
    line = layout.boxes[diagram.chain[0]][across]
    half = {box.key: (box.height, box.width)[across] / 2 for box in diagram.boxes}
    marks = []
    for key in diagram.chain:
        at, by = layout.boxes[key][1 - across], line - layout.boxes[key][across]
        marks += [(at - half[key], by), (at + half[key], by)]
    return _moved(diagram, layout, across, _between(sorted(marks)))


def _between(marks: Sequence[tuple[float, float]]) -> Callable[[float], float]:
    """Return the function from a place along the drawing's direction to its sideways move."""

    def move(at: float) -> float:
        place = bisect_right(marks, (at, math.inf))
        if place == 0:
            return marks[0][1]
        if place == len(marks):
            return marks[-1][1]
        (low, first), (high, last) = marks[place - 1], marks[place]
        share = (at - low) / (high - low) if high > low else 1.0
        return first + (last - first) * share

    return move


def _moved(diagram: Diagram, layout: Layout, across: int, move: Callable[[float], float]) -> Layout:
    """Return the layout with everything moved sideways, and its size made to fit."""

    def moved(point: Point) -> Point:
        by = move(point[1 - across])
        return (point[0] + by, point[1]) if across == 0 else (point[0], point[1] + by)

    boxes = {key: moved(point) for key, point in layout.boxes.items()}
    routes = {key: route.moved(moved) for key, route in layout.routes.items()}
    return as_wide_as_needed(diagram, replace(layout, boxes=boxes, routes=routes))
