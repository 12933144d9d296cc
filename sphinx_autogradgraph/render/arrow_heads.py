"""Geometry of the heads of arrows, the same in every format."""

from __future__ import annotations

import math

from sphinx_autogradgraph.render.layout import Point, Route

HEAD_LENGTH, HEAD_WIDTH = 6.0, 5.0
"""Size of the head of an arrow, in the units of the drawing."""


def arrow_head(route: Route) -> tuple[Point, list[Point]]:
    """Return where the line of an arrow meets its head, and the corners of the head.

    They meet short of the tip, so that the line does not blunt it.  An arrow without a head has no
    corners.
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
    """Return the tip of an arrow, and its direction as a vector of length 1."""
    tip = route.tip or route.points[-1]
    end = route.points[-1] if route.tip else route.points[-2]
    dx, dy = tip[0] - end[0], tip[1] - end[1]
    length = math.hypot(dx, dy) or 1.0
    return tip, (dx / length, dy / length)
