"""Put the sheets of saved tensors right beside the functions that saved them.

The engine keeps them on the rank of their function, but may put other boxes in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sphinx_autogradgraph.render.diagram import Diagram
from sphinx_autogradgraph.render.layout import Layout, Route
from sphinx_autogradgraph.render.moving import as_wide_as_needed, with_boxes_moved


def with_sheets_beside(diagram: Diagram, layout: Layout, gap: float) -> Layout:
    """Return the layout with each sheet next to its function, and with straight lines to them.

    What stood in between comes after the sheets, where the last one ended.  What cannot move, as
    the main chain, stays, and the sheets go to the other side of their function if there is room.
    ``gap`` is the distance of boxes side by side.
    """
    sheets: dict[str, list[str]] = {}
    for arrow in diagram.arrows:
        if arrow.beside:
            sheets.setdefault(arrow.head, []).append(arrow.tail)
    if not sheets:
        return layout
    for function, own in sheets.items():
        moves = _Rank.of(diagram, layout, function, own, gap).moves()
        layout = with_boxes_moved(diagram, layout, moves | _following(diagram, layout, moves, gap))
    routes = dict(layout.routes)
    for arrow in diagram.arrows:
        if arrow.beside:
            rank = _Rank.of(diagram, layout, arrow.head, sheets[arrow.head], gap)
            routes[arrow.key] = rank.line_to(arrow.tail) or routes[arrow.key]
    return as_wide_as_needed(diagram, replace(layout, routes=routes))


def _following(
    diagram: Diagram, layout: Layout, moves: Mapping[str, float], gap: float
) -> dict[str, float]:
    """Return moves of what moved boxes alone use: to where they are now, if there is room."""
    across = 0 if diagram.direction in ("TB", "BT") else 1
    sizes = {box.key: (box.width, box.height)[across] for box in diagram.boxes}
    sources: dict[str, list[str]] = {}
    uses = Counter(arrow.tail for arrow in diagram.arrows)
    for arrow in diagram.arrows:
        if uses[arrow.tail] == 1 and not arrow.beside and arrow.tail not in diagram.chain:
            sources.setdefault(arrow.head, []).append(arrow.tail)
    found: dict[str, float] = {}
    waiting = list(moves.items())
    while waiting:
        head, distance = waiting.pop()
        for key in sources.get(head, ()):
            at, rank = layout.boxes[head][across] + distance, layout.boxes[key][1 - across]
            if all(
                abs(point[across] - at) >= (sizes[key] + sizes[other]) / 2 + gap
                for other, point in layout.boxes.items()
                if point[1 - across] == rank and other != key
            ):
                found[key] = at - layout.boxes[key][across]
                waiting.append((key, found[key]))
    return found


@dataclass(frozen=True)
class _Rank:
    """The boxes of the rank of a function, with its sheets: places and sizes across the data."""

    function: str
    own: Sequence[str]
    gap: float
    chain: frozenset[str]
    along: float
    across: int
    places: Mapping[str, float]
    sizes: Mapping[str, float]

    @classmethod
    def of(
        cls, diagram: Diagram, layout: Layout, function: str, own: Sequence[str], gap: float
    ) -> _Rank:
        across = 0 if diagram.direction in ("TB", "BT") else 1
        along = layout.boxes[function][1 - across]
        boxes = {key: at[across] for key, at in layout.boxes.items() if at[1 - across] == along}
        sizes = {box.key: (box.width, box.height)[across] for box in diagram.boxes}
        places = dict(sorted(boxes.items(), key=lambda item: item[1]))
        chain = frozenset(diagram.chain)
        return cls(function, own, gap, chain, along, across, places, sizes)

    def moves(self) -> dict[str, float]:
        """Return how far the sheets, and boxes between them and the function, are to move."""
        start, last = self.places[self.function], max(self.places[key] for key in self.own)
        between = [
            key for key, at in self.places.items() if start < at < last and key not in self.own
        ]
        if not between:
            return {}
        if not self.chain.isdisjoint(between):
            return self._before()
        order = [*sorted(self.own, key=self.places.__getitem__), *between]
        end, moves = start + self.sizes[self.function] / 2, {}
        for key in order:
            moves[key] = end + self.gap + self.sizes[key] / 2 - self.places[key]
            end += self.gap + self.sizes[key]
        return moves

    def _before(self) -> dict[str, float]:
        """Return the moves of the sheets to the other side of the function, if it is free."""
        end = self.places[self.function] - self.sizes[self.function] / 2
        moves = {}
        for key in self.own:
            end -= self.gap + self.sizes[key]
            moves[key] = end + self.sizes[key] / 2 - self.places[key]
        ends = [
            at + self.sizes[key] / 2
            for key, at in self.places.items()
            if at < self.places[self.function] and key not in self.own
        ]
        return moves if all(other + self.gap <= end for other in ends) else {}

    def line_to(self, sheet: str) -> Route | None:
        """Return a straight line to a sheet from what is beside it, if that is what it is of."""
        keys = list(self.places)
        at = keys.index(sheet)
        step = -1 if self.places[sheet] > self.places[self.function] else 1
        other = keys[at + step]
        if other != self.function and other not in self.own:
            return None
        start = self.places[other] - step * self.sizes[other] / 2
        end = self.places[sheet] + step * self.sizes[sheet] / 2
        points = [start, start + (end - start) / 3, end - (end - start) / 3, end]
        rounded = [round(point, 1) for point in points]
        line = [(at, self.along) if self.across == 0 else (self.along, at) for at in rounded]
        return Route(tuple(line), None)
