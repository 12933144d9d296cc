"""Put boxes on other ranks, by longer arrows: the engine makes ranks as wide as it likes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sphinx_autogradgraph.render.diagram import Arrow, Diagram, twins_of
from sphinx_autogradgraph.render.edge_labels import label_width
from sphinx_autogradgraph.render.layout import Layout


def longer_arrows(
    diagram: Diagram,
    width: float,
    gap: float,
    below: Iterable[tuple[str, str]] = (),
    *,
    last_nearest: bool = True,
) -> dict[str, int]:
    """Return how many ranks more each arrow must span, so that no rank is wider than ``width``.

    It is a greedy layering as by Coffman and Graham: ranks are filled from the outputs up, and a
    box for which there is no room waits for the next one.
    ``width`` and ``gap``, the distance of boxes side by side, are in pixels.  ``below`` are pairs
    of boxes of which the second is to stand below the first.  Where arguments stand on several
    ranks, ``last_nearest`` tells which of them stands nearest to the operation: the last one of a
    row, else the first.  A rank may still be wider: if a single box is, or the main chain with the
    arrows that pass it.  Empty where the pairs ask for what cannot be, as those of frames may.
    """
    twins = twins_of(diagram)
    arrows = [a for a in diagram.arrows if a.key not in twins and not a.beside]
    widths = _widths(diagram, arrows, gap)
    users: dict[str, set[str]] = {key: set() for key in widths}
    for tail, head in [*((arrow.tail, arrow.head) for arrow in arrows), *below]:
        users[tail].add(head)
    # The leaf of the main chain may wait: its arrow is straight at any length.
    held = frozenset(diagram.chain[:-1])
    rank = _Filling(arrows, widths, users, held, width, gap, last_nearest).ranks()
    more = {a.key: rank[a.tail] - rank[a.head] - 1 for a in arrows} if rank else {}
    return {key: ranks for key, ranks in more.items() if ranks}


@dataclass
class _Filling:
    """Ranks to fill with boxes.

    ``widths`` are those of the boxes with a gap, ``users`` the boxes that must stand below each,
    ``held`` are the boxes that never wait.
    """

    arrows: Sequence[Arrow]
    widths: Mapping[str, float]
    users: Mapping[str, set[str]]
    held: frozenset[str]
    width: float
    gap: float
    last_nearest: bool

    def ranks(self) -> dict[str, int]:
        """Return the rank of each box, from 0 at the outputs; empty if there is no such order."""
        rank: dict[str, int] = {}
        waiting = _in_order(self.widths, self.arrows)
        rows, left_over = 1, set[str]()
        number = 0
        while waiting:
            ready = [key for key in waiting if self.users[key] <= rank.keys()]
            if not ready:  # each is to stand below another
                return {}
            passing = sum(a.head in rank and a.tail not in rank for a in self.arrows)
            # The arrows of a box that stands here pass no more.
            own = {key: self.widths[key] - self.gap * len(self.users[key]) for key in ready}
            chosen = [key for key in ready if key in self.held]
            room = self.width - self.gap * passing - sum(own[key] for key in chosen)
            following = self._following(ready, rank, number)
            others = [key for key in ready if key not in self.held and key not in following]
            left = max(room - sum(own[key] for key in following), 1.0)
            needed = max(1, math.ceil(sum(own[key] for key in others) / left))
            # What a rank left over fills the next ones evenly, though there would be room for more.
            rows = max(needed, rows - 1) if left_over.issuperset(others) else needed
            for key in [*following, *self._every(rows, others)]:
                if own[key] <= room or not chosen:
                    chosen.append(key)
                    room -= own[key]
            rank |= dict.fromkeys(chosen, number)
            waiting = [key for key in waiting if key not in rank]
            left_over = set(others)
            number += 1
        return rank

    def _following(self, ready: Sequence[str], rank: Mapping[str, int], number: int) -> list[str]:
        """Return the boxes that alone continue what stands on the rank below."""
        return [
            key
            for key in ready
            if key not in self.held
            and any(rank[user] == number - 1 for user in self.users[key])
            and sum(bool(self.users[other] & self.users[key]) for other in ready) == 1
        ]

    def _every(self, rows: int, keys: Sequence[str]) -> Sequence[str]:
        """Return every second, third or so of some boxes, as there are to be ``rows`` of them."""
        return (keys[rows - 1 :: rows] if self.last_nearest else keys[::rows]) or keys


def _widths(diagram: Diagram, arrows: Sequence[Arrow], gap: float) -> dict[str, float]:
    """Return the room that each box needs: with its sheets, the words at its arrows, and a gap."""
    widths = {box.key: box.width for box in diagram.boxes}
    for arrow in arrows:
        if arrow.words:  # they stand at the right of the arrow, which begins in the middle
            words = widths[arrow.tail] / 2 + label_width(arrow, diagram)
            widths[arrow.tail] = max(widths[arrow.tail], words)
    for arrow in diagram.arrows:
        if arrow.beside:
            widths[arrow.head] += gap + widths.pop(arrow.tail)
    return {key: width + gap for key, width in widths.items()}


def _in_order(keys: Iterable[str], arrows: Sequence[Arrow]) -> list[str]:
    """Return boxes in the order in which they would stand in one row, arguments from the left."""
    tails: dict[str, list[str]] = {}
    for arrow in arrows:
        tails.setdefault(arrow.head, []).append(arrow.tail)
    used = {arrow.tail for arrow in arrows}
    order: dict[str, None] = {}
    waiting = [key for key in keys if key not in used][::-1]
    while waiting:
        key = waiting.pop()
        if key not in order:
            order[key] = None
            waiting += reversed(tails.get(key, ()))
    return [*order]


def out_of_rank(diagram: Diagram, layout: Layout) -> list[dict[str, int]]:
    """Return arrows to lengthen, and by how many ranks, to take boxes out of ranks that are wide.

    Each of the list is one thing to try.  The outermost boxes come first.  What flows to the side
    is made no narrower by it, nor is a rank of very many arguments.
    """
    if diagram.direction in ("LR", "RL"):
        return []
    coming: dict[str, set[str]] = {}
    leaving: dict[str, set[str]] = {}
    held = set(diagram.chain)
    for arrow in diagram.arrows:
        coming.setdefault(arrow.head, set()).add(arrow.key)
        leaving.setdefault(arrow.tail, set()).add(arrow.key)
        if arrow.beside:  # stands where its function does
            held.add(arrow.tail)
    places = {box.key: (layout.boxes[box.key][0], box.width / 2) for box in diagram.boxes}
    left = min(at - half for at, half in places.values())
    right = max(at + half for at, half in places.values())
    distance = {key: min(at - half - left, right - at - half) for key, (at, half) in places.items()}
    wide = {layout.boxes[key][1] for key in places if distance[key] < EDGE}
    moving = [key for key in places if key not in held and layout.boxes[key][1] in wide]
    arguments = Counter(arrow.head for arrow in diagram.arrows if arrow.tail in moving)
    if max(arguments.values(), default=0) >= FAN:
        return []
    return [
        dict.fromkeys(arrows[key], 1)
        for key in sorted(moving, key=lambda key: (distance[key], key))
        for arrows in (leaving, coming)
        if key in arrows
    ]


FAN = 8
"""Number of an operation's arguments in a rank from which it is no use to move one of them."""

EDGE = 20.0
"""Distance from the sides of a drawing, in pixels, at which a box makes it wide."""
