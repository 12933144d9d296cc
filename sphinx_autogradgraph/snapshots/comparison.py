"""What a figure's graph is to its snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sphinx_autogradgraph.graph.model import Graph

SnapshotStatus = Literal["same", "drift", "missing", "failed", "elsewhere"]
"""What a figure's graph is to its snapshot; ``failed`` if there is no graph to compare,
``elsewhere`` if another part of the check compares it."""


@dataclass(frozen=True)
class SnapshotComparison:
    """A figure, the file of its snapshot, and what it is to it, in words where it differs.

    In a check or an update, what is not the same has the graph ``before``, if there is a snapshot,
    and ``after``.
    """

    line: int | None
    path: str
    status: SnapshotStatus
    words: tuple[str, ...] = ()
    before: Graph | None = None
    after: Graph | None = None
