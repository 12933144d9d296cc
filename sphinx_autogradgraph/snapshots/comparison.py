"""Results of comparing figures with their snapshots."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.program.program import Block
from sphinx_autogradgraph.program.source_lines import split_lines

SnapshotStatus = Literal["same", "drifted", "missing", "failed", "elsewhere"]
"""Result of comparing a figure's graph with its snapshot.

``missing``: there is no snapshot; ``failed``: there is no graph to compare, or an update could not
write it; ``elsewhere``: another part of the check compares it.  A snapshot to which no figure
belongs is orphaned."""


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


def other_files(kept: Graph, blocks: Collection[Block]) -> set[str]:
    """Return the files by whose lines nodes were made, but for those of the blocks."""
    sources = (node.source for node in kept.nodes)
    return {source.file for source in sources if source} - {block.file for block in blocks}


def lines_gone(kept: Graph, blocks: Collection[Block]) -> tuple[str, ...]:
    """Return the lines by which nodes of a snapshot were made and which the code has no more.

    Each is preceded by its file.  Files that are not those of the blocks are passed over.
    """
    lines = {(block.file, line.strip()) for block in blocks for line in split_lines(block.code)}
    files = {block.file for block in blocks}
    sources = (node.source for node in kept.nodes)
    gone = {
        f"{source.file}: {source.text}": None
        for source in sources
        if source is not None and source.file in files and (source.file, source.text) not in lines
    }
    return tuple(gone)
