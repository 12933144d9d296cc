"""Move the titles of frames to where no arrow passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from sphinx_autogradgraph.render.curves import points_on
from sphinx_autogradgraph.render.diagram import Cluster, Diagram
from sphinx_autogradgraph.render.framed import PAD, Rect, box_rects, label_width, overlap
from sphinx_autogradgraph.render.layout import Frame, Layout, Route
from sphinx_autogradgraph.render.lettering import CLUSTER_FONT_SIZE

BESIDE = 5.0
"""Distance between a title and an arrow."""

SLICE = 50.0
"""Height of the slices of a drawing whose arrows are kept together, to be found soon."""


def with_titles_clear(diagram: Diagram, layout: Layout) -> Layout:
    """Return the layout with each title at the left of its frame, or as near as an arrow allows.

    A frame without room for that grows to a side where nothing is.  Where it cannot, its title
    stays where it was.
    """
    if not diagram.clusters:
        return layout
    titles = _Titles(diagram, layout)
    for cluster in reversed(diagram.clusters):  # the inner ones come after those that they are in
        titles.clear(cluster)
    return replace(layout, frames=titles.frames)


class _Titles:
    """The frames of a drawing, and all that their titles could be in the way of."""

    def __init__(self, diagram: Diagram, layout: Layout) -> None:
        self.frames = dict(layout.frames)
        self._width = layout.width
        self._boxes = list(box_rects(diagram, layout).values())
        self._parents = {cluster.key: cluster.parent for cluster in diagram.clusters}
        self._routes: dict[int, list[Route]] = {}
        for route in layout.routes.values():
            heights = [y for _, y in route.points] + ([route.tip[1]] if route.tip else [])
            for slice_ in _slices(min(heights), max(heights)):
                self._routes.setdefault(slice_, []).append(route)

    def clear(self, cluster: Cluster) -> None:
        """Move a title to where its frame has to grow least."""
        frame, width = self.frames[cluster.key], label_width(cluster)
        left, right = frame.left, frame.left + frame.width
        ways: list[tuple[float, float, float]] = []  # left of the title, growth to either side
        for low, high in self._gaps(frame):
            if high - low >= width:
                at = min(max(left + PAD, low), high - width)
                # Half a unit is the rounding of frames.
                before, after = left - at + PAD, at + width + PAD - right
                ways.append((at, before * (before > 0.5), after * (after > 0.5)))
        for at, before, after in sorted(ways, key=lambda way: way[1] + way[2]):
            sides = (left - before, left), (right, right + after)
            if all(self._is_free(cluster, *side) for side in sides):
                self.frames[cluster.key] = frame._replace(
                    left=round(left - before, 1),
                    width=round(frame.width + before + after, 1),
                    label=(round(at + width / 2, 1), frame.label[1]),
                )
                return

    def _gaps(self, frame: Frame) -> Iterator[tuple[float, float]]:
        """Yield from where to where no arrow passes at the height of a frame's title."""
        y, at = frame.label[1], float("-inf")
        top, bottom = y - CLUSTER_FONT_SIZE / 2, y + CLUSTER_FONT_SIZE / 2
        for low, high in sorted(self._arrows(top, bottom)):
            yield at, low - BESIDE
            at = max(at, high + BESIDE)
        yield at, float("inf")

    def _is_free(self, cluster: Cluster, left: float, right: float) -> bool:
        """Whether nothing is beside a frame between ``left`` and ``right``."""
        if left == right:
            return True
        outer = self._outer(cluster)
        _, top, _, bottom = _rect(self.frames[cluster.key])
        ends = [(0.0, self._width)]
        ends += [(rect[0], rect[2]) for rect in (_rect(self.frames[key]) for key in outer)]
        if not all(low + PAD <= left and right <= high - PAD for low, high in ends):
            return False
        others = [self.frames[key] for key in self.frames if key not in {*outer, cluster.key}]
        strip = left - PAD, top, right + PAD, bottom
        return not (
            any(overlap(strip, rect) for rect in [*self._boxes, *map(_rect, others)])
            or any(low < right and high > left for low, high in self._arrows(top, bottom))
        )

    def _outer(self, cluster: Cluster) -> set[str]:
        """Return the keys of the frames that a frame is in."""
        found: set[str] = set()
        key = cluster.parent
        while key is not None:
            found.add(key)
            key = self._parents[key]
        return found

    def _arrows(self, top: float, bottom: float) -> Iterator[tuple[float, float]]:
        """Yield from where to where, across, arrows are between two heights."""
        slices = _slices(top, bottom)
        for route in dict.fromkeys(way for part in slices for way in self._routes.get(part, ())):
            for (x, y), (other, end) in pairwise(points_on(route)):
                if max(y, end) < top or min(y, end) > bottom:
                    continue
                shares = [0.0, 1.0]
                if y != end:
                    shares = [min(max((at - y) / (end - y), 0.0), 1.0) for at in (top, bottom)]
                places = [x + share * (other - x) for share in shares]
                yield min(places), max(places)


def _slices(top: float, bottom: float) -> range:
    """Return the numbers of the slices between two heights."""
    return range(int(top // SLICE), int(bottom // SLICE) + 1)


def _rect(frame: Frame) -> Rect:
    return frame.left, frame.top, frame.left + frame.width, frame.top + frame.height
