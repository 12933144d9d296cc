"""The Program: ordered blocks of code, where each came from, and the targets to trace.

A Program is all that the worker needs to know, as plain data.  The module imports neither torch
nor sphinx and runs nothing.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import Message, not_utf8
from sphinx_autogradgraph.graph.model import EXTRAS, Extra


@dataclass(frozen=True)
class Block:
    """A piece of code and its place in the author's text.

    ``file`` is the name that people read (see :func:`display_path`) and ``path`` the file on this
    machine; ``line`` is that of the first line of ``code`` in it, from 1.
    """

    code: str
    file: str
    path: str
    line: int = 1


@dataclass(frozen=True)
class Target:
    """A target: what to trace, and after which block of the program.

    It is traced after the first ``after`` blocks have run.
    ``expressions`` are evaluated in the program's namespace.  ``member`` names something in that
    namespace instead, called first if it is callable without arguments.  With neither, the
    program's last value is traced: that of the last expression statement if it holds a tensor,
    else what the last assignment bound.  ``extras`` are what the Graph is to
    hold besides its structure.  ``tensors`` and ``parameters`` ask for a row on each tensor or
    parameter that the program has, ``explain`` for words on why each is in the graph or not.
    """

    after: int
    expressions: tuple[str, ...] = ()
    member: str | None = None
    extras: tuple[Extra, ...] = ()
    tensors: bool = False
    parameters: bool = False
    explain: bool = False


def extras_of(show: Collection[str]) -> tuple[Extra, ...]:
    """Return the extra data that a Graph needs for these words of ``show``.

    Formulas want what was saved, too: it tells which box ``self`` is.
    """
    wanted = {*show, "saved"} if "formulas" in show else set(show)
    return tuple(extra for extra in EXTRAS if extra in wanted)


@dataclass(frozen=True)
class Program:
    """Blocks that run in one namespace, in order, and the targets traced along the way.

    ``directory`` becomes the working directory and the first entry of ``sys.path``, before
    ``path``.  ``module`` is the ``__name__`` that the code sees.  ``import_module`` names a module
    whose namespace is used in place of running blocks.  ``timeout`` is in seconds, ``memory`` in
    MiB, on top of what a process with torch has.  ``root`` is
    the directory against which the author's other files are named in messages.  ``raises`` names
    the exception that the last block is expected to raise.
    """

    blocks: tuple[Block, ...]
    targets: tuple[Target, ...]
    directory: str
    root: str
    path: tuple[str, ...] = ()
    module: str = "__main__"
    import_module: str | None = None
    seed: int = 0
    timeout: float = 60.0
    memory: int | None = None
    raises: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the program as plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Program:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            **{
                **data,
                "blocks": tuple(Block(**block) for block in data["blocks"]),
                "targets": tuple(
                    Target(
                        **{
                            **target,
                            "expressions": tuple(target["expressions"]),
                            "extras": tuple(target["extras"]),
                        }
                    )
                    for target in data["targets"]
                ),
                "path": tuple(data["path"]),
            }
        )


def display_path(path: str | os.PathLike[str], root: str | os.PathLike[str]) -> str:
    """Return the name of a file for readers: relative to ``root``, with ``/``, never absolute.

    A file beside the root is named from the directory that both share (``examples/linreg.py``
    for a root ``docs``), so that no message, page or snapshot tells where on the build machine
    the project stands.  Files that share no more than a top-level directory are named alone.
    """
    return _display_path(os.path.abspath(path), os.path.abspath(root))


@lru_cache(maxsize=4_096)  # asked for each node of a graph
def _display_path(path: str, root: str) -> str:
    file, top = Path(path), Path(root)
    if top in file.parents and len(top.parts) > 1:
        return file.relative_to(top).as_posix()
    common = shared_directory(path, root)
    return file.name if common is None else file.relative_to(common).as_posix()


def blocks_of_files(names: Iterable[str], root: str) -> list[Block]:
    """Return as blocks the files that :func:`display_path` names so, of those that can be read.

    The names may be anybody's: only files beside or below ``root`` are read.
    """
    found = []
    for name in dict.fromkeys(names):
        for directory in (root, *map(str, Path(root).parents)):
            path = os.path.normpath(os.path.join(directory, name))
            if shared_directory(path, root) is not None and display_path(path, root) == name:
                with contextlib.suppress(DiagnosticError, ValueError):
                    found.append(read_block(path, root))
    return found


def shared_directory(path: str | os.PathLike[str], root: str | os.PathLike[str]) -> str | None:
    """Return the directory that two paths share; None if it is only one of the system's."""
    try:
        common = os.path.commonpath([os.path.abspath(path), os.path.abspath(root)])
    except ValueError:  # another drive on Windows
        return None
    parts = Path(common).parts
    # A project may stand in a directory of its own at the top, as containers have it.
    own = len(parts) > 2 or (len(parts) == 2 and parts[1] not in _OF_THE_SYSTEM)
    return common if own else None


