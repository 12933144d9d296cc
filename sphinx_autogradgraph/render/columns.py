"""High drawings in columns: cut between ranks, for a page on which they would be small."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from sphinx_autogradgraph.render.curves import points_on
from sphinx_autogradgraph.render.diagram import Diagram
from sphinx_autogradgraph.render.edge_labels import LABEL_FONT_SIZE, edge_labels
from sphinx_autogradgraph.render.layout import Layout, Route
from sphinx_autogradgraph.render.lettering import CLUSTER_FONT_SIZE

LANES = 4
"""Maximum number of arrows that go on in the next column: more cannot be followed."""


def cuts_of(diagram: Diagram, layout: Layout, columns: int) -> tuple[float, ...]:
    """Return the heights at which to cut a drawing into columns of about one height.

    No box and no words are cut.  Empty if there are no such places.
    """
    ends = sorted(_taken(diagram, layout))
    places, reached = [], ends[0][1]
    for top, bottom in ends[1:]:
        if top > reached:
            places.append((reached + top) / 2)
        reached = max(reached, bottom)
    found = []
    for number in range(1, columns):
        wanted = layout.height * number / columns
        good = [at for at in places if len(list(crossing(layout, at))) <= LANES]
        if not good:
            return ()
        found.append(min(good, key=lambda at: abs(at - wanted)))
    return tuple(found) if len(set(found)) == len(found) else ()


def crossing(layout: Layout, at: float) -> Iterator[float]:
    """Yield where, across, the arrows pass a height."""
    for route in layout.routes.values():
        yield from _passes(route, at)


def _passes(route: Route, at: float) -> Iterator[float]:
    for (x, y), (other, end) in pairwise(points_on(route)):
        if min(y, end) < at <= max(y, end):
            yield x + (other - x) * (at - y) / (end - y)


def _taken(diagram: Diagram, layout: Layout) -> Iterator[tuple[float, float]]:
    """Yield from which to which height boxes and words are."""
    for box in diagram.boxes:
        _, y = layout.boxes[box.key]
        yield y - box.height / 2 - 2, y + box.height / 2 + 2
    for label in edge_labels(diagram, layout):
        yield label.y - LABEL_FONT_SIZE / 2, label.y + LABEL_FONT_SIZE / 2
    for frame in layout.frames.values():
        y = frame.label[1]
        yield y - CLUSTER_FONT_SIZE, y + CLUSTER_FONT_SIZE / 2
