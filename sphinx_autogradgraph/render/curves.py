"""Points on the curves of arrows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sphinx_autogradgraph.render.layout import Point, Route

STEPS = 16
"""Number of straight lines that a piece of an arrow's curve is taken for."""


def points_on(route: Route) -> Iterator[Point]:
    """Yield points on a route, near enough to each other for straight lines between them."""
    yield route.points[0]
    for place in range(0, len(route.points) - 3, 3):
        for step in range(1, STEPS + 1):
            yield _on_curve(route.points[place : place + 4], step / STEPS)
    if route.tip is not None:
        yield route.tip


def side(a: Point, b: Point, c: Point) -> float:
    """Return a number whose sign tells on which side of the line ``a`` to ``b`` ``c`` is."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def is_straight(route: Route) -> bool:
    """Whether no point that shapes a route is more than about a pixel beside a straight line."""
    first, last = route.points[0], route.points[-1]
    length = abs(last[0] - first[0]) + abs(last[1] - first[1])
    return all(abs(side(first, last, point)) <= length for point in route.points)


def _on_curve(points: Sequence[Point], share: float) -> Point:
    """Return the point of a cubic Bézier curve at a share of it."""
    rest = 1 - share
    weights = rest**3, 3 * rest * rest * share, 3 * rest * share * share, share**3
    return (
        sum(weight * x for weight, (x, _) in zip(weights, points, strict=True)),
        sum(weight * y for weight, (_, y) in zip(weights, points, strict=True)),
    )
