"""Tables on paper: the widths of their columns, and a size of letters at which they fit.

A page cannot be scrolled.  Names of operations and files are long words, so they may break within,
and each column gets at least the width of its longest unbreakable piece.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sphinx_autogradgraph.render.lettering import text_width

LINE_WIDTH = 440.0
"""Width in points of a line on a sheet of A4 or Letter."""

PROPORTIONAL = 0.88
"""Width of text in a font for reading, as part of that in a monospace font."""

WHOLE = 5.0
"""Width, in font sizes, up to which the cells of a column do not break: shapes and numbers."""

MAX_PIECE = 16
"""Maximum number of characters of a word that may break nowhere."""

MAX_LINES = 30
"""Maximum number of lines of a table that is kept on one page."""

_BREAKS = re.compile(
    r"(?<=[._/\-])(?=[^\W\d])"  # behind what separates the parts of a name or path
    r"|(?<=:)(?=\w)|(?<=\()(?=[^\W\d])"
    r"|(?<=[^\W\d_])(?=[A-Z][a-z])"
)


@dataclass(frozen=True)
class Run:
    """A run of text in a cell, in a monospace font if it is ``literal``."""

    text: str
    literal: bool


Cells = Sequence[Sequence[Sequence[Run]]]
"""Rows of cells of runs."""


@dataclass(frozen=True)
class Fit:
    """Fit of a table to the page: its letters, its spaces, and the widths of its columns.

    ``size`` is that of the letters in points, ``gap`` the space in points on either side of a
    column.  ``widths`` are those of the columns, in font sizes, with None for as wide as they are.
    ``lines`` is the estimated number of lines.
    """

    size: int
    gap: int
    widths: tuple[float, ...] | None
    lines: int


SIZES = ((10, 6), (8, 4), (7, 3))
"""Sizes of letters in points, each with the space on either side of a column."""


def pieces(text: str) -> list[str]:
    """Split a text where a line may end without a hyphen, in addition to where there is space."""
    found = []
    for part in _BREAKS.sub("\0", text).split("\0"):
        start = 0
        for word in re.finditer(r"\S+", part):
            for end in range(word.start() + MAX_PIECE, word.end(), MAX_PIECE):
                found.append(part[start:end])
                start = end
        found.append(part[start:])
    return found


def fit(rows: Cells) -> Fit:
    """Return the largest letters at which a table fits the page without many broken lines.

    ``rows`` are those of the head and the body, all with the same number of cells.
    """
    columns = [_Column([row[place] for row in rows]) for place in range(len(rows[0]))]
    size, gap = SIZES[0]
    if sum(column.most for column in columns) <= _room(size, gap, len(columns)):
        return Fit(size, gap, None, len(rows))
    for size, gap in SIZES:
        room = _room(size, gap, len(columns))
        widths = tuple(_shared(columns, room))
        lines = sum(max(map(_lines, row, widths)) for row in rows)
        if sum(column.least for column in columns) <= room and lines <= 2 * len(rows):
            break
    return Fit(size, gap, widths, lines)


class _Column:
    """A column: the widths, in font sizes, that it has unbroken and that it needs."""

    def __init__(self, cells: Sequence[Sequence[Run]]) -> None:
        unbroken = [sum(map(_width, cell)) for cell in cells]
        longest = max(width for cell in cells for width, _ in _words(cell))
        self.most = max(unbroken)
        self.least = self.most if self.most <= WHOLE else longest
        self.weight = math.sqrt(sum(unbroken))


def _room(size: int, gap: int, columns: int) -> float:
    return (LINE_WIDTH - 2 * gap * columns) / size


def _shared(columns: Sequence[_Column], room: float) -> list[float]:
    """Share the room by what is in the columns: more to the long ones, to none less than it needs.

    Where there is too little room for that, all of them are made narrower.
    """

    def at(level: float) -> list[float]:
        return [min(max(column.least, level * column.weight), column.most) for column in columns]

    low, high = 0.0, room
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(at(middle)) <= room else (low, middle)
    widths = at(low)
    return [width * min(1, room / sum(widths)) for width in widths]


def _width(run: Run) -> float:
    return text_width(run.text) * (1 if run.literal else PROPORTIONAL)


def _words(cell: Sequence[Run]) -> list[tuple[float, float]]:
    """Return the widths of what stands between two places where a line may end.

    Each comes with the width of the space behind it.
    """
    found = [(0.0, 0.0)]
    for run in cell:
        for word in re.findall(r"\S*\s*", "\0".join(pieces(run.text))):
            for part in word.split("\0"):
                ink = part.rstrip()
                inked = _width(Run(ink, run.literal))
                found.append((inked, _width(Run(part, run.literal)) - inked))
    return found


def _lines(cell: Sequence[Run], width: float) -> int:
    """Estimate the number of lines of a cell."""
    words = _words(cell)
    count, used = 1, 0.0
    for (_, space), (word, _space) in pairwise(words):
        if used + space + word > width and used:
            count, used = count + 1, word
        else:
            used += space + word
    return count
