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
    again = _repeats(wanted)
    length = 0
    for index in range(max(start - 1, 0), len(lines)):
        # What has been read is not read again, however often lines repeat themselves.
        while length and wanted[length] != lines[index]:
            length = again[length - 1]
        length += wanted[length] == lines[index]
        if length == len(wanted):
            return index - length + 2
    return None


def _repeats(wanted: Sequence[str]) -> list[int]:
    """Return for each line how many lines up to it are the first ones again (Knuth-Morris-Pratt).

    The longest such run counts that is shorter than all the lines up to it.
    """
    again = [0]
    for line in wanted[1:]:
        length = again[-1]
        while length and wanted[length] != line:
            length = again[length - 1]
        again.append(length + (wanted[length] == line))
    return again


def lines_of_part(part: str, lines: Sequence[str]) -> list[int] | None:
    """Return the line in a file (from 1) of each line of an included part, in order.

    The part is one piece of the file or several.  Where the file repeats itself, the longest run
    counts, and among equals the first.  None if a line of the part is not in the file, or not in
    this order.
    """
    # A letter for each line: Python searches long texts fast, also those that repeat themselves.
    letters: dict[str, str] = {}
    try:
        for line in lines:
            letters.setdefault(line, chr(len(letters)))
        text = "".join(map(letters.__getitem__, lines))
        wanted = "".join(letters[_bare(line)] for line in part.split("\n"))
    except (KeyError, ValueError):  # not in the file, or it has more lines than there are letters
        return None
    found: list[int] = []
    while len(found) < len(wanted):
        first, length = _longest_run(wanted[len(found) :], text, found[-1] if found else 0)
        if not length:
            return None
        found += range(first + 1, first + 1 + length)
    return found


def _longest_run(wanted: str, text: str, start: int) -> tuple[int, int]:
    """Return where the longest beginning of ``wanted`` first stands in ``text``, and its length.

    Only what begins at ``start`` or later counts.
    """
    length, step = 0, 1
    while step:
        longer = min(length + step, len(wanted))
        place = text.find(wanted[:longer], start)
        if longer > length and place >= 0:
            start, length, step = place, longer, step * 2
        else:
            step //= 2
    return start, length