_OF_THE_SYSTEM = frozenset({
    "Applications", "Library", "System", "Users", "Volumes", "Windows", "bin", "boot", "dev", "etc",
    "home", "lib", "lib64", "media", "mnt", "opt", "private", "proc", "root", "run", "sbin", "srv",
    "sys", "tmp", "usr", "var",
})  # fmt: skip
"""Top-level directories whose contents are unrelated, so that sharing one means nothing."""


@dataclass(frozen=True)
class Reference:
    """A parsed REFERENCE of the directive: a file or a module, and a name in it."""

    file: str | None = None
    module: str | None = None
    member: str | None = None


_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def parse_reference(text: str) -> Reference:
    """Parse ``path/to/file.py``, ``path/to/file.py:name`` or ``package.module:name``.

    Raises :exc:`.DiagnosticError` (``reference``) for anything else.
    """
    before, colon, member = text.strip().rpartition(":")
    if not colon:
        before, member = text.strip(), ""
    if before.endswith(".py") and (not colon or _DOTTED.fullmatch(member)):
        return Reference(file=before, member=member or None)
    if text.strip().endswith(".py"):  # a colon in the path itself: C:\x.py
        return Reference(file=text.strip())
    if colon and _DOTTED.fullmatch(before) and _DOTTED.fullmatch(member):
        return Reference(module=before, member=member)
    raise DiagnosticError(
        Diagnostic(
            "reference",
            "{reference} is no reference; write path/to/file.py, path/to/file.py:name or "
            "package.module:name",
            {"reference": repr(text.strip())},
        )
    )


def find_module(name: str, path: Sequence[str]) -> str | None:
    """Return the source file of a module, found on ``path`` without running code of its packages.

    None where there is none, and for modules that only an import hook can find.
    """
    places: Sequence[str] | None = path
    spec = None
    for part in range(1, name.count(".") + 2):
        if places is None:
            return None
        spec = PathFinder.find_spec(".".join(name.split(".")[:part]), places)
        if spec is None:
            return None
        places = spec.submodule_search_locations
    return spec.origin if spec is not None and spec.has_location else None


MAX_BYTES = 10 * 2**20
"""Size, in bytes, above which a file is taken for a mistake and not for a program."""


def read_block(path: str, root: str) -> Block:
    """Return a whole Python file as a block.

    Raises :exc:`.DiagnosticError` (``reference``) for a file that cannot be read as one.
    """
    file = display_path(path, root)

    def diagnostic(message: Message) -> DiagnosticError:
        return DiagnosticError(
            Diagnostic("reference", message.text, {"file": file, **message.values})
        )

    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting
            reason: str | Message = Message("it is no regular file")
            raise diagnostic(Message("{file} cannot be read: {reason}", {"reason": reason}))
        if status.st_size > MAX_BYTES:
            most = str(MAX_BYTES // 2**20)
            raise diagnostic(Message("{file} has more than {most} MiB", {"most": most}))
        text = Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise diagnostic(Message("there is no file {file}")) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise diagnostic(Message("{file} cannot be read: {reason}", {"reason": reason})) from None
    except UnicodeDecodeError as error:
        raise diagnostic(not_utf8(file, error)) from None
    return Block(code=text.replace("\r\n", "\n").replace("\r", "\n"), file=file, path=path)


def referenced(base: Program, reference: Reference, path: str) -> Program:
    """Return ``base``, a program of one target, with the code that a reference names.

    ``path`` is where the reference's file is, if it names one.  Raises what :func:`read_block`
    raises.
    """
    (target,) = base.targets
    target = replace(target, member=reference.member)
    if reference.file is None:
        return replace(base, targets=(replace(target, after=0),), import_module=reference.module)
    return replace(
        base,
        blocks=(read_block(path, base.root),),
        targets=(replace(target, after=1),),
        directory=os.path.dirname(path),
        module=Path(path).stem,
    )


def split_expressions(text: str) -> tuple[str, ...]:
    """Return the expressions of ``:tensor:``, split at top-level commas.

    Raises :exc:`.DiagnosticError` (``option``) when they do not parse.
    """
    source = " ".join(text.split("\n")).strip()
    try:
        # As the elements of a list, a parenthesised tuple stays one expression; parsed alone
        # first, because "a], [b" would pass inside of brackets too.
        ast.parse(source)
        tree = ast.parse(f"[{source}]", mode="eval").body
        if not isinstance(tree, ast.List):
            raise SyntaxError("not a list of expressions")
        found = [ast.get_source_segment(f"[{source}]", element) for element in tree.elts]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason: str | Message = error.msg if isinstance(error, SyntaxError) else str(error)
        if isinstance(error, (RecursionError, MemoryError)):  # what Python's parser raises then
            reason = Message("it is too long or nested too deeply")
        raise DiagnosticError(
            Diagnostic(
                "option",
                ":tensor: {text} does not parse as an expression: {reason}",
                {"text": f"{text!r:.200}", "reason": reason},
            )
        ) from None
    expressions = tuple(segment for segment in found if segment)
    if not expressions:
        raise DiagnosticError(Diagnostic("option", ":tensor: names nothing to draw"))
    return expressions
