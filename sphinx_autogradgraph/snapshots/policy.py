"""What became of each figure's snapshot: the policy of keeping, comparing and falling back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.messages import Message, Translate, untranslated
from sphinx_autogradgraph.core.settings import Mode
from sphinx_autogradgraph.program.program import Target
from sphinx_autogradgraph.runtime.result import Traced
from sphinx_autogradgraph.snapshots.comparison import SnapshotComparison, SnapshotStatus
from sphinx_autogradgraph.snapshots.store import Snapshots, drift

Purpose = Literal["build", "check", "update"]
"""What graphs are made for: ``build`` keeps new ones and tells of drift, ``check`` only compares,
``update`` accepts."""


class SnapshotPolicy:
    """The snapshots of a project's figures; ``name`` is how messages call their directory."""

    def __init__(self, directory: str, name: str, translate: Translate = untranslated) -> None:
        self.snapshots = Snapshots(directory)
        self._name = name
        self._translate = translate

    def path(self, page: str, name: str, number: int) -> Path:
        """The file of a figure, by its name, else by its number on the page."""
        return self.snapshots.path(page, name or str(number))

    def display(self, path: str | os.PathLike[str]) -> str:
        """How messages call a file."""
        relative = os.path.relpath(path, self.snapshots.directory).replace(os.sep, "/")
        return f"{self._name.rstrip('/')}/{relative}"

    def read(self, path: Path) -> Traced | Diagnostic | None:
        """The snapshot in a file, None if there is none, a diagnostic if it cannot be read."""
        try:
            return self.snapshots.read(path)
        except ValueError as error:
            return Diagnostic(
                "snapshot",
                "the snapshot {file} cannot be read: {reason}; restore it, or accept today's "
                "graph with autogradgraph update",
                {"file": self.display(path), "reason": str(error)},
            )

    def keep(
        self, path: Path, traced: Traced, purpose: Purpose
    ) -> tuple[SnapshotStatus, list[str], list[Diagnostic]]:
        """Compare a graph of today with its snapshot, and keep it where that is wanted.

        What it is to the snapshot, how it differs in words, and the diagnostics to report.
        """
        kept = self.read(path)
        status: SnapshotStatus
        words: list[str] = []
        diagnostics: list[Diagnostic] = []
        if isinstance(kept, Diagnostic):
            status, words = "drift", [kept.sentence(self._translate)]
            if purpose == "build":
                diagnostics.append(kept)
        elif kept is None:
            status = "missing"
        else:
            words = drift(kept, traced, self._translate)
            status = "drift" if words else "same"
            if words and purpose == "build":
                diagnostic = Diagnostic(
                    "drift",
                    "the graph is no longer that of {file}; look at it, and accept it with "
                    "autogradgraph update",
                    {"file": self.display(path)},
                    detail="\n".join(words),
                )
                diagnostics.append(diagnostic)
        if status != "same" and (purpose == "update" or (purpose == "build" and kept is None)):
            fault_of_it = self._write(path, traced)
            if fault_of_it is not None:
                diagnostics.append(fault_of_it)
        return status, words, diagnostics

    def orphans(self, wanted: Iterable[SnapshotComparison]) -> list[Path]:
        """The snapshots of none of these figures."""
        return self.snapshots.orphans(Path(kept.path) for kept in wanted)

    def _write(self, path: Path, traced: Traced) -> Diagnostic | None:
        """Keep a graph; the diagnostic if it cannot be written."""
        try:
            self.snapshots.write(path, traced)
        except OSError as error:
            return Diagnostic(
                "snapshot",
                "the snapshot {file} cannot be written: {reason}",
                {"file": self.display(path), "reason": error.strerror or type(error).__name__},
            )
        return None


def fall_back(
    keeper: SnapshotPolicy | None, path: Path | None, target: Target, skip: bool, mode: Mode
) -> Traced | Diagnostic:
    """What a figure whose code is not run is drawn from, or why it cannot be drawn.

    ``path`` is the file of its snapshot; ``skip`` tells that its author does not want it run.
    """
    kept = None if keeper is None or path is None else keeper.read(path)
    if isinstance(kept, Traced) and set(target.extras) - {"inputs"}:
        note = Message(
            "Gradients, saved tensors and values are read where the code runs, and are not "
            "kept in snapshots."
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
    if keeper is None or path is None:
        return Diagnostic(
            "snapshot",
            "nothing is run (autogradgraph_execution = 'never'), and no snapshots are kept; "
            "set autogradgraph_snapshots, and run autogradgraph update where torch is",
            build_wide=True,
        )
    return Diagnostic(
        "snapshot",
        "there is no snapshot {file}; run autogradgraph update where torch is, and commit it",
        {"file": keeper.display(path)},
    )
