"""Search for the lines of code blocks in the author's files and on the page.

Parsers tell the line of a block, not of its code, nor which lines of a file an included part is.
Both are found by comparing texts.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path


def source_lines(path: str) -> Sequence[str]:
    """Return the lines of a document; none if it cannot be read (a docstring, a made-up source)."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return ()
    if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting
        return ()
    return _read(path, status.st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: str, _modified: int) -> Sequence[str]:
    try:
        return tuple(map(_bare, split_lines(Path(path).read_text("utf-8-sig"))))
    except (OSError, UnicodeDecodeError):
        return ()


def split_lines(text: str) -> list[str]:
    """Return the lines of a text as Python counts them.

    A form feed or a separator of Unicode ends no line here; for :meth:`str.splitlines` it does.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def _bare(line: str) -> str:
    """Return a line without what blocks add and remove: indentation, tabs, trailing spaces."""
    return line.expandtabs().strip()


def line_of_code(code: str, lines: Sequence[str], start: int) -> int | None:
    """Return the line (from 1) where ``code`` begins in a document, at or below line ``start``.

    None if the code does not stand in the document unchanged.
    """
    wanted = [_bare(line) for line in code.rstrip().split("\n")]
    for first in range(max(start - 1, 0), len(lines) - len(wanted) + 1):
        if all(lines[first + offset] == line for offset, line in enumerate(wanted)):
            return first + 1
    return None


def lines_of_part(part: str, lines: Sequence[str]) -> list[int] | None:
    """Return the line in a file (from 1) of each line of an included part, in order.

    The part is one piece of the file or several.  Where the file repeats itself, the longest run
    counts, and among equals the first.  None if a line of the part is not in the file, or not in
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
        length = first = 0
        for start in places.get(rest[0], ()):
            run = _run(rest, lines, start) if start >= after else 0
            if run > length:
                length, first = run, start
            if length == len(rest):
                break
        if not length:
            return None
        found += range(first + 1, first + 1 + length)
    return found


def _run(wanted: Sequence[str], lines: Sequence[str], start: int) -> int:
    """Count the wanted lines that follow one another from ``start`` on."""
    length = 0
    while length < min(len(wanted), len(lines) - start) and wanted[length] == lines[start + length]:
        length += 1
    return length
