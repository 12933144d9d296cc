"""Measures of the quality of a layout, for choosing among candidates and for tests."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import NamedTuple

from sphinx_autogradgraph.render.curves import points_on, side
from sphinx_autogradgraph.render.diagram import Diagram
from sphinx_autogradgraph.render.framed import boxes_in_frames
from sphinx_autogradgraph.render.layout import Layout, Point

CROSSING = 2.5
"""Cost of a crossing, in turned arguments."""


class Faults(NamedTuple):
    """Faults of a layout, as the functions of the same names measure them."""

    crossings: int = 0
    turned: int = 0
    frames_passed: int = 0
    sideways: float = 0.0
    lengths: float = 0.0

    @property
    def cost(self) -> float:
        """Cost of the faults.

        The unit is a turned argument: :data:`CROSSING` for a crossing and for a frame that an arrow
        passes, 1 for each 2,000 pixels of arrows, 10 for a main chain that goes as far to the sides
        as along.
        """
        lines = CROSSING * (self.crossings + self.frames_passed)
        return lines + self.turned + self.lengths / 2_000 + 10 * self.sideways


NO_FAULTS = Faults()


def faults_of(diagram: Diagram, layout: Layout) -> Faults:
    """Return the faults of a layout."""
    return Faults(
        crossings=crossings(diagram, layout),
        turned=turned(diagram, layout),
        frames_passed=frames_passed(diagram, layout),
        sideways=sideways(diagram, layout),
        lengths=lengths(diagram, layout),
    )


def crossings(diagram: Diagram, layout: Layout) -> int:
    """Return the number of pairs of arrows that cross, each as a line from centre to centre."""
    lines = [
        (arrow.tail, arrow.head, layout.boxes[arrow.tail], layout.boxes[arrow.head])
        for arrow in diagram.arrows
    ]
    return sum(
        cross(a, b, c, d)
        for (tail, head, a, b), (other, end, c, d) in combinations(lines, 2)
        if not {tail, head} & {other, end}
    )


def cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the line from ``a`` to ``b`` crosses that from ``c`` to ``d``."""
    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def turned(diagram: Diagram, layout: Layout) -> int:
    """Return the number of neighbouring arguments that stand in reverse order."""
    across = 0 if diagram.direction in ("TB", "BT") else 1
    used: dict[str, dict[str, float]] = {}
    for arrow in diagram.arrows:
        if arrow.kind == "use":
            used.setdefault(arrow.head, {}).setdefault(arrow.tail, layout.boxes[arrow.tail][across])
    return sum(one > other for places in used.values() for one, other in pairwise(places.values()))


def frames_passed(diagram: Diagram, layout: Layout) -> int:
    """Return how often an arrow passes a frame that holds neither of its boxes."""
    if not layout.frames:
        return 0
    held = boxes_in_frames(diagram)
    return sum(
        any(frame.holds(point) for point in points_on(layout.routes[arrow.key]))
        for arrow in diagram.arrows
        for key, frame in layout.frames.items()
        if not {arrow.tail, arrow.head} & held[key]
    )


def sideways(diagram: Diagram, layout: Layout) -> float:
    """Return the sideways distance of the main chain per pixel along the drawing's direction."""
    if len(diagram.chain) < 2:
        return 0.0
    across = 0 if diagram.direction in ("TB", "BT") else 1
    places = [layout.boxes[key] for key in diagram.chain]
    aside = sum(abs(one[across] - other[across]) for one, other in pairwise(places))
    along = sum(abs(one[1 - across] - other[1 - across]) for one, other in pairwise(places))
    return aside / max(along, 1.0)


def lengths(diagram: Diagram, layout: Layout) -> float:
    """Return the length of all arrows together, each as a straight line."""
    return sum(
        abs(layout.boxes[arrow.tail][0] - layout.boxes[arrow.head][0])
        + abs(layout.boxes[arrow.tail][1] - layout.boxes[arrow.head][1])
        for arrow in diagram.arrows
    )
