"""Labels of arrows, placed beside their lines where no box is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from sphinx_autogradgraph.render.diagram import Arrow, Diagram, Direction
from sphinx_autogradgraph.render.labels import printable, text_width
from sphinx_autogradgraph.render.layout import Layout, Point, Route

LABEL_FONT_SIZE = 11.0
"""Font size of the words of arrows, in the units of the drawing."""

GAP = 6.0
"""Distance between the line of an arrow and its words."""

BACKWARD: dict[Direction, str] = {"TB": "↑", "BT": "↓", "LR": "←", "RL": "→"}
"""Sign of the direction of gradients, which flow against the arrows."""


class EdgeLabel(NamedTuple):
    """The words of an arrow and their centre."""

    arrow: Arrow
    text: str
    x: float
    y: float
    width: float


def text_of(arrow: Arrow, direction: Direction) -> str:
    """Return the text of an arrow: the direction of the gradient, and its words."""
    words = " ".join(printable(word) for _, word in arrow.words)
    return f"{BACKWARD[direction]} {words}"


def label_width(arrow: Arrow, direction: Direction) -> float:
    """Return the width of the words of an arrow."""
    return text_width(text_of(arrow, direction)) * LABEL_FONT_SIZE


def edge_labels(diagram: Diagram, layout: Layout) -> Iterator[EdgeLabel]:
    """Place the words of all arrows, where possible clear of boxes and of other words.

    First they try the end where the arrow is alone: several leave a tensor that is used more than
    once, several come to an operation of more than one input.
    """
    said = [arrow for arrow in diagram.arrows if arrow.words]
    heads = Counter(arrow.head for arrow in said)
    tails = Counter(arrow.tail for arrow in said)
    taken = [
        _around(*layout.boxes[box.key], box.width, box.height)
        for box in diagram.boxes
        if len(said) <= MANY
    ]
    for arrow in said:
        first = 0.5
        if heads[arrow.head] > 1 >= tails[arrow.tail]:
            first = 0.3
        elif tails[arrow.tail] > 1 >= heads[arrow.head]:
            first = 0.7
        width = label_width(arrow, diagram.direction)
        places = list(_places(layout.routes[arrow.key], width, diagram.direction, first))
        clear = (
            place
            for place in places
            if not any(_meet(_around(*place, width, HEIGHT), other) for other in taken)
        )
        x, y = next(clear, places[0]) if len(said) <= MANY else places[0]
        taken.append(_around(x, y, width, HEIGHT))
        yield EdgeLabel(arrow, text_of(arrow, diagram.direction), x, y, width)


HEIGHT = 13.0
"""Height of the words of an arrow."""

MANY = 300
"""Number of arrows above which their words are not compared with each other, to save time."""

Area = tuple[float, float, float, float]


def _around(x: float, y: float, width: float, height: float) -> Area:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _meet(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _places(route: Route, width: float, direction: Direction, first: float) -> Iterator[Point]:
    """Yield possible centres for the words of an arrow, the best first."""
    leans = route.points[0][0] - route.points[-1][0]
    for at in (first, 0.5, 0.35, 0.65, 0.2, 0.8):
        x, y = point_at(route, at)
        if direction in ("TB", "BT"):
            # On the side to which the arrow leans, away from the others at that end.
            side = -1 if leans * (1 if at <= 0.5 else -1) < -GAP else 1
            yield x + side * (GAP + width / 2), y
            yield x - side * (GAP + width / 2), y
        else:
            yield x, y - GAP - LABEL_FONT_SIZE / 2
            yield x, y + GAP + LABEL_FONT_SIZE / 2


def point_at(route: Route, share: float) -> Point:
    """Return the point at a share of the way of an arrow, from 0 to 1 over all of its curves."""
    curves = max(1, (len(route.points) - 1) // 3)
    place = min(int(share * curves), curves - 1)
    t = share * curves - place
    four = route.points[3 * place : 3 * place + 4]
    if len(four) < 4:
        return route.points[0]
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    return (
        sum(weight * point[0] for weight, point in zip(weights, four, strict=True)),
        sum(weight * point[1] for weight, point in zip(weights, four, strict=True)),
    )
