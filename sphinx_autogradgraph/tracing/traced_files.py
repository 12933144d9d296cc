"""Files in which a traced program ran, and lines of the author's as sources of nodes."""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable

from sphinx_autogradgraph.graph.model import Source
from sphinx_autogradgraph.tracing.causes import Cause, Place


class TracedFiles:
    """Files in which the program ran, and which of them are the author's.

    ``is_own`` tells that of the path of a file, ``display`` its name for people.
    """

    def __init__(self, is_own: Callable[[str], bool], display: Callable[[str], str]) -> None:
        self._is_own = is_own
        self._display = display
        self._own: dict[str, bool] = {}

    def has(self, path: str) -> bool:
        """Return whether a file is the author's."""
        own = self._own.get(path)
        if own is None:
            own = self._own[path] = self._is_own(path)
        return own

    def source_of(self, cause: Cause, name: str | None) -> Source | None:
        """Return the line of a cause, or else the only one that binds ``name``."""
        place = cause.place
        if place is None and cause.why == "created" and name is not None and name.isidentifier():
            place = self._line_binding(name)
        return self.source(place)

    def _line_binding(self, name: str) -> Place | None:
        """Return the only line of the author's that assigns a name; None if others bind it."""
        binds = re.compile(
            rf"(?<![\w.]){name}\s*(,[^=()]*|:[^=]*)?=(?!=)|\b(for|as|import|def)\b.*\b{name}\b"
        )
        found = [
            (path, number)
            for path, own in self._own.items()
            if own
            for number, line in enumerate(linecache.getlines(path), 1)
            if binds.search(line)
        ]
        if len(found) != 1:
            return None
        path, number = found[0]
        assigns = re.match(rf"\s*{name}\s*(:[^=]*)?=(?!=)", linecache.getline(path, number))
        return found[0] if assigns else None

    def source(self, place: Place | None) -> Source | None:
        """Return a place as a line with its file's name and its text."""
        if place is None:
            return None
        path, line = place
        return Source(self._display(path), line, linecache.getline(path, line).strip())
