"""The settings of a project, each declared once: in Sphinx ``autogradgraph_NAME`` of ``conf.py``,
for Markdown sites ``NAME`` in the table ``[tool.autogradgraph]`` of ``pyproject.toml``.

From these declarations come the values that Sphinx knows, the keys of ``pyproject.toml``, the
checks of both, and the table in the reference.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import MessageError
from sphinx_autogradgraph.core.show import parse_show

Engine = Literal["graphviz-pure", "dot"]
"""The layout engines: the one that comes with the package, and that of the system."""

ENGINES: tuple[Engine, ...] = get_args(Engine)

Mode = Literal["auto", "always", "never"]
"""When code runs; ``auto`` runs it where torch is installed."""

MAX_NODES = 300
"""Default number of nodes above which a graph is folded automatically."""

COLUMN = 720
"""Default width of figures, in CSS pixels."""

FIRST = "0.1"
"""The first release: settings and options are there since then, unless they say otherwise."""

FILE, TABLE = "pyproject.toml", "autogradgraph"
"""The file, and the table in it, that hold the settings of a Markdown site."""

Parse = Callable[[object], object]
"""A function that converts a value from its written form; it raises :exc:`.MessageError`."""


def text(value: object) -> str:
    """Return a value that must be a string."""
    if not isinstance(value, str):
        raise MessageError("a string is needed")
    return value


def text_of_path(value: object) -> str:
    """Return a string that the system can take for the path of a file."""
    known = text(value)
    try:
        encoded = os.fsencode(known)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise MessageError("it holds a character that no path has")
    return known


def words_of_show(value: object) -> str:
    """Return a text of known words of ``show``, as it is."""
    known = text(value)
    parse_show(known)
    return known


def choice(*choices: str) -> Parse:
    """Make a parser that accepts one of a few words."""

    def parse(value: object) -> object:
        if value not in choices:
            raise MessageError("choose from {choices}", {"choices": ", ".join(choices)})
        return value

    return parse


def number(least: float, *, above: bool = False, whole: bool = False) -> Parse:
    """Make a parser of numbers from ``least`` on, or only ``above`` it.

    Numbers may be written as texts, as ``-D`` of Sphinx gives them.
    """
    values = {"least": f"{least:g}"}
    if whole:
        otherwise = MessageError("a whole number from {least} on is needed", values)
    elif above:
        otherwise = MessageError("a number above {least} is needed", values)
    else:
        otherwise = MessageError("a number from {least} on is needed", values)

    def parse(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise otherwise
        try:
            found = float(value)
        except (ValueError, OverflowError):
            raise otherwise from None
        if not math.isfinite(found) or found < least or (above and found == least):
            raise otherwise
        if whole and found != int(found):
            raise otherwise
        return int(found) if found == int(found) else found

    return parse


def texts(value: object) -> list[str]:
    """Return a list of strings, also from one with commas, as ``-D`` of Sphinx gives it."""
    items = [item.strip() for item in value.split(",")] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise MessageError("a list of strings is needed")
    return list(items)


def yes_or_no(value: object) -> bool:
    """Return a value that must be true or false."""
    if not isinstance(value, bool):
        raise MessageError("choose from {choices}", {"choices": "true, false"})
    return value


def or_none(parse: Parse) -> Parse:
    """Make a parser that accepts None as well as what ``parse`` accepts."""
    return lambda value: None if value is None else parse(value)


Rebuild = Literal["env", ""]
"""The effect of a changed setting in Sphinx: read every document again, or nothing."""


def setting(
    default: Any, parse: Parse, help: str, rebuild: Rebuild = "", *, since: str = FIRST
) -> Any:
    """Declare a setting; ``help`` is in reStructuredText, ``since`` the release that brought it."""
    metadata = {"parse": parse, "help": help, "rebuild": rebuild, "since": since}
    if isinstance(default, list):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """The settings of a project.  Paths are relative to the file that sets them."""

    show: str = setting(
        "shape", words_of_show, "The words of ``:show:`` where an author gives none.", "env"
    )
    layout: Engine = setting(
        ENGINES[0],
        choice(*ENGINES),
        'The layout engine: ``"graphviz-pure"``, which comes with the package and draws the same '
        'everywhere, or ``"dot"``, that of a Graphviz installed on the system.',
        "env",
    )
    execution: Mode = setting(
        "auto",
        choice(*get_args(Mode)),
        '``"auto"`` runs code where torch is installed and else draws from snapshots; '
        '``"always"`` runs it; ``"never"`` does not.',
        "env",
    )
    snapshots: str | None = setting(
        None, or_none(text_of_path), "The directory of the snapshots.  See :doc:`in-sync`.", "env"
    )
    max_nodes: int = setting(
        MAX_NODES,
        number(1, whole=True),
        "A graph with more nodes folds by itself.  See :doc:`large-models`.",
        "env",
    )
    column: float = setting(
        COLUMN,
        number(0, above=True),
        "The width of the column of text, in CSS pixels.  A drawing that is wider has its labels "
        "on two lines, then shrinks to three quarters, then scrolls.",
        "env",
    )
    cache: str | None = setting(
        None,
        or_none(text_of_path),
        "The directory of the cache; by default in that of the doctrees, for Markdown sites "
        "``.cache/autogradgraph``.",
    )
    timeout: float = setting(60, number(0, above=True), "How many seconds a program may take.")
    memory: int | None = setting(
        None, or_none(number(1, whole=True)), "How many MiB a program may take, on Linux."
    )
    environment: list[str] | None = setting(
        None,
        or_none(texts),
        "The names of the environment variables that programs may see, besides those that any "
        "program needs; ``None`` for all.  See :doc:`security`.",
    )
    layout_timeout: float = setting(
        30,
        number(0, above=True),
        "How many seconds the layout of one graph may take.  What takes longer is folded further, "
        "with a warning.",
    )
    linger: float = setting(
        0,
        number(0),
        "For how many seconds the process that has imported torch stays after a build, on Linux.  "
        "The next build of the project in that time does not import torch again: for "
        "``sphinx-autobuild``, an editor's rebuild on save, ``mkdocs serve``.  Another torch, "
        "package, environment variable, ``sys.path`` or setting means another process.  It can be "
        "reached by the user alone, through a socket in a directory of mode 0700 under "
        "``$XDG_RUNTIME_DIR`` (else that for temporary files); ``autogradgraph stop`` ends all of "
        "yours, ``autogradgraph stop DOCS`` those of one project.",
    )
    path: list[str] = setting(
        ["."],
        texts,
        "The directories in which programs find modules; only in ``pyproject.toml``: for Sphinx "
        "they are those of ``sys.path`` in ``conf.py``.",
    )
    strict: bool = setting(
        False,
        yes_or_no,
        "Whether a warning ends the build; only in ``pyproject.toml``: Sphinx has ``-W``.",
    )


SETTINGS: Mapping[str, Field[Any]] = {item.name: item for item in fields(Settings)}
"""The declarations of the settings, by name."""

NOT_FOR_SPHINX = frozenset({"path", "strict"})
"""Settings that are not registered with Sphinx, which has its own ways for them."""


def default_of(declared: Field[Any]) -> Any:
    """Return the default of a setting."""
    return getattr(Settings(), declared.name)


def read_settings(root: Path) -> Settings:
    """Return the settings in the ``pyproject.toml`` of a project; the defaults where there is none.

    Raises :exc:`.DiagnosticError` (``option``) for an invalid file, setting or value.
    """
    found: dict[str, Any] = {}
    for name, value in _table(root).items():
        if name not in SETTINGS:
            diagnostic = Diagnostic(
                "option",
                "[tool.autogradgraph] of pyproject.toml: unknown setting {name}; the settings are "
                "{choices}",
                {"name": name, "choices": ", ".join(SETTINGS)},
            )
            raise DiagnosticError(diagnostic)
        try:
            found[name] = SETTINGS[name].metadata["parse"](value)
        except MessageError as error:
            diagnostic = Diagnostic(
                "option",
                "[tool.autogradgraph] of pyproject.toml: {name} cannot be {value}: {reason}",
                {"name": name, "value": f"{value!r:.80}", "reason": error.message},
            )
            raise DiagnosticError(diagnostic) from None
    return Settings(**found)


def _table(root: Path) -> Mapping[str, object]:
    """Return the table of this package's settings; empty where there is none."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        data = tomllib.loads((root / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        values = {"file": FILE, "reason": str(error).replace(str(root), ".")}
        diagnostic = Diagnostic("option", "{file} cannot be read: {reason}", values)
        raise DiagnosticError(diagnostic) from None
    tools = data.get("tool", {})
    table = tools.get(TABLE, {}) if isinstance(tools, dict) else None
    if not isinstance(table, dict):
        diagnostic = Diagnostic(
            "option", "{file}: [tool.autogradgraph] is not a table", {"file": FILE}
        )
        raise DiagnosticError(diagnostic)
    return table
