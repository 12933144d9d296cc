"""Diagram of a drawing: boxes, arrows between them, and frames around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from sphinx_autogradgraph.graph.records import Record
from sphinx_autogradgraph.render.labels import Lines, Word
from sphinx_autogradgraph.render.lettering import FONT_SIZE, cut, printable, text_width

Direction = Literal["TB", "BT", "LR", "RL"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
"""Directions in which data flows: down, up, right, left."""

PADDING = 9.0
HEIGHT = 25.0
"""Height of a box with one line of words."""

LINE = 15.0
"""Distance of two lines of words in a box."""

ROUND, CORNER = 20.0, 3.0
"""Radius of the corners of a function's box, and of others; words would not fit in rounder ones."""

STACK = 3.0
"""Width at which the lower card of a fold shows under the upper one."""

BoxKind = Literal["leaf", "function", "input", "output", "base", "saved", "module", "cut"]
ArrowKind = Literal["use", "saved", "base", "cut"]


class Box(Record, frozen=True):
    """A drawn node: ``nodes`` are the ids of what it shows; sizes are in units of the drawing.

    ``lines`` are its words, from the top.  A ``shared`` one is one of several that show the same
    tensor.  ``level`` is where its gradient is on the scale of gradients, if there is one.
    """

    key: str
    kind: BoxKind
    nodes: tuple[int, ...]
    lines: tuple[tuple[Word, ...], ...]
    tooltip: str
    width: float
    height: float = HEIGHT
    shared: bool = False
    level: float | None = None

    @property
    def corner_radius(self) -> float:
        """Radius of the corners, in units of the drawing."""
        return min(self.height / 2, ROUND) if self.kind in ("function", "cut") else CORNER

    @property
    def words(self) -> tuple[Word, ...]:
        """All words, line by line."""
        return tuple(word for line in self.lines for word in line)


class Arrow(Record, frozen=True):
    """A drawn edge, from the box of key ``tail`` to that of key ``head``.

    Its ``kind`` is ``use``, or ``saved`` from a tensor to the function that saved it, ``base``
    from a tensor to a view of it, or ``cut`` to a tensor that was cut from it.  ``beside`` is
    whether its boxes are to stand side by side, ``words`` what stands at it.
    """

    key: str
    tail: str
    head: str
    kind: ArrowKind = "use"
    beside: bool = False
    words: tuple[Word, ...] = ()


PLUS: Word = ("gradient", "+")
"""Word between the gradients of several edges that one arrow tells of."""


@dataclass(frozen=True)
class Cluster:
    """A frame around the ``boxes``, by their keys, that one call of a module made.

    ``parent`` is the key of the frame that it is in, if any; boxes stand in the innermost.
    """

    key: str
    parent: str | None
    words: tuple[Word, ...]
    boxes: tuple[str, ...]


@dataclass(frozen=True)
class Diagram:
    """Boxes, arrows, frames and legend of a drawing, and the direction in which data flows.

    ``chain`` are the keys of the boxes of the main chain, from the first output back to its leaf.
    ``lines`` is on how many lines the words of a box stand.
    """

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    clusters: tuple[Cluster, ...] = ()
    legend: tuple[Box, ...] = ()
    direction: Direction = "TB"
    chain: tuple[str, ...] = ()
    lines: Lines = 1


def twins_of(diagram: Diagram) -> dict[str, str]:
    """Return the arrows that stand beside another one with words, between the same boxes.

    Keys to the keys of those others, whose words are those of all.
    """
    first: dict[tuple[str, str], str] = {}
    twins = {}
    for arrow in diagram.arrows:
        ends = arrow.tail, arrow.head
        if ends in first and arrow.kind == "use":
            twins[arrow.key] = first[ends]
        elif arrow.words:
            first[ends] = arrow.key
    return twins


def box_of(
    key: str,
    kind: BoxKind,
    nodes: tuple[int, ...],
    *lines: Sequence[Word],
) -> Box:
    """Make a box for these lines of words, as wide as they are; words that are too long are cut."""
    said, tooltip, width = _fitted(tuple([tuple(line) for line in lines if line]) or ((),))
    return Box(key, kind, nodes, said, tooltip, width, HEIGHT + (len(said) - 1) * LINE)


@lru_cache(maxsize=1024)  # a graph has many boxes with the same words
def _fitted(lines: tuple[tuple[Word, ...], ...]) -> tuple[tuple[tuple[Word, ...], ...], str, float]:
    """Return the lines as a box shows them, the tooltip for words that it cuts, and its width."""
    whole = tuple([tuple([(role, printable(word)) for role, word in line]) for line in lines])
    cuts = tuple([tuple([(role, cut(word)) for role, word in line]) for line in whole])
    tooltip = "" if cuts == whole else " ".join([word for line in whole for _, word in line])
    width = max([text_width(" ".join([word for _, word in line])) for line in cuts])
    return cuts, tooltip, round(width * FONT_SIZE + 2 * PADDING, 1)
