"""File names of the snapshots of a page's figures, unique for each figure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable

MAX_LENGTH = 80
"""Longer names are cut: file systems have a bound."""


class FigureNames:
    """File names of the snapshots of a page's figures.

    A figure without a name has its number, one with a name has that, with ``-`` in the place of
    what no file should have in its name.  Where that is taken, or together with the page could be
    read in another way (figure ``0.1`` of page ``v1`` and figure ``1`` of page ``v1.0``), a digest
    of the name is added.  ``is_page`` tells whether there is a page of a name.
    """

    def __init__(self, page: str, is_page: Callable[[str], bool]) -> None:
        self.page = page
        self._is_page = is_page
        self._names: dict[int, str] = {}
        self._taken: set[str] = set()

    def add(self, figures: Iterable[tuple[str, int]]) -> None:
        """Add figures by their names, empty if they have none, and their numbers on the page.

        Those whose names stand as they are come first: they keep them, whatever else there is.
        """
        for name, number in sorted(figures, key=lambda item: _rank(item[0])):
            found = _file_name(name) or str(number)
            if self._is_taken(found):
                found = _with_digest(name, name)
            if self._is_taken(found):
                found = _with_digest(name, f"{name}\n{number}")
            self._names[number] = found
            self._taken.add(found.casefold())

    def of(self, number: int) -> str:
        """Return the name for the file of a figure that was added."""
        return self._names[number]

    def _is_taken(self, name: str) -> bool:
        parts = name.split(".")
        others = (".".join((self.page, *parts[:end])) for end in range(1, len(parts)))
        return name.casefold() in self._taken or any(map(self._is_page, others))


def is_altered(name: str, file: str) -> bool:
    """Whether a figure's snapshot could not be named for the figure, as the name was taken."""
    return bool(name) and not file.endswith(f".{_file_name(name)}.json")


def _rank(name: str) -> int:
    if not name:
        return 0
    return 1 if _file_name(name) == name else 2


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name)[:MAX_LENGTH]


def _with_digest(name: str, whole: str) -> str:
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name)[:60].strip('-')}-{digest}"
