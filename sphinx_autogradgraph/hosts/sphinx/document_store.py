"""Data of this package about each document, in Sphinx' environment.

Sphinx forgets a document before it is read again, and reads documents in several processes; a
store follows it in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

T = TypeVar("T")


class Store(Generic[T]):
    """Items by document, pickled with the environment and so of plain data only."""

    def __init__(self, name: str) -> None:
        self._name = f"autogradgraph_{name}"

    def setup(self, app: Sphinx) -> None:
        """Follow Sphinx in forgetting and merging documents."""
        app.connect("env-purge-doc", self._purge)
        app.connect("env-merge-info", self._merge)

    def of(self, env: BuildEnvironment) -> dict[str, list[T]]:
        """Return the items of all documents."""
        found: dict[str, list[T]] | None = getattr(env, self._name, None)
        if found is None:
            found = {}
            setattr(env, self._name, found)
        return found

    def add(self, env: BuildEnvironment, docname: str, item: T) -> None:
        """Add an item to a document."""
        self.of(env).setdefault(docname, []).append(item)

    def _purge(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:
        self.of(env).pop(docname, None)

    def _merge(
        self,
        app: Sphinx,
        env: BuildEnvironment,
        docnames: Iterable[str],
        other: BuildEnvironment,
    ) -> None:
        for docname in docnames:
            if docname in self.of(other):
                self.of(env)[docname] = self.of(other)[docname]
