"""What a benchmark tells: tables, as data, as text and as reStructuredText."""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

QUICK = "--quick" in sys.argv
"""Whether to try the benchmarks with little: few rounds, small sizes, numbers that say nothing."""

UNIT = re.compile(r"(?<=\d) (?=(?:ms|s|min|[KMG]B)\b)")
"""Space between a number and its unit, where no line is to end."""

NO_BREAK = "\u00a0"


@dataclass(frozen=True)
class Plot:
    """What is drawn of a table, into ``FILE-light.png`` and ``FILE-dark.png``.

    ``lines`` are curves, name → [[x, y], …], over two logarithmic axes called ``x`` and ``y``;
    ``bars`` are panels side by side, title → name → value.
    """

    file: str
    lines: dict[str, list[list[float]]] = field(default_factory=dict)
    x: str = ""
    y: str = ""
    bars: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table.  The cells are texts; ``plot`` is the picture of it, if there is one."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    plot: Plot | None = None

    def text(self) -> str:
        """Return the table for a terminal."""
        lines = [list(self.heads), *map(list, self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.heads))]
        shown = [
            "  ".join(
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join(
            [self.title, "-" * len(self.title), *shown, *([self.note] * bool(self.note))]
        )

    def rst(self) -> str:
        """Return the table for the documentation."""
        lines = [f".. list-table:: {self.title}", "   :header-rows: 1", ""]
        for row in [self.heads, *self.rows]:
            lines += [
                f"   {'* -' if not column else '  -'} {UNIT.sub(NO_BREAK, cell)}"
                for column, cell in enumerate(row)
            ]
        return "\n".join([*lines, "", self.note, ""])


def seconds(value: float) -> str:
    """Return a time as people read it."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def times(value: float, base: float) -> str:
    """Return a ratio, with two digits that count."""
    ratio = value / base
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def median(values: Sequence[float]) -> float:
    """Return the median of at least one value."""
    return statistics.median(values)


def main(measure: Callable[[], Sequence[Table]]) -> None:
    """Measure; print the tables, as JSON with ``--json``."""
    tables = measure()
    if "--json" in sys.argv:
        print(json.dumps([asdict(table) for table in tables]))
    else:
        print("\n\n".join(table.text() for table in tables))
