"""What became of each figure's snapshot, for drift warnings and for who checks or updates them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sphinx_autogradgraph.execution.result import Traced
from sphinx_autogradgraph.execution.snapshots import Snapshots, drift
from sphinx_autogradgraph.faults import Fault
from sphinx_autogradgraph.sphinxext.messages import _
from sphinx_autogradgraph.sphinxext.store import Store

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

State = Literal["same", "drift", "missing", "failed"]
"""What a figure's graph is to its snapshot; ``failed`` if there is no graph to compare."""


@dataclass(frozen=True)
class Kept:
    """A figure, the file of its snapshot, and what it is to it, in words where it differs."""

    line: int | None
    path: str
    state: State
    words: tuple[str, ...] = ()


KEPT: Store[Kept] = Store("kept")


class Keeper:
    """The snapshots of a project's figures; ``name`` is how messages call their directory."""

    def __init__(self, directory: str, name: str) -> None:
        self.snapshots = Snapshots(directory)
        self._name = name

    @classmethod
    def of(cls, app: Sphinx) -> Keeper | None:
        """The snapshots of a project, None if it keeps none."""
        name = app.config.autogradgraph_snapshots
        return cls(os.path.join(app.confdir, name), name) if name else None

    def path(self, docname: str, name: str, number: int) -> Path:
        """The file of a figure, by its name, else by its number on the page."""
        return self.snapshots.path(docname, name or str(number))

    def display(self, path: str | os.PathLike[str]) -> str:
        """How messages call a file."""
        relative = os.path.relpath(path, self.snapshots.directory).replace(os.sep, "/")
        return f"{self._name.rstrip('/')}/{relative}"

    def read(self, path: Path) -> Traced | Fault | None:
        """The snapshot in a file, None if there is none, a fault if it cannot be read."""
        try:
            return self.snapshots.read(path)
        except ValueError as error:
            return Fault(
                "snapshot",
                "the snapshot {file} cannot be read: {reason}; restore it, or accept today's "
                "graph with autogradgraph update",
                {"file": self.display(path), "reason": str(error)},
            )

    def compare(self, path: Path, traced: Traced) -> tuple[State, list[str]] | Fault:
        """What a graph of today is to its snapshot, and how it differs in words."""
        kept = self.read(path)
        if isinstance(kept, Fault):
            return kept
        if kept is None:
            return "missing", []
        words = drift(kept, traced, _)
        return ("drift" if words else "same"), words

    def write(self, path: Path, traced: Traced) -> Fault | None:
        """Keep a graph; the fault if it cannot be written."""
        try:
            self.snapshots.write(path, traced)
        except OSError as error:
            return Fault(
                "snapshot",
                "the snapshot {file} cannot be written: {reason}",
                {"file": self.display(path), "reason": error.strerror or type(error).__name__},
            )
        return None

    def orphans(self, env: BuildEnvironment) -> list[Path]:
        """The snapshots of no figure of any document."""
        wanted = [Path(kept.path) for entries in KEPT.of(env).values() for kept in entries]
        return self.snapshots.orphans(wanted)
