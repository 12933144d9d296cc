"""Observations: everything outside a program that its result depends on, with its value.

An observation is of one kind: the content of a file, the files that a directory holds for the
name of a module, the names in a directory, an environment variable, or an installed package.
Its value can be computed again at any time.  If it differs, the program may give another result.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping
from importlib.machinery import FileFinder, ModuleSpec
from typing import Any, Literal, NamedTuple, get_args

from sphinx_autogradgraph.program.author_files import LOADERS

Kind = Literal["file", "module", "listing", "variable", "package"]

LARGE = 64 * 2**20
"""Size, in bytes, from which a file is identified by size and time instead of its content."""


class Observation(NamedTuple):
    """A dependency of a program, and the value that it had.

    ``path`` is that of the file or directory, ``name`` that of the module, variable or package.
    ``value`` is what was found, None for nothing.
    """

    kind: Kind
    path: str
    name: str
    value: str | None

    @classmethod
    def of_file(cls, path: str) -> Observation:
        """Observe the present content of a file."""
        return cls("file", path, "", content(path))

    @classmethod
    def of(cls, data: Iterable[Any]) -> Observation:
        """Read an observation from plain data; raise :exc:`ValueError` for anything else."""
        kind, path, name, value = data
        texts = isinstance(path, str) and isinstance(name, str)
        if kind not in get_args(Kind) or not texts or not isinstance(value, (str, type(None))):
            raise ValueError(f"not an observation: {kind!r:.100}")
        return cls(kind, path, name, value)


class Present:
    """The present values of observations, each computed once for a comparison of many programs."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._known: dict[tuple[str, str, str], str | None] = {}
        self._finders: dict[str, FileFinder] = {}

    def holds(self, observations: Iterable[Observation]) -> bool:
        """Whether all observations still have their values."""
        return all(self.value(*found[:3]) == found.value for found in observations)

    def value(self, kind: Kind, path: str, name: str) -> str | None:
        """Return the present value of an observation."""
        key = (kind, path, name)
        if key not in self._known:
            self._known[key] = self._look(kind, path, name)
        return self._known[key]

    def _look(self, kind: Kind, path: str, name: str) -> str | None:
        if kind == "file":
            return content(path)
        if kind == "module":
            if path not in self._finders:
                self._finders[path] = FileFinder(path, *LOADERS)
            return module_of(self._finders[path].find_spec(name), path, name)
        if kind == "listing":
            return listing(path)
        if kind == "variable":
            return variable(self._variables.get(name))
        return package(name)


def content(path: str) -> str | None:
    """Return the digest of a file's content; None if it is no readable file."""
    try:
        status = os.stat(path)
        if not os.path.isfile(path):  # a pipe would keep us waiting
            return None
        if status.st_size > LARGE:
            return f"{status.st_size} bytes of {status.st_mtime_ns}"
        with open(path, "rb") as file:
            return digest_of(file.read())
    except (OSError, ValueError):
        return None


def digest_of(data: bytes) -> str:
    """Return the digest of bytes, in the form that :func:`content` gives."""
    return hashlib.sha256(data).hexdigest()


def module_of(spec: ModuleSpec | None, directory: str, name: str) -> str | None:
    """Return the name of the file that a directory holds for the last part of a module's name."""
    if spec is None:
        return None
    if spec.origin is not None and spec.has_location:
        return os.path.relpath(spec.origin, directory)
    return f"{name}{os.sep}"  # a namespace package, which has no file


def listing(path: str) -> str | None:
    """Return the digest of the names in a directory; None where there is none."""
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return None
    return digest_of("\0".join(names).encode("utf-8", "surrogateescape"))


def variable(value: str | None) -> str | None:
    """Return the digest of an environment variable's value, which may be a secret."""
    return None if value is None else digest_of(value.encode("utf-8", "surrogateescape"))


def package(name: str) -> str | None:
    """Return the digest of an installed package, from its installers' records of the files' hashes.

    It is the same on every machine with the same files installed.  A namespace package has the
    files of all that share it.  None where there is no record.
    """
    files = [name + suffix for _, suffixes in LOADERS for suffix in suffixes]
    for directory in dict.fromkeys(sys.path):
        try:
            entries = os.listdir(directory or ".")
        except OSError:
            continue
        if not {name, *files}.isdisjoint(entries):
            return _recorded(directory, entries, name, files)
    return None


def _recorded(
    directory: str, entries: Iterable[str], name: str, files: Iterable[str]
) -> str | None:
    """Return the digest of what the records in a directory say of a package."""
    alike = name.lower().replace("_", "-")
    infos = [entry for entry in entries if entry.endswith(".dist-info")]
    infos.sort(key=lambda entry: alike not in entry.lower().replace("_", "-"))
    beginnings = (f"{name}/", *(f"{file}," for file in files))
    found: list[str] = []
    for info in infos:
        lines = _record(os.path.join(directory, info, "RECORD"))
        own = [line for line in lines if line.startswith(beginnings)]
        found += own
        if any(line.startswith((f"{name}/__init__.", *beginnings[1:])) for line in own):
            break  # it is of one installer; others may add to packages without such a file
    if not found:
        return None
    return digest_of("\n".join(sorted(line for line in found if ",sha256=" in line)).encode())


def _record(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []
