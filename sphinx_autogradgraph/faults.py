"""Faults: what went wrong, where, and what to do, as plain data.

A fault travels from where it happened (often the worker process) to where somebody reads it: a
warning of Sphinx, the place of the drawing in the page, the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from sphinx_autogradgraph.message import Message, Translate, untranslated, values_from

FaultKind = Literal[
    "reference",
    "option",
    "execution",
    "timeout",
    "crash",
    "no_graph",
    "drift",
    "layout",
    "snapshot",
    "cache",
]
"""The subtypes of our warnings, for ``suppress_warnings``."""


@dataclass(frozen=True)
class Fault:
    """One thing that went wrong.

    ``message`` and ``values`` are those of a :class:`~sphinx_autogradgraph.message.Message`.
    ``file`` (relative, never a path of the build machine) and ``line`` (from 1) say where in the
    author's code; ``detail`` is the author's part of the traceback, in more lines.
    ``surroundings`` marks a fault of the machine and not of the program (torch missing): every
    program of the build would meet it.  ``block`` is the index of the block of the program that
    failed, if it was one.
    """

    kind: FaultKind
    message: str
    values: Mapping[str, str | Message] = field(default_factory=dict)
    file: str | None = None
    line: int | None = None
    detail: str = ""
    surroundings: bool = False
    block: int | None = None

    def sentence(self, translate: Translate = untranslated) -> str:
        """The message with its values, and the place in the author's code if there is one."""
        text = Message(self.message, self.values).sentence(translate)
        if self.file is not None and self.line is not None:
            return translate("{file}, line {line}: {text}").format(
                file=self.file, line=self.line, text=text
            )
        return text

    def report(self, translate: Translate = untranslated) -> str:
        """The sentence, and below it the detail, each line of it indented."""
        lines = [self.sentence(translate)]
        lines += ["    " + line for line in self.detail.rstrip().splitlines()]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The fault as plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Fault:
        """The fault of which ``data`` is the :meth:`to_dict`; :exc:`ValueError` if it is none."""
        if data.get("kind") not in get_args(FaultKind):
            raise ValueError(f"not a fault: {data!r:.200}")
        return cls(**{**data, "values": values_from(data["values"])})


class FaultError(Exception):
    """Raised where a :class:`Fault` ends the work at hand."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence())
        self.fault = fault
