"""Observer of a running program, which records everything that its result depends on.

Python reports each file that is opened, through an audit hook.  Finders and loaders of this module
report where they searched for modules and what they read.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from itertools import takewhile
from types import ModuleType
from typing import AnyStr

from sphinx_autogradgraph.program.author_files import LOADERS, is_authors
from sphinx_autogradgraph.program.observations import (
    Kind,
    Observation,
    content,
    digest_of,
    listing,
    module_of,
    package,
    variable,
)
from sphinx_autogradgraph.program.program import Program

PROJECT_MARKS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg")
"""Files that mark the root of a project, of which the documentation may be a part."""

_ENVIRONMENT = ("os", "collections.abc", "_collections_abc", "posixpath", "ntpath")
"""The modules through which code reads environment variables; their frames are skipped."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


def project_directory(root: str) -> str:
    """Return the directory of the project that the documentation at ``root`` belongs to."""
    home = os.path.expanduser("~")
    directory = os.path.abspath(root)
    while directory not in (home, os.path.dirname(directory)):
        if any(os.path.exists(os.path.join(directory, mark)) for mark in PROJECT_MARKS):
            return directory
        directory = os.path.dirname(directory)
    return os.path.abspath(root)


class Observer:
    """Records what one program looks at, from :meth:`begin` until the process ends."""

    def __init__(self, program: Program) -> None:
        own = {project_directory(program.root), os.path.abspath(program.directory)}
        self._own = tuple(os.path.join(os.path.realpath(path), "") for path in own)
        self._blocks = {block.path for block in program.blocks}
        self._found: dict[tuple[Kind, str, str], str | None] = {}
        self._written: set[str] = set()
        # Modules stand in the order of their import.  A copy of their names would cost a fork more
        # time than all that it observes.
        self._last_before = next(reversed(sys.modules))
        self._process = os.getpid()
        self._busy = threading.local()
        # The processes that a program forks read files, too, and cannot tell us otherwise.
        scratch = os.path.dirname(os.environ["TMPDIR"])
        self._log = os.path.join(scratch, "observed.jsonl")
        self._scratch = os.path.join(os.path.realpath(scratch), "")

    def begin(self) -> None:
        """Start recording, and import modules of the author's directories from their sources."""
        finder = _Finder.path_hook(*_loaders())
        _Finder.observer = _Loader.observer = _Environment.observer = self

        def hook(path: str) -> object:
            with self.looking_away():  # it lists directories itself, the first time
                own = is_authors(os.path.abspath(path))
            if not own:
                raise ImportError("not the author's", path=path)
            if not os.path.exists(path):
                self.note("listing", os.path.abspath(path), "", None)
            return finder(path)

        sys.path_hooks.insert(0, hook)  # type: ignore[arg-type]
        sys.path_importer_cache.clear()
        # Its class is changed, for others hold the object: replacing os.environ would miss them.
        os.environ.__class__ = _Environment
        if os.supports_bytes_environ:
            os.environb.__class__ = _Environment
        sys.addaudithook(self._audit)

    def note(self, kind: Kind, path: str, name: str, value: str | None) -> None:
        """Record a value, unless there is one: the program has seen the first."""
        self._found.setdefault((kind, path, name), value)
        if os.getpid() != self._process:
            line = json.dumps([kind, path, name, value]) + "\n"
            handle = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line.encode())
            finally:
                os.close(handle)

    @contextlib.contextmanager
    def looking_away(self) -> Iterator[None]:
        """Suspend recording in this thread, while it opens files for this package."""
        before = getattr(self._busy, "now", False)
        self._busy.now = True
        try:
            yield
        finally:
            self._busy.now = before

    def observed(self, but: ModuleType | None) -> tuple[Observation, ...]:
        """Return the sorted observations, with the installed packages that the program imported.

        ``but`` is the program's own module, which is no dependency.
        """
        self._busy.now = True  # what we read is not the program's
        self._read_log()
        for name in self._installed(but):
            self.note("package", "", name, package(name))
        return tuple(
            sorted(
                (
                    Observation(*key, value)
                    for key, value in self._found.items()
                    if not (key[0] == "file" and key[1] in self._written)
                ),
                key=lambda found: found[:3],
            )
        )

    def _read_log(self) -> None:
        try:
            with open(self._log, encoding="utf-8") as log:
                for line in log:
                    found = Observation.of(json.loads(line))
                    self._found.setdefault(found[:3], found.value)
        except (OSError, ValueError):  # none, or cut off
            return

    def _installed(self, but: ModuleType | None) -> Iterable[str]:
        """Return the installed packages that were imported since the beginning."""
        new = {name for name in self._imported() if isinstance(name, str) and "." not in name}
        for name in sorted(new - sys.stdlib_module_names):
            module = sys.modules.get(name)
            if module is not but and isinstance(module, ModuleType):
                spec = getattr(module, "__spec__", None)
                places = [getattr(module, "__file__", None)]
                if isinstance(spec, ModuleSpec):  # a namespace package has no file
                    places += spec.submodule_search_locations or ()
                if any(isinstance(place, str) and not is_authors(place) for place in places):
                    yield name

    def _imported(self) -> set[object]:
        """Return the keys of ``sys.modules`` since the beginning."""

        def since(names: Iterable[object]) -> set[object]:
            return set(takewhile(lambda name: name != self._last_before, names))

        try:
            return since(reversed(sys.modules))
        except RuntimeError:  # a thread of the program imports at this moment
            return since(reversed(tuple(sys.modules)))

    # --- what Python tells of ---

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if event not in ("open", "os.listdir", "os.scandir", "import"):
            return
        if getattr(self._busy, "now", False):
            return
        # Whatever the program did to Python, a fault in here is not to look like one of its own.
        with contextlib.suppress(BaseException), self.looking_away():
            if event == "open":
                self._opened(*arguments)
            elif event == "import":
                if isinstance(arguments[1], str):  # an extension module, which the system loads
                    self._read(arguments[1])
            elif self._counts(path := self._path(arguments[0])):
                self.note("listing", path, "", listing(path))

    def _opened(self, path: object, mode: object, flags: object, *_: object) -> None:
        if isinstance(path, int):
            return
        writes = isinstance(flags, int) and bool(flags & _WRITING)
        if isinstance(mode, str):
            writes = any(letter in mode for letter in "wax+")
        if writes:
            self._written.add(self._path(path))
        else:
            self._read(path)

    def _read(self, opened: object) -> None:
        path = self._path(opened)
        if path.endswith(".pyc"):
            with contextlib.suppress(ValueError):  # one without a source
                path = importlib.util.source_from_cache(path)
        if self._counts(path) and path not in self._blocks:
            self.note("file", path, "", content(path))

    @staticmethod
    def _path(path: object) -> str:
        return os.path.abspath(os.fsdecode(path if path is not None else "."))  # type: ignore[arg-type]

    def _counts(self, path: str) -> bool:
        """Whether a path belongs to the project, and not to Python or an installed package."""
        real = os.path.join(os.path.realpath(path), "")
        for own in self._own:
            if real.startswith(own):
                # What is hidden in a project belongs to tools: .git, .venv, caches.
                hidden = f"{os.sep}." in os.path.join(os.sep, real.removeprefix(own))
                return not hidden and not real.startswith(self._scratch) and is_authors(path)
        return False

    def loaded(self, path: str, data: bytes) -> None:
        """Record the source that a loader has read, since the file may have changed by now."""
        path = os.path.abspath(path)
        if path not in self._blocks:
            self._found["file", path, ""] = digest_of(data)

    def variable(self, name: str, value: str | None) -> None:
        """Record an environment variable, if it was the author's own code that read it."""
        # Above this method and that of the environment is who asks, behind Python's own frames.
        frame = sys._getframe(2)
        while frame is not None and frame.f_globals.get("__name__") in _ENVIRONMENT:
            frame = frame.f_back  # type: ignore[assignment]
        path = "" if frame is None else frame.f_code.co_filename
        if path in self._blocks or is_authors(path):
            self.note("variable", "", name, variable(value))


