"""The names of figures among the snapshots: two figures never have one file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

_PLAIN = re.compile(r"\w[\w.-]{0,79}")


class FigureNames:
    """The names for the files of a page's figures; they are to be asked for in their order.

    A name stays as it is unless it has what no file should have in its name, a figure before it
    has it, it looks like a number, or together with the page it could be read in another way:
    figure ``0.1`` of page ``v1`` and figure ``1`` of page ``v1.0``.  Then a digest of it is added.
    ``is_page`` tells whether there is a page of a name.
    """

    def __init__(self, page: str, is_page: Callable[[str], bool]) -> None:
        self.page = page
        self._is_page = is_page
        self._names: dict[int, str] = {}

    def of(self, name: str, number: int) -> str:
        """Return the name for a figure's file; ``name`` is empty for a figure without one."""
        if number not in self._names:
            taken = {other.casefold() for other in self._names.values()}
            found = name or str(number)
            if name and not self._stands(name, taken):
                found = _altered(name, name)
                if found.casefold() in taken:
                    found = _altered(name, f"{name}\n{number}")
            self._names[number] = found
        return self._names[number]

    def _stands(self, name: str, taken: set[str]) -> bool:
        parts = name.split(".")
        others = (".".join((self.page, *parts[:end])) for end in range(1, len(parts)))
        return (
            _PLAIN.fullmatch(name) is not None
            and not name.isdecimal()
            and name.casefold() not in taken
            and not any(map(self._is_page, others))
        )


def is_altered(name: str, file: str) -> bool:
    """Whether the file of a figure's snapshot is not called by the figure's name."""
    return bool(name) and not file.endswith(f".{name}.json")


def _altered(name: str, whole: str) -> str:
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name)[:60].strip('-')}-{digest}"
