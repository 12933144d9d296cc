"""Results of comparing figures with their snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sphinx_autogradgraph.graph.model import Graph

SnapshotStatus = Literal["same", "drifted", "missing", "failed", "elsewhere"]
"""Result of comparing a figure's graph with its snapshot.

``missing``: there is no snapshot; ``failed``: there is no graph to compare; ``elsewhere``: another
part of the check compares it.  A snapshot to which no figure belongs is orphaned."""


@dataclass(frozen=True)
class SnapshotComparison:
    """Result of comparing one figure with its snapshot.

    ``words`` say how they differ.  In a check or an update, a figure that is not the same has the
    graph of its snapshot, if there is one, as ``before`` and the graph of today as ``after``.
    """

    line: int | None
    path: str
    status: SnapshotStatus
    words: tuple[str, ...] = ()
    before: Graph | None = None
    after: Graph | None = None