class _Finder(FileFinder):
    """Reports the directories in which it searched for a module, and what it found there."""

    observer: Observer

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        with self.observer.looking_away():
            spec = super().find_spec(fullname, target)
        directory, last = os.path.abspath(self.path), fullname.rpartition(".")[2]
        self.observer.note("module", directory, last, module_of(spec, directory, last))
        return spec


class _Loader(SourceFileLoader):
    """Compiles modules from source each time, and reports the source.

    A cached ``.pyc`` is told stale by time stamp and size alone: an edit within the same second
    that keeps the size would run the old code.
    """

    observer: Observer

    def path_stats(self, path: str) -> dict[str, int]:
        raise OSError(f"no byte code is kept for {path}")

    def get_data(self, path: str) -> bytes:
        with self.observer.looking_away():
            data = super().get_data(path)
        self.observer.loaded(path, data)
        return data


def _loaders() -> list[tuple[type, list[str]]]:
    return [
        (_Loader if loader is SourceFileLoader else loader, suffixes)
        for loader, suffixes in LOADERS
    ]


class _Environment(os._Environ):  # type: ignore[type-arg]
    """Reports the variables that are read, by names of text or of bytes."""

    observer: Observer

    def __getitem__(self, key: AnyStr) -> AnyStr:
        try:
            value: AnyStr = super().__getitem__(key)
        except KeyError:
            self.observer.variable(os.fsdecode(key), None)
            raise
        self.observer.variable(os.fsdecode(key), os.fsdecode(value))
        return value
