"""What a drawing consists of: boxes, arrows between them, and frames around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sphinx_autogradgraph.render.labels import FONT_SIZE, Word, cut, printable, text_width

Direction = Literal["TB", "BT", "LR", "RL"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
"""Where data flows: down, up, right, left."""

PADDING = 9.0
HEIGHT, HEIGHT_OF_TWO = 25.0, 39.0
"""Of a box with one line of words, and with two."""

BoxKind = Literal["leaf", "function", "input", "output", "base", "saved", "module", "cut"]
ArrowKind = Literal["use", "saved", "base"]


@dataclass(frozen=True)
class Box:
    """A drawn node: ``nodes`` are the ids of what it shows; sizes are in units of the drawing.

    ``words`` stand on one line, those of ``below`` under them.  A ``shared`` one is one of several
    that show the same tensor.
    """

    key: str
    kind: BoxKind
    nodes: tuple[int, ...]
    words: tuple[Word, ...]
    below: tuple[Word, ...]
    tooltip: str
    width: float
    height: float = HEIGHT
    shared: bool = False


@dataclass(frozen=True)
class Arrow:
    """A drawn edge, from the box of key ``tail`` to that of key ``head``.

    Its ``kind`` is ``use``, or ``saved`` from a tensor to the function that saved it, or ``base``
    from a tensor to a view of it.
    """

    key: str
    tail: str
    head: str
    kind: ArrowKind = "use"


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
    """Boxes and arrows, frames around boxes, what explains them, and where data flows."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    clusters: tuple[Cluster, ...] = ()
    legend: tuple[Box, ...] = ()
    direction: Direction = "TB"


def box_of(
    key: str,
    kind: BoxKind,
    nodes: tuple[int, ...],
    words: Sequence[Word],
    below: Sequence[Word] = (),
) -> Box:
    """The box that says these words, as wide as they are; what is too long is cut."""
    lines = [tuple((role, cut(printable(word))) for role, word in line) for line in (words, below)]
    labels = [" ".join(word for _, word in line) for line in lines]
    whole = " ".join(printable(word) for _, word in (*words, *below))
    width = max(text_width(label) for label in labels) * FONT_SIZE + 2 * PADDING
    return Box(
        key=key,
        kind=kind,
        nodes=nodes,
        words=lines[0],
        below=lines[1],
        tooltip=whole if whole != " ".join(filter(None, labels)) else "",
        width=round(width, 1),
        height=HEIGHT_OF_TWO if below else HEIGHT,
    )
