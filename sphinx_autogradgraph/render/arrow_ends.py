"""Ends of arrows: apart from each other, and on the round corners of boxes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from sphinx_autogradgraph.render.curves import is_straight
from sphinx_autogradgraph.render.diagram import Box, Diagram
from sphinx_autogradgraph.render.layout import Layout, Point, Route

APART = 8.0
"""Distance of the tips of arrows at one side of a box; a head is 5 wide."""

INSET, OF_RADIUS = 4.0, 0.4
"""Least distance of an end from the corner of a box's rectangle, also as a share of the radius."""

REACH = 60.0
"""Length of the piece of a bent arrow that moves with its end."""


class _End(NamedTuple):
    """An end of an arrow at the side of a box, by its place along that side.

    ``coming`` is where the other end is, ``level`` how far up or down this one is.  ``last`` is
    whether it is the end with the head.  ``fixed`` ends stay where they are.
    """

    at: float
    coming: float
    level: float
    arrow: str
    last: bool
    fixed: bool


class _Side(NamedTuple):
    """A side of a box at which arrows arrive or leave: where it is, half its length, its corners.

    ``away`` is 1 if the side is at the end of larger numbers, else -1.
    """

    middle: float
    at: float
    half: float
    radius: float
    away: int

    @classmethod
    def of(cls, box: Box, centre: Point, across: int, away: int) -> _Side:
        """Return the side of a box at its place, along the axis ``across``."""
        sizes = box.width / 2, box.height / 2
        at = centre[1 - across] + away * sizes[1 - across]
        return cls(centre[across], at, sizes[across], box.corner_radius, away)

    @property
    def room(self) -> float:
        """Distance from the middle up to which an arrow may end."""
        return max(self.half - max(INSET, OF_RADIUS * self.radius), 0.0)

    def is_straight(self, place: float) -> bool:
        """Whether a place is between the corners."""
        return abs(place - self.middle) <= self.half - self.radius

    def outline(self, place: float) -> float:
        """Return where the outline is at a place along the side."""
        beyond = max(abs(place - self.middle) - (self.half - self.radius), 0.0)
        depth = self.radius - math.sqrt(max(self.radius**2 - beyond**2, 0.0))
        return self.at - self.away * depth


def with_ends_apart(diagram: Diagram, layout: Layout) -> Layout:
    """Return the layout with ends of arrows moved along the sides of boxes; the chain's stay.

    The engine ends an arrow where its curve meets the rectangle of a box.  Heads that meet there
    look like one, and at a corner, which is drawn round, an end would hang in the air.
    """
    across = 0 if diagram.direction in ("TB", "BT") else 1
    boxes = {box.key: box for box in diagram.boxes}
    steps = set(zip(diagram.chain[1:], diagram.chain, strict=False))
    found: defaultdict[tuple[str, int], list[_End]] = defaultdict(list)
    for arrow in diagram.arrows:
        if arrow.beside:
            continue
        points, tip = layout.routes[arrow.key].points, layout.routes[arrow.key].tip
        fixed = (arrow.tail, arrow.head) in steps
        for key, end, other in (
            (arrow.tail, points[0], points[-1]),
            (arrow.head, tip or points[-1], points[0]),
        ):
            away = 1 if end[1 - across] > layout.boxes[key][1 - across] else -1
            last = other is points[0]
            places = end[across], other[across], end[1 - across]
            found[key, away].append(_End(*places, arrow.key, last, fixed))
    routes = dict(layout.routes)
    for (key, away), ends in found.items():
        if len(ends) == 1 and ends[0].fixed:
            continue
        side = _Side.of(boxes[key], layout.boxes[key], across, away)
        ends.sort()
        if not (all(side.is_straight(end.at) for end in ends) and _are_apart(ends)):
            _move(ends, side, across, routes)
    return replace(layout, routes=routes)


def _are_apart(ends: Sequence[_End]) -> bool:
    """Whether the heads among the ends at one side, in their order, are apart from each other."""
    heads = [end.at for end in ends if end.last]
    return all(other - one >= APART for one, other in pairwise(heads))


def _move(ends: Sequence[_End], side: _Side, across: int, routes: dict[str, Route]) -> None:
    """Move the ends of arrows at one side to their places there."""
    near = [end for end in ends if abs(side.at - end.level) <= max(side.radius, APART)]
    for end, place in zip(near, _places(near, side.middle, side.room), strict=True):
        if place != end.at or not side.is_straight(place):
            by = place - end.at, side.outline(place) - end.level
            routes[end.arrow] = _moved(routes[end.arrow], end, by if across == 0 else by[::-1])


def _places(ends: Sequence[_End], middle: float, room: float) -> list[float]:
    """Return places for the ends at a side, in their order, as far as there is ``room``.

    Where there is not enough of it for all heads, they are nearer together.
    """
    if not ends:
        return []
    low, high = middle - room, middle + room
    places = [end.at if end.fixed else min(max(end.at, low), high) for end in ends]
    held = next((number for number, end in enumerate(ends) if end.fixed), None)
    if held is None:
        return _spread(ends, places, low, high)
    return [
        *_spread(ends[: held + 1], places[: held + 1], low, places[held]),
        *_spread(ends[held:], places[held:], places[held], high)[1:],
    ]


def _spread(ends: Sequence[_End], places: Sequence[float], low: float, high: float) -> list[float]:
    """Move heads apart as far as needed between two bounds; tails may leave from one place."""
    gaps = [APART if one.last and other.last else 0.0 for one, other in pairwise(ends)]
    share = min(1.0, max(high - low, 0.0) / (sum(gaps) or 1.0))
    found = list(places)
    for number, gap in enumerate(gaps, 1):
        found[number] = max(found[number], found[number - 1] + gap * share)
    found[-1] = min(found[-1], high)
    for number in range(len(gaps) - 1, -1, -1):
        found[number] = min(found[number], found[number + 1] - gaps[number] * share)
    return [round(place, 1) for place in found]


def _moved(route: Route, end: _End, by: Point) -> Route:
    """Return a route with one end moved by a distance across and down.

    A straight route stays straight.  A bent one passes other boxes where it did: it moves only
    near its end, the less the farther from it.
    """
    points = route.points
    first, last = points[0], points[-1]
    moving = last if end.last else first
    length = math.dist(first, last) or 1.0
    straight = is_straight(route)
    reach = length if straight else min(length, REACH)

    def moved(number: int) -> Point:
        # A point between two pieces moves with the points beside it that shape them: no corner.
        nearest = points[number if straight else 3 * ((number + 1) // 3)]
        share = 1 - math.dist(nearest, moving) / reach
        x, y = points[number]
        if share <= 0:
            return x, y
        return round(x + by[0] * share, 1), round(y + by[1] * share, 1)

    tip = route.tip
    if end.last and tip is not None:
        tip = round(tip[0] + by[0], 1), round(tip[1] + by[1], 1)
    return route.replace(points=tuple(map(moved, range(len(points)))), tip=tip)
