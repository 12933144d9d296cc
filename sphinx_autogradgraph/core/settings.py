"""What a project may set: for Sphinx in ``conf.py``, for Markdown sites in ``pyproject.toml``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError

Engine = Literal["graphviz-pure", "dot"]
"""The layout engines: the one that comes with the package, and that of the system."""

ENGINES: tuple[Engine, ...] = get_args(Engine)

Mode = Literal["auto", "always", "never"]
"""Whether code runs; ``auto``: where torch is installed."""

MAX_NODES = 300
"""A graph with more nodes than this folds by itself."""

COLUMN = 720
"""The width, in CSS pixels, that figures are made for."""

FILE, TABLE = "pyproject.toml", "autogradgraph"
"""Where a Markdown site has its settings: the table ``[tool.autogradgraph]`` of that file."""


@dataclass(frozen=True)
class Settings:
    """The settings of a project.  Paths are relative to the file that sets them.

    - ``show``: what ``:show:`` is where an author does not say.
    - ``layout``: the layout engine, ``"graphviz-pure"`` or ``"dot"``.
    - ``execution``: ``"auto"`` runs code where torch is installed and else draws from snapshots,
      ``"always"`` runs it, ``"never"`` does not.
    - ``snapshots``: the directory of the snapshots; None keeps none.
    - ``cache``: the directory of the cache; None for the host's own place.
    - ``max_nodes``: a graph with more nodes folds by itself.
    - ``memory``: MiB that a program may take; None for no limit.
    - ``environment``: the names of environment variables that programs may see besides those that
      any needs; None for all.
    - ``timeout``: seconds that a program may take.
    - ``layout_timeout``: seconds that the layout of a graph may take.
    - ``linger``: seconds for which the worker, which has torch, stays for the next build; 0: it
      ends with this one.
    - ``path``: directories in which programs find modules (Sphinx: ``sys.path`` of ``conf.py``).
    - ``strict``: whether a diagnostic ends the build (Sphinx: ``-W``).
    """

    show: str = "shape"
    layout: Engine = ENGINES[0]
    execution: Mode = "auto"
    snapshots: str | None = None
    cache: str | None = None
    max_nodes: int = MAX_NODES
    memory: int | None = None
    environment: list[str] | None = None
    timeout: float = 60
    layout_timeout: float = 30
    linger: float = 0
    path: tuple[str, ...] = (".",)
    strict: bool = False


_TYPES: Mapping[str, tuple[type, ...]] = {
    "show": (str,), "layout": (str,), "execution": (str,), "snapshots": (str,), "cache": (str,),
    "max_nodes": (int,), "memory": (int,), "environment": (list,), "timeout": (int, float),
    "layout_timeout": (int, float), "linger": (int, float), "path": (list,), "strict": (bool,),
}  # fmt: skip
_CHOICES = {"layout": ENGINES, "execution": get_args(Mode)}


def read_settings(root: Path) -> Settings:
    """The settings in the ``pyproject.toml`` of a project; the defaults where there is none.

    Raises :exc:`.DiagnosticError` (``option``) for what is not as it should
    be.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        data = tomllib.loads((root / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        values = {"file": FILE, "reason": str(error).replace(str(root), ".")}
        raise DiagnosticError(
            Diagnostic("option", "{file} cannot be read: {reason}", values)
        ) from None
    table: dict[str, Any] = data.get("tool", {}).get(TABLE, {})
    known = [field.name for field in fields(Settings)]
    for name, value in table.items():
        if name not in known:
            values = {"name": name, "choices": ", ".join(known)}
            raise DiagnosticError(
                Diagnostic(
                    "option",
                    "[tool.autogradgraph] of pyproject.toml has no {name}; there are {choices}",
                    values,
                )
            )
        choices = _CHOICES.get(name, (value,))
        is_bool = isinstance(value, bool) != (name == "strict")
        if not isinstance(value, _TYPES[name]) or is_bool or value not in choices:
            diagnostic = Diagnostic(
                "option",
                "[tool.autogradgraph] of pyproject.toml: {name} cannot be {value}",
                {"name": name, "value": repr(value)},
            )
            raise DiagnosticError(diagnostic)
    return Settings(**{**table, "path": tuple(table.get("path", Settings.path))})
