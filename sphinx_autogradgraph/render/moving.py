"""Move boxes of a layout, with their arrows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sphinx_autogradgraph.render.diagram import Diagram
from sphinx_autogradgraph.render.layout import Layout, Point, Route


def with_boxes_moved(diagram: Diagram, layout: Layout, moves: Mapping[str, float]) -> Layout:
    """Return the layout with boxes moved across the data's direction, and arrows that follow.

    ``moves`` are distances in pixels.  Each point of an arrow moves by the share of both ends'
    distances that its place between them gives.
    """
    if not moves:
        return layout
    across = 0 if diagram.direction in ("TB", "BT") else 1

    def by(point: Point, distance: float) -> Point:
        at = round(point[across] + distance, 1)
        return (at, point[1]) if across == 0 else (point[0], at)

    boxes = {key: by(point, moves.get(key, 0.0)) for key, point in layout.boxes.items()}
    routes = dict(layout.routes)
    for arrow in diagram.arrows:
        tail, head = moves.get(arrow.tail, 0.0), moves.get(arrow.head, 0.0)
        if not tail and not head:
            continue
        route = layout.routes[arrow.key]
        steps = len(route.points) - 1
        routes[arrow.key] = Route(
            tuple(
                by(point, tail + (head - tail) * place / steps)
                for place, point in enumerate(route.points)
            ),
            None if route.tip is None else by(route.tip, head),
            None if route.words is None else by(route.words, (tail + head) / 2),
        )
    return replace(layout, boxes=boxes, routes=routes)


def as_wide_as_needed(diagram: Diagram, layout: Layout) -> Layout:
    """Return the layout moved so that it begins at 0 across the data's direction, and its size."""
    across = 0 if diagram.direction in ("TB", "BT") else 1
    sizes = {box.key: (box.width, box.height)[across] / 2 for box in diagram.boxes}
    ends = [
        end
        for key, point in layout.boxes.items()
        for end in (point[across] - sizes[key], point[across] + sizes[key])
    ]
    ends += [point[across] for route in layout.routes.values() for point in route.points]
    low, high = min(ends), max(ends)
    shift = (-low, 0.0) if across == 0 else (0.0, -low)

    def shifted(point: Point) -> Point:
        return round(point[0] + shift[0], 1), round(point[1] + shift[1], 1)

    size = round(high - low, 1)
    return replace(
        layout,
        width=layout.width if across else size,
        height=size if across else layout.height,
        boxes={key: shifted(point) for key, point in layout.boxes.items()},
        routes={key: route.moved(shifted) for key, route in layout.routes.items()},
    )
