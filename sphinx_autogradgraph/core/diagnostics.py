"""Diagnostics: what went wrong, where, and what to do about it, as plain data.

A diagnostic travels from where it happened (often the worker process) to where somebody reads it: a
warning of Sphinx, the place of the drawing in the page, the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sphinx_autogradgraph.core.messages import Message, Translate, untranslated

DiagnosticKind = Literal[
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
"""Subtypes of the warnings ``autogradgraph``, for ``suppress_warnings``."""


@dataclass(frozen=True)
class Diagnostic:
    """One thing that went wrong.

    ``message`` and ``values`` are those of a :class:`.Message`.
    ``file`` (relative, never a path of the build machine) and ``line`` (from 1) say where in the
    author's code; ``detail`` is the author's part of the traceback, in more lines.
    ``build_wide`` marks a diagnostic of the machine and not of the program (torch missing): every
    program of the build would meet it.  ``block`` is the index of the block of the program that
    failed, if it was one.
    """

    kind: DiagnosticKind
    message: str
    values: Mapping[str, str | Message] = field(default_factory=dict)
    file: str | None = None
    line: int | None = None
    detail: str = ""
    build_wide: bool = False
    block: int | None = None

    def sentence(self, translate: Translate = untranslated) -> str:
        """Return the message with its values, and the place in the author's code if known."""
        text = Message(self.message, self.values).sentence(translate)
        if self.file is not None and self.line is not None:
            return translate("{file}, line {line}: {text}").format(
                file=self.file, line=self.line, text=text
            )
        return text

    def report(self, translate: Translate = untranslated) -> str:
        """Return the sentence, and below it the detail with each line indented."""
        lines = [self.sentence(translate)]
        lines += ["    " + line for line in self.detail.rstrip().splitlines()]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnostic as plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Diagnostic:
        """Read what :meth:`to_dict` wrote; raise :exc:`ValueError` for anything else."""
        import msgspec  # a build in which nothing is new needs none of it

        try:
            diagnostic = msgspec.convert(data, cls)
        except (msgspec.ValidationError, RecursionError):
            raise ValueError(f"not a diagnostic: {data!r:.200}") from None
        Message(diagnostic.message, diagnostic.values).check()
        return diagnostic


class DiagnosticError(Exception):
    """Ends the work at hand with a :class:`Diagnostic`."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.sentence())
        self.diagnostic = diagnostic
