"""The cache: Program → Result by content, so that nothing runs that has run before.

The key of an entry is what the program says; in the entry stand the contents of the author's
modules that it imported when it ran, by their digests.  Failures are never kept.  An entry that
cannot be read, or is not what it should be, is a miss.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import json
import os
import platform
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from sphinx_autogradgraph.core.atomic_files import digest, write_aside
from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.program.author_files import is_authors
from sphinx_autogradgraph.program.program import Program, shared_directory
from sphinx_autogradgraph.runtime.result import Result

FORMAT = 1
"""The version of the entries and of what their keys are made of."""

MAX_BYTES = 256 * 1024 * 1024
"""The oldest entries are dropped when all together take more than this."""


MAX_ENTRY = 1024 * 1024 * 1024
"""More than this is not unpacked: an entry that somebody made up may be a bomb."""


class Cache:
    """The results of programs, in a directory that several builds may use at once."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)

    def get(self, program: Program) -> Result | None:
        """The result of a program that has run before, with all that it imported as it was."""
        key = key_of(program)
        path = self._path(key)
        try:
            if not path.is_file():  # a pipe would keep us waiting
                return None
            entry = json.loads(_unpacked(path.read_bytes()))
            if entry["format"] != FORMAT or entry["key"] != key:
                return None
            files = {_absolute(name, program): value for name, value in entry["files"].items()}
            if any(digest(file) != value for file, value in files.items()):
                return None
            result = Result.from_dict({**entry["result"], "files": list(files)})
            if len(result.targets) != len(program.targets):
                return None
        except (
            OSError, EOFError, ValueError, KeyError, TypeError, AttributeError,
            zlib.error, RecursionError,
        ):  # fmt: skip
            return None
        with suppress(OSError):  # a cache that is read only serves all the same
            os.utime(path)  # so that what is used is not dropped
        return result

    def put(self, program: Program, result: Result) -> None:
        """Keep a result, unless anything in it failed.  :exc:`OSError` if it cannot be written."""
        if any(isinstance(target, Diagnostic) for target in result.targets):
            return
        key = key_of(program)
        files = {_relative(file, program): digest(file) for file in result.files}
        entry = {"format": FORMAT, "key": key, "files": files, "result": result.to_dict()}
        del entry["result"]["files"]  # type: ignore[attr-defined]
        data = gzip.compress(json.dumps(entry).encode(), compresslevel=1, mtime=0)
        write_aside(self._path(key), data)

    def is_empty(self) -> bool:
        """Whether nothing is remembered at all."""
        return next(self.directory.glob("*/*.json.gz"), None) is None

    def prune(self, most: int = MAX_BYTES) -> None:
        """Drop the entries that were not used for longest until ``most`` bytes are left."""
        found = []
        for path in self.directory.glob("*/*.json.gz"):
            try:
                status = path.stat()
            except OSError:  # another build was faster
                continue
            found.append((status.st_mtime, status.st_size, path))
        left = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if left <= most:
                return
            with suppress(OSError):  # gone by another build's hand, or read only
                path.unlink()
                left -= size

    def _path(self, key: str) -> Path:
        return self.directory / key[:2] / f"{key}.json.gz"


def _unpacked(data: bytes) -> bytes:
    """Return the text of an entry; :exc:`ValueError` for one that unpacks to far too much."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # of gzip
    text = unpacker.decompress(data, MAX_ENTRY)
    if not unpacker.eof:
        raise ValueError("too large, or cut off")
    return text


def key_of(program: Program) -> str:
    """The key of a program: a digest of all that decides its result, but for what it imports.

    No absolute path is in it, so that another checkout, as that of CI, has the same.
    """
    data: dict[str, Any] = program.to_dict()
    for name in ("directory", "root", "path", "timeout", "memory"):
        del data[name]
    for block in data["blocks"]:
        del block["path"]
    data["directory"] = os.path.relpath(program.directory, program.root)
    # Where the author's modules are looked for, in the project; the contents of those that are
    # found are in the entry.
    data["path"] = [
        os.path.relpath(path, program.root)
        for path in program.path
        if is_authors(path) and shared_directory(path, program.root)
    ]
    data["versions"] = [FORMAT, *versions()]
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


@cache
def versions() -> tuple[str, ...]:
    """What else decides: the versions of Python, of torch and of this package."""
    found = [platform.python_version()]
    for name in ("torch", "sphinx-autogradgraph"):
        try:
            found.append(importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            found.append("")
    return tuple(found)


def _relative(path: str, program: Program) -> str:
    return os.path.relpath(path, program.root)


def _absolute(path: str, program: Program) -> str:
    return os.path.normpath(os.path.join(program.root, path))
