"""Where code stands in the author's files: parsers tell the line of a block, not of its code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def source_lines(path: str) -> list[str]:
    """The lines of a document, or none where it cannot be read (a docstring, a made-up source)."""
    try:
        return Path(path).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def line_of_code(code: str, lines: Sequence[str], start: int) -> int | None:
    """The line (from 1) of the first line of ``code``, at or below line ``start`` of a document.

    Indentation and trailing spaces do not count.  None where the code is not found as it stands.
    """
    wanted = [line.strip() for line in code.rstrip().split("\n")]
    for first in range(max(start - 1, 0), len(lines) - len(wanted) + 1):
        if all(lines[first + offset].strip() == line for offset, line in enumerate(wanted)):
            return first + 1
    return None
