"""Snapshot policy: compare a figure's graph with its snapshot, write it, or fall back on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.messages import Message, Translate, untranslated
from sphinx_autogradgraph.core.settings import Mode
from sphinx_autogradgraph.graph.model import Source
from sphinx_autogradgraph.program.installed import installed
from sphinx_autogradgraph.program.program import Target
from sphinx_autogradgraph.runtime.result import Traced
from sphinx_autogradgraph.snapshots.comparison import SnapshotComparison, SnapshotStatus
from sphinx_autogradgraph.snapshots.figure_names import FigureNames
from sphinx_autogradgraph.snapshots.store import Snapshot, SnapshotError, Snapshots, drift

Purpose = Literal["build", "check", "update"]
"""Purpose of a run: ``build`` writes new snapshots and reports drift, ``check`` only compares,
``update`` accepts the graphs of today."""


class SnapshotPolicy:
    """The snapshots of a project's figures, and the rules for reading and writing them.

    ``project`` is the directory of the pages, ``name`` the directory of snapshots as messages name
    it.
    """

    def __init__(
        self,
        directory: str,
        name: str,
        translate: Translate = untranslated,
        project: str | os.PathLike[str] | None = None,
    ) -> None:
        self.snapshots = Snapshots(directory, project)
        self._name = name
        self._translate = translate

    def path(self, names: FigureNames, number: int) -> Path:
        """Return the snapshot file of a figure, named for the figure's name or its number."""
        return self.snapshots.path(names.page, names.of(number))

    def display(self, path: str | os.PathLike[str]) -> str:
        """Return the path of a snapshot file as messages show it."""
        relative = os.path.relpath(path, self.snapshots.directory).replace(os.sep, "/")
        return f"{self._name.rstrip('/')}/{relative}"

    def read(self, path: Path) -> Traced | Diagnostic | None:
        """Read a snapshot: None if there is no file, a diagnostic if it cannot be read."""
        snapshot = self._load(path)
        return snapshot.traced if isinstance(snapshot, Snapshot) else snapshot

    def _load(self, path: Path) -> Snapshot | Diagnostic | None:
        try:
            return self.snapshots.load(path)
        except SnapshotError as error:
            return self._unreadable(path, error)

    def _unreadable(self, path: Path, error: SnapshotError) -> Diagnostic:
        """Say why a snapshot cannot be read, and how to mend it."""
        values = {"file": self.display(path), "reason": str(error)}
        if error.foreign:
            return Diagnostic(
                "snapshot",
                "the snapshot {file} cannot be read: {reason}; it is not ours to overwrite, so "
                "move it away, or give the figure another name",
                values,
            )
        return Diagnostic(
            "snapshot",
            "the snapshot {file} cannot be read: {reason}; restore it, or accept today's "
            "graph with autogradgraph update",
            values,
        )

    def keep(
        self, path: Path, traced: Traced, purpose: Purpose, line: int | None
    ) -> tuple[SnapshotComparison, list[Diagnostic]]:
        """Compare a graph of today with its snapshot, and write it if the purpose asks for that.

        ``line`` is that of the figure.  Returns the result and the diagnostics to report.
        """
        kept = self._load(path)
        status: SnapshotStatus
        words: list[str] = []
        diagnostics: list[Diagnostic] = []
        if isinstance(kept, Diagnostic):
            status, words = "drifted", [kept.sentence(self._translate)]
            if purpose == "build":
                diagnostics.append(kept)
        elif kept is None:
            status = "missing"
        else:
            words = drift(kept.traced, traced, self._translate)
            status = "drifted" if words else "same"
            if words:
                words += self._versions(kept)
            if words and purpose == "build":
                diagnostic = Diagnostic(
                    "drift",
                    "the graph is no longer that of {file}; look at it, and accept it with "
                    "autogradgraph update",
                    {"file": self.display(path)},
                    detail="\n".join(words),
                )
                diagnostics.append(diagnostic)
        if self._is_written(kept, traced, status, purpose):
            fault_of_it = self._write(path, traced)
            if fault_of_it is not None:
                diagnostics.append(fault_of_it)
                if purpose == "update":  # it has accepted nothing
                    status = "failed"
        comparison = SnapshotComparison(line, str(path), status, tuple(words))
        if purpose != "build" and status != "same":
            before = kept.traced.graph if isinstance(kept, Snapshot) else None
            comparison = replace(comparison, before=before, after=traced.graph.structure())
        return comparison, diagnostics

    def _is_written(
        self,
        kept: Snapshot | Diagnostic | None,
        traced: Traced,
        status: SnapshotStatus,
        purpose: Purpose,
    ) -> bool:
        """Whether the graph of today is written: in an update also where lines alone moved.

        A page that is drawn without running links nodes by the lines of its snapshot.
        """
        if purpose == "update":
            return status != "same" or (
                isinstance(kept, Snapshot) and _lines(kept.traced) != _lines(traced)
            )
        return purpose == "build" and kept is None

    def _versions(self, kept: Snapshot) -> list[str]:
        """Name the torch versions of both graphs if they may explain the difference."""
        today = installed("torch")
        if kept.torch is None or today is None or kept.torch == today:
            return []
        values = {"before": kept.torch, "after": today}
        words = Message("the snapshot was made with torch {before}, this with {after}", values)
        return [words.sentence(self._translate)]

    def orphans(
        self, wanted: Iterable[SnapshotComparison], of_page: Callable[[str], bool]
    ) -> list[Path]:
        """Return the snapshots that belong to no figure, of the pages that may have such."""
        return self.snapshots.orphans((Path(kept.path) for kept in wanted), of_page)

    def _write(self, path: Path, traced: Traced) -> Diagnostic | None:
        """Write a snapshot; return a diagnostic if that fails."""
        try:
            self.snapshots.write(path, traced)
        except SnapshotError as error:
            return self._unreadable(path, error)
        except OSError as error:
            return Diagnostic(
                "snapshot",
                "the snapshot {file} cannot be written: {reason}",
                {"file": self.display(path), "reason": error.strerror or type(error).__name__},
            )
        return None


