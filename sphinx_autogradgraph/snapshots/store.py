"""Snapshots: the graphs of a project's figures as files that are kept with its sources."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from sphinx_autogradgraph.core.atomic_files import write_aside
from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.graph import codec
from sphinx_autogradgraph.graph.diff import differences
from sphinx_autogradgraph.graph.model import Graph, TensorRow
from sphinx_autogradgraph.runtime.result import Traced

SUFFIX = ".json"


class Snapshots:
    """The snapshots in a directory; each is named for its page and its figure."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)

    def path(self, page: str, figure: str) -> Path:
        """The file of a figure: ``PAGE.FIGURE.json``, where a page may be in a folder."""
        name = re.sub(r"[^\w.-]+", "-", figure)
        return self.directory / f"{page}.{name}{SUFFIX}"

    def read(self, path: Path) -> Traced | None:
        """The snapshot in a file, None if there is none.

        Raises :exc:`ValueError` when what is there is no snapshot.
        """
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ValueError(error.strerror or type(error).__name__) from None
        document = codec.decode(text)
        return Traced(Graph.of_records(document.records()), document.tensors)

    def write(self, path: Path, traced: Traced) -> None:
        """Keep what was traced in a file; :exc:`OSError` if that cannot be written."""
        write_aside(path, snapshot_text(traced).encode())

    def orphans(self, wanted: Iterable[Path]) -> list[Path]:
        """The snapshots of no figure: those that are not among the wanted files."""
        return sorted(set(self.directory.rglob(f"*{SUFFIX}")) - set(wanted))


def snapshot_text(traced: Traced) -> str:
    """The text of a snapshot: the Graph's canonical JSON, and the rows of the tensors table."""
    graph = traced.graph.structure()
    return codec.encode(graph, graph.chain, _rows(traced))


def _rows(traced: Traced) -> tuple[TensorRow, ...]:
    """The rows of the tensors table without what a backward leaves on tensors."""
    return tuple(row.replace(retains_grad=False, grad=None) for row in traced.tensors)


def drift(kept: Traced, traced: Traced, translate: Translate = untranslated) -> list[str]:
    """How what was traced differs from what is kept, in words; nothing if it does not."""
    found = differences(kept.graph, traced.graph, translate)
    if not found and kept.tensors != _rows(traced):
        before = {row.name: row for row in kept.tensors}
        after = {row.name: row for row in _rows(traced)}
        changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        if changed:
            text = translate("table of tensors: {names} changed")
            found = [text.format(names=", ".join(changed))]
    return found
