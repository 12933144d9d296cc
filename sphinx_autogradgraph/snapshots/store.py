"""Snapshots: the graphs of a project's figures as files that are kept with its sources."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sphinx_autogradgraph.core.atomic_files import write_aside
from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.graph import codec
from sphinx_autogradgraph.graph.diff import differences
from sphinx_autogradgraph.graph.model import Graph, TensorRow
from sphinx_autogradgraph.program.installed import installed
from sphinx_autogradgraph.runtime.result import Traced

SUFFIX = ".json"

MAX_BYTES = 256 * 1024 * 1024
"""A larger file is no snapshot."""

_BEGINNING = re.compile(r'\s*\{\s*"version"\s*:\s*(\d+)\s*,\s*"outputs"\s*:\s*\[')
"""Beginning of a snapshot of any version; hardly any other file begins so."""


class SnapshotError(ValueError):
    """Raised for a file that is no snapshot, or that cannot be trusted.

    A ``foreign`` file was not written by this package, so it must not be overwritten.
    """

    def __init__(self, reason: str, *, foreign: bool = False) -> None:
        super().__init__(reason)
        self.foreign = foreign


@dataclass(frozen=True)
class Snapshot:
    """A stored graph, with what is not compared: the torch that made it, and its project."""

    traced: Traced
    torch: str | None = None
    project: str | None = None


class Snapshots:
    """The snapshots in a directory; each is named for its page and its figure.

    ``project`` is the directory of the pages.  Several projects may share a directory: each
    snapshot says whose it is.
    """

    def __init__(
        self, directory: str | os.PathLike[str], project: str | os.PathLike[str] | None = None
    ) -> None:
        self.directory = Path(directory)
        self.project = None if project is None else Path(project)

    def path(self, page: str, figure: str) -> Path:
        """Return the file of a figure: ``PAGE.FIGURE.json``, where a page may be in a folder."""
        return self.directory / f"{page}.{figure}{SUFFIX}"

    def read(self, path: Path) -> Traced | None:
        """Read the graph of a file, None if there is none; see :meth:`load` for errors."""
        snapshot = self.load(path)
        return None if snapshot is None else snapshot.traced

    def load(self, path: Path) -> Snapshot | None:
        """Read a snapshot file, None if there is none.

        Raises :exc:`SnapshotError` for a file that is no snapshot, or is that of another project.
        """
        text = self._text(path)
        if text is None:
            return None
        begins = _BEGINNING.match(text)
        if begins is not None and int(begins[1]) > codec.VERSION:
            raise SnapshotError("it is of a newer version of sphinx-autogradgraph", foreign=True)
        try:
            document = codec.decode(text)
        except codec.GraphFormatError as error:
            raise SnapshotError(str(error), foreign=not codec.may_be_damaged(text)) from None
        graph = Graph.of_records(document.records())
        # Only views have folds and members; the structure of a graph leaves members in.
        is_view = any(node.kind == "module" or node.members for node in graph.nodes)
        if is_view or graph != graph.structure():
            raise SnapshotError("it holds what no snapshot does: values, gradients, or a view")
        if self._of_others(document.project):
            raise SnapshotError(f"it belongs to the project {document.project}", foreign=True)
        return Snapshot(Traced(graph, document.tensors), document.torch, document.project)

    def write(self, path: Path, traced: Traced) -> None:
        """Write what was traced to a file.

        Raises :exc:`OSError` if that cannot be written, and :exc:`SnapshotError` for a file that
        this package did not write and so must not overwrite.
        """
        try:
            self.load(path)
        except SnapshotError as error:
            if error.foreign:
                raise
        write_aside(path, snapshot_text(traced, installed("torch"), self._key()).encode())

    def orphans(self, wanted: Iterable[Path], of_page: Callable[[str], bool]) -> list[Path]:
        """Find the orphaned snapshots: files of this project that are not among the wanted ones.

        ``of_page`` tells whether a page may have orphans.  A file that does not name this project
        is never among them: it may be a graph that somebody drew, or one of a test suite.
        """
        keep = {os.path.normcase(path) for path in wanted}
        return [
            path
            for path in self._files()
            if os.path.normcase(path) not in keep
            and all(map(of_page, self._pages(path)))
            and self._is_ours(path)
        ]

    def _files(self) -> Iterator[Path]:
        """Yield the files that are named like snapshots; links are not followed."""
        for folder, folders, files in os.walk(self.directory):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if name.endswith(SUFFIX) and "." in name.removesuffix(SUFFIX):
                    yield Path(folder, name)

    def _pages(self, path: Path) -> Iterator[str]:
        """Return the pages to which a snapshot may belong, judged by its file name."""
        parts = path.relative_to(self.directory).as_posix().removesuffix(SUFFIX).split(".")
        for end in range(1, len(parts)):
            yield ".".join(parts[:end])

    def _is_ours(self, path: Path) -> bool:
        try:
            snapshot = self.load(path)
        except SnapshotError:
            return False
        names_a_project = snapshot is not None and snapshot.project is not None
        return names_a_project and self._key() is not None

    def _key(self) -> str | None:
        """Return the project's key: the path from the directory of snapshots to its pages."""
        if self.project is None:
            return None
        try:
            return Path(os.path.relpath(self.project, self.directory)).as_posix()
        except ValueError:  # on another drive of Windows
            return None

    def _of_others(self, key: str | None) -> bool:
        """Whether a snapshot belongs to another project that still exists."""
        if key is None or self.project is None or key == self._key():
            return False
        other = Path(os.path.normpath(self.directory / key))
        return other.is_dir() and not other.samefile(self.project)

    def _text(self, path: Path) -> str | None:
        """Read a file, None if there is none; links out of the directory are not followed."""
        try:
            if not path.resolve().is_relative_to(self.directory.resolve()):
                raise SnapshotError("it is a link out of the directory", foreign=True)
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise SnapshotError("it is not a regular file", foreign=True)
            if status.st_size > MAX_BYTES:
                raise SnapshotError("it is too large for a snapshot", foreign=True)
            return path.read_text("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise SnapshotError("it is not a text", foreign=True) from None
        except (OSError, RuntimeError) as error:  # RuntimeError: links that go round in a circle
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise SnapshotError(reason, foreign=True) from None


def snapshot_text(traced: Traced, torch: str | None = None, project: str | None = None) -> str:
    """Return the text of a snapshot: the Graph's canonical JSON, and rows of the tensors table.

    At its end stands what is not compared: the torch that made it, and the project's key.
    """
    graph = traced.graph.structure()
    return codec.encode(graph, graph.chain, _rows(traced), torch, project)


def _rows(traced: Traced) -> tuple[TensorRow, ...]:
    """Return the rows of the tensors table without what a backward leaves on tensors."""
    return tuple(row.replace(retains_grad=False, grad=None) for row in traced.tensors)


def drift(kept: Traced, traced: Traced, translate: Translate = untranslated) -> list[str]:
    """Describe how a trace differs from its snapshot, in words; empty if it does not."""
    found = differences(kept.graph, traced.graph, translate)
    if not found and kept.tensors != _rows(traced):
        before = {row.name: row for row in kept.tensors}
        after = {row.name: row for row in _rows(traced)}
        changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        if changed:
            text = translate("table of tensors: {names} changed")
            found = [text.format(names=", ".join(changed))]
    return found
