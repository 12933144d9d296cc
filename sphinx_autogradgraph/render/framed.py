"""Draw frames around boxes that are laid out already.

The engine's own frames bend the main chain.  Where what a module made stands together anyway, a
frame needs no more than room: ranks are moved apart, and frames drawn around their boxes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from sphinx_autogradgraph.render.diagram import Cluster, Diagram
from sphinx_autogradgraph.render.layout import Frame, Layout, Point
from sphinx_autogradgraph.render.lettering import CLUSTER_FONT_SIZE, text_width

PAD = 8.0
"""Distance between a frame and its contents."""

LABEL = 15.0
"""Height of the words of a frame."""

Rect = tuple[float, float, float, float]
"""A rectangle: left, top, right, bottom."""


def framed(diagram: Diagram, layout: Layout) -> Layout | None:
    """Add frames to a layout without any; None where a frame would hold another's box."""
    held = boxes_in_frames(diagram)
    moved = _with_room(diagram, layout, held)
    rects = _rects(diagram, moved, held)
    if not _apart(diagram, moved, held, rects):
        return None
    left = min(0.0, *(rect[0] for rect in rects.values()))
    top = min(0.0, *(rect[1] for rect in rects.values()))
    shifted = _mapped(moved, lambda x: x - left, lambda y: y - top)
    frames = {}
    for cluster in diagram.clusters:
        if cluster.key in rects:
            low, high, right, bottom = rects[cluster.key]
            words = label_width(cluster)
            label = (low - left + PAD + words / 2, high - top + PAD / 2 + LABEL / 2)
            frames[cluster.key] = Frame(
                round(low - left, 1), round(high - top, 1), round(right - low, 1),
                round(bottom - high, 1), (round(label[0], 1), round(label[1], 1)),
            )  # fmt: skip
    return replace(
        shifted,
        width=round(max(moved.width, *(rect[2] for rect in rects.values())) - left, 1),
        height=round(max(moved.height, *(rect[3] for rect in rects.values())) - top, 1),
        frames=frames,
    )


def in_ranks_of_their_own(diagram: Diagram) -> tuple[tuple[str, str], ...]:
    """Yield pairs of boxes of which the second is to stand below the first.

    The leaves in a frame come after what goes into it, and leaves that go elsewhere with what the
    frame hands on come after that: else one would be beside the other, and the frame around both.
    """
    kinds = {box.key: box.kind for box in diagram.boxes}
    into: dict[str, list[str]] = {}
    for arrow in diagram.arrows:
        if arrow.kind == "use":
            into.setdefault(arrow.head, []).append(arrow.tail)
    pairs: dict[tuple[str, str], None] = {}
    for boxes in boxes_in_frames(diagram).values():
        starts = sorted(key for key in boxes if key not in into and kinds[key] != "saved")
        for head, tails in into.items():
            if head in boxes:
                coming = [tail for tail in tails if tail not in boxes]
                pairs.update(dict.fromkeys((tail, key) for tail in coming for key in starts))
                continue
            handed = [tail for tail in tails if tail in boxes]
            others = [tail for tail in tails if tail not in boxes and tail not in into]
            pairs.update(dict.fromkeys((tail, key) for tail in handed for key in others))
    return tuple(pairs)


def boxes_in_frames(diagram: Diagram) -> dict[str, set[str]]:
    """Return the boxes in each frame and its inner frames; empty frames are left out."""
    held: dict[str, set[str]] = {cluster.key: set(cluster.boxes) for cluster in diagram.clusters}
    for cluster in reversed(diagram.clusters):  # the inner ones come after those that they are in
        if cluster.parent is not None:
            held[cluster.parent] |= held[cluster.key]
    return {key: boxes for key, boxes in held.items() if boxes}


@dataclass(frozen=True)
class _Rank:
    """A rank: boxes side by side, with their begin and end along the drawing's direction."""

    start: float
    end: float
    boxes: tuple[str, ...]


def _with_room(diagram: Diagram, layout: Layout, held: Mapping[str, set[str]]) -> Layout:
    """Move ranks apart, to make room for the frames that begin or end between them."""
    down = diagram.direction in ("TB", "BT")
    ranks = _ranks(diagram, layout, 1 if down else 0)
    place = {key: number for number, rank in enumerate(ranks) for key in rank.boxes}
    spans = {
        key: (min(place[box] for box in boxes), max(place[box] for box in boxes))
        for key, boxes in held.items()
    }
    # Frames have their words above what is in them.
    before, after = (PAD + LABEL if down else PAD), PAD
    marks: list[tuple[float, float]] = []
    moved = 0.0
    for number, rank in enumerate(ranks):
        starting = [
            sum(box in held[key] for key, (first, _) in spans.items() if first == number)
            for box in rank.boxes
        ]
        ending = [
            sum(box in held[key] for key, (_, last) in spans.items() if last == number)
            for box in rank.boxes
        ]
        moved += max(starting) * before
        marks += [(rank.start, moved), (rank.end, moved)]
        moved += max(ending) * after
    along = _stretched(marks, moved)
    grown = replace(
        layout,
        width=layout.width + (0 if down else moved),
        height=layout.height + (moved if down else 0),
    )
    return _mapped(grown, _same if down else along, along if down else _same)


