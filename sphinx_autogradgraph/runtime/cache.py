"""Cache of the results of programs, by content, so that nothing runs twice.

The key of an entry is a digest of the program.  The entry also records, by digests, everything
that the program looked at when it ran.  Failures are never kept.  An entry that cannot be read,
or is not valid, is a miss.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sphinx_autogradgraph.core.atomic_files import write_aside
from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.program.author_files import is_authors
from sphinx_autogradgraph.program.installed import flags, versions
from sphinx_autogradgraph.program.observations import Observation, Present
from sphinx_autogradgraph.program.program import Program, shared_directory
from sphinx_autogradgraph.runtime.result import Result
from sphinx_autogradgraph.runtime.worker_command import environment as environment_of

FORMAT = 3
"""Version of the entries, and of what their keys are made of."""

MAX_BYTES = 256 * 1024 * 1024
"""Size of the whole cache, in bytes, above which the least recently used entries are dropped."""


MAX_ENTRY = 256 * 1024 * 1024
"""Maximum size of an unpacked entry, in bytes: a forged one may be a decompression bomb."""

_ENTRY = re.compile(r"[0-9a-f]{64}\.json\.gz")
"""Name of an entry: its key.  The directory may hold other files."""


class Cache:
    """The results of programs, in a directory that several builds may use at the same time."""

    def __init__(
        self, directory: str | os.PathLike[str], environment: Sequence[str] | None = None
    ) -> None:
        self.directory = Path(directory)
        self._named = environment

    def present(self) -> Present:
        """Return a view of the present state, to share among the look-ups of many programs."""
        return Present(environment_of(self._named))

    def _key(self, program: Program) -> str:
        return key_of(program, {name: os.environ.get(name) for name in self._named or ()})

    def get(self, program: Program, present: Present | None = None) -> Result | None:
        """Return the cached result of a program, if all that it looked at is unchanged.

        ``present`` is the present state; share one when many programs are looked up.
        """
        present = present or self.present()
        key = self._key(program)
        path = self._path(key)
        try:
            if not path.is_file():  # a pipe would keep us waiting
                return None
            entry = json.loads(_unpacked(path.read_bytes()))
            if entry["format"] != FORMAT or entry["key"] != key:
                return None
            observed = [_moved(Observation.of(found), program) for found in entry["observed"]]
            if not present.holds(observed):
                return None
            result = Result.from_dict({**entry["result"], "observed": observed})
            if len(result.targets) != len(program.targets):
                return None
        except (
            OSError, EOFError, ValueError, KeyError, TypeError, AttributeError,
            zlib.error, RecursionError, MemoryError,
        ):  # fmt: skip
            return None
        with suppress(OSError):  # a cache that is read only serves all the same
            os.utime(path)  # so that what is used is not dropped
        return result

    def put(self, program: Program, result: Result) -> None:
        """Keep a result, unless anything in it failed.  :exc:`OSError` if it cannot be written."""
        if any(isinstance(target, Diagnostic) for target in result.targets):
            return
        key = self._key(program)
        data = result.to_dict()
        del data["observed"], data["tracing"]
        observed = [_relative(found, program) for found in result.observed]
        entry = {"format": FORMAT, "key": key, "observed": observed, "result": data}
        packed = gzip.compress(json.dumps(entry).encode(), compresslevel=1, mtime=0)
        write_aside(self._path(key), packed)

    def is_empty(self) -> bool:
        """Whether the cache is empty."""
        return next(self._entries(), None) is None

    def prune(self, most: int = MAX_BYTES) -> None:
        """Drop the entries that were not used for longest until ``most`` bytes are left."""
        found = []
        for path in self._entries():
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

    def _entries(self) -> Iterator[Path]:
        """Yield the files of the directory that are entries."""
        for path in self.directory.glob("??/*.json.gz"):
            if _ENTRY.fullmatch(path.name) and path.parent.name == path.name[:2]:
                yield path

    def _path(self, key: str) -> Path:
        return self.directory / key[:2] / f"{key}.json.gz"


def _unpacked(data: bytes) -> bytes:
    """Return the text of an entry; raise :exc:`ValueError` if it is too large when unpacked."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # of gzip
    text = unpacker.decompress(data, MAX_ENTRY)
    if not unpacker.eof:
        raise ValueError("too large, or cut off")
    return text


def key_of(program: Program, variables: Mapping[str, str | None] | None = None) -> str:
    """Return the key of a program: a digest of all that decides its result, but for observations.

    No absolute path of the project is in it, so that another checkout, as that of CI, has the same.
    ``variables`` are those of the environment that the settings name.
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
        os.path.relpath(path, program.root) if shared_directory(path, program.root) else path
        for path in program.path
        if is_authors(path) and not path.startswith((sys.prefix, sys.base_prefix))
    ]
    data["variables"] = dict(variables or {})
    data["flags"] = flags()
    data["versions"] = [FORMAT, *versions()]
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _relative(found: Observation, program: Program) -> Observation:
    """Return the observation with its path relative to the root, as another checkout has it."""
    return found._replace(path=os.path.relpath(found.path, program.root)) if found.path else found


def _moved(found: Observation, program: Program) -> Observation:
    """Return the observation with its path on this machine."""
    path = os.path.normpath(os.path.join(program.root, found.path))
    return found._replace(path=path) if found.path else found
