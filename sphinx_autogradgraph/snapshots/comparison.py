"""What a figure's graph is to its snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SnapshotStatus = Literal["same", "drift", "missing", "failed"]
"""What a figure's graph is to its snapshot; ``failed`` if there is no graph to compare."""


@dataclass(frozen=True)
class SnapshotComparison:
    """A figure, the file of its snapshot, and what it is to it, in words where it differs."""

    line: int | None
    path: str
    status: SnapshotStatus
    words: tuple[str, ...] = ()