def _ranks(diagram: Diagram, layout: Layout, axis: int) -> list[_Rank]:
    """Return the ranks of a layout, in order."""
    size = {box.key: (box.width, box.height)[axis] / 2 for box in diagram.boxes}
    ranks: dict[float, list[str]] = {}
    for key in sorted(size, key=lambda key: layout.boxes[key][axis]):
        ranks.setdefault(layout.boxes[key][axis], []).append(key)
    return [
        _Rank(at - max(size[key] for key in keys), at + max(size[key] for key in keys), tuple(keys))
        for at, keys in ranks.items()
    ]


def _stretched(marks: list[tuple[float, float]], most: float) -> Callable[[float], float]:
    """Return a function that shifts a coordinate as ``marks``, of coordinate and shift, tell.

    Between two marks the shift is in proportion; after the last it is ``most``."""

    def to(at: float) -> float:
        place = bisect_right(marks, (at, float("inf")))
        if place == 0:
            return at + marks[0][1] * (at > 0 or marks[0][0] <= 0)
        if place == len(marks):
            return at + (marks[-1][1] if at <= marks[-1][0] else most)
        (low, first), (high, last) = marks[place - 1], marks[place]
        share = (at - low) / (high - low) if high > low else 1.0
        return at + first + (last - first) * share

    return to


def _same(at: float) -> float:
    return at


def _mapped(
    layout: Layout, across: Callable[[float], float], down: Callable[[float], float]
) -> Layout:
    """Return the layout with every point moved."""

    def moved(point: Point) -> Point:
        return round(across(point[0]), 1), round(down(point[1]), 1)

    return replace(
        layout,
        boxes={key: moved(point) for key, point in layout.boxes.items()},
        routes={key: route.moved(moved) for key, route in layout.routes.items()},
    )


def _rects(diagram: Diagram, layout: Layout, held: Mapping[str, set[str]]) -> dict[str, Rect]:
    """Return the rectangles of frames: each around its own boxes and its inner frames."""
    boxes = box_rects(diagram, layout)
    inside: dict[str, list[Rect]] = {key: [] for key in held}
    rects: dict[str, Rect] = {}
    for cluster in reversed(diagram.clusters):
        if cluster.key not in held:
            continue
        parts = [*inside[cluster.key], *(boxes[key] for key in cluster.boxes)]
        left = min(part[0] for part in parts) - PAD
        right = max(part[2] for part in parts) + PAD
        right = max(right, left + label_width(cluster) + 2 * PAD)
        top = min(part[1] for part in parts) - PAD - LABEL
        rects[cluster.key] = (left, top, right, max(part[3] for part in parts) + PAD)
        if cluster.parent is not None:
            inside[cluster.parent].append(rects[cluster.key])
    return rects


def box_rects(diagram: Diagram, layout: Layout) -> dict[str, Rect]:
    """Return the rectangles of all boxes, by their keys."""
    rects = {}
    for box in diagram.boxes:
        x, y = layout.boxes[box.key]
        half, high = box.width / 2, box.height / 2
        rects[box.key] = (x - half, y - high, x + half, y + high)
    return rects


def label_width(cluster: Cluster) -> float:
    """Return the width of the words of a frame, in the units of the drawing."""
    return text_width(" ".join(word for _, word in cluster.words)) * CLUSTER_FONT_SIZE


def _apart(
    diagram: Diagram,
    layout: Layout,
    held: Mapping[str, set[str]],
    rects: Mapping[str, Rect],
) -> bool:
    """Whether no frame holds a box that is not its own, and no two frames overlap in part."""
    boxes = box_rects(diagram, layout)
    for key, rect in rects.items():
        if any(overlap(rect, boxes[box]) for box in boxes if box not in held[key]):
            return False
    return not any(
        overlap(rects[one], rects[other])
        for one, other in combinations(rects, 2)
        if not (held[one] <= held[other] or held[other] <= held[one])
    )


def overlap(one: Rect, other: Rect) -> bool:
    """Whether two rectangles have more than an edge in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
