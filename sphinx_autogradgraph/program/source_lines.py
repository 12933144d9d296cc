"""Where code stands: in the author's files, and on the page.

Parsers tell the line of a block, not of its code, and an included part of a file not which lines
of the file it is.  Here both are found again by comparing texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path


def source_lines(path: str) -> Sequence[str]:
    """The lines of a document, or none where it cannot be read (a docstring, a made-up source)."""
    try:
        modified = Path(path).stat().st_mtime_ns
    except OSError:
        return ()
    return _read(path, modified)


@lru_cache(maxsize=8)
def _read(path: str, _modified: int) -> Sequence[str]:
    try:
        return tuple(map(_bare, split_lines(Path(path).read_text("utf-8-sig"))))
    except (OSError, UnicodeDecodeError):
        return ()


def split_lines(text: str) -> list[str]:
    """The lines of a text as Python counts them.

    A form feed, or one of Unicode's separators, ends none: :meth:`str.splitlines` has more kinds.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def _bare(line: str) -> str:
    """A line without what blocks add and take away: indentation, tabs, trailing spaces."""
    return line.expandtabs().strip()


def line_of_code(code: str, lines: Sequence[str], start: int) -> int | None:
    """The line (from 1) of the first line of ``code``, at or below line ``start`` of a document.

    None where the code is not found as it stands.
    """
    wanted = [_bare(line) for line in code.rstrip().split("\n")]
    for first in range(max(start - 1, 0), len(lines) - len(wanted) + 1):
        if all(lines[first + offset] == line for offset, line in enumerate(wanted)):
            return first + 1
    return None


def lines_of_part(part: str, lines: Sequence[str]) -> list[int] | None:
    """The lines (from 1) of a file that an included part of it is, in order, one for each line.

    The part is one piece or several.  Where the file repeats itself, the longest run counts, and
    among equals the first.  None where a line of the part does not stand in the file, or not in
    this order.
    """
    wanted = [_bare(line) for line in part.split("\n")]
    places: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        places.setdefault(line, []).append(index)
    found: list[int] = []
    while len(found) < len(wanted):
        rest = wanted[len(found) :]
        after = found[-1] if found else 0
        runs = [
            (_run(rest, lines, start), -start)
            for start in places.get(rest[0], ())
            if start >= after
        ]
        if not runs:
            return None
        length, start = max(runs)
        found += range(1 - start, 1 - start + length)
    return found


def _run(wanted: Sequence[str], lines: Sequence[str], start: int) -> int:
    """How many of the wanted lines stand one after the other from ``start`` on."""
    length = 0
    while length < min(len(wanted), len(lines) - start) and wanted[length] == lines[start + length]:
        length += 1
    return length