def fall_back(
    policy: SnapshotPolicy | None, path: Path | None, target: Target, skip: bool, mode: Mode
) -> Traced | Diagnostic:
    """Return the snapshot of a figure whose code is not run, or why it cannot be drawn.

    ``path`` is the file of its snapshot; ``skip`` tells that its author does not want it run.
    """
    kept = None if policy is None or path is None else policy.read(path)
    if isinstance(kept, Traced) and set(target.extras) - {"inputs"}:
        note = Message(
            "Gradients, saved tensors and values are read where the code runs, and are not "
            "kept in snapshots."
        )
        return replace(kept, notes=(*kept.notes, note))
    if isinstance(kept, Traced) and any(node.kind == "input" for node in kept.graph.nodes):
        note = Message(
            "Why inputs do not require grad is read where the code runs, and is not kept in "
            "snapshots."
        )
        return replace(kept, notes=(*kept.notes, note))
    if kept is not None:
        return kept
    if skip:
        return Diagnostic("snapshot", "it is skipped, and there is no snapshot of it")
    if mode == "auto":
        return Diagnostic(
            "execution",
            "torch is not installed where the docs are built, and there is no snapshot to "
            "draw from; install it with pip install 'sphinx-autogradgraph[torch]', or keep "
            "snapshots: set autogradgraph_snapshots, run autogradgraph update where torch is, "
            "and commit them",
            build_wide=True,
        )
    if policy is None or path is None:
        return Diagnostic(
            "snapshot",
            "nothing is run (autogradgraph_execution = 'never'), and no snapshots are kept; "
            "set autogradgraph_snapshots, and run autogradgraph update where torch is",
            build_wide=True,
        )
    return Diagnostic(
        "snapshot",
        "there is no snapshot {file}; run autogradgraph update where torch is, and commit it",
        {"file": policy.display(path)},
    )


def _lines(traced: Traced) -> list[Source | None]:
    return [node.source for node in traced.graph.nodes]
