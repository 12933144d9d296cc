"""Request of one figure, made from its options, its reference and its code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.figures.options import Options
from sphinx_autogradgraph.program.program import (
    Block,
    Program,
    Target,
    extras_of,
    find_module,
    parse_reference,
    read_block,
    referenced,
)


@dataclass(frozen=True)
class Request:
    """Request of one figure: the target to trace, and the program to run.

    ``program`` is the figure's own program.  Without one, the target is in the program of the page,
    which ``block`` continues.  ``block`` is the figure's code, if it is known before running;
    ``source`` tells whether to show it.  With ``diagnostics`` nothing can be drawn.
    """

    options: Options
    target: Target
    program: Program | None
    block: Block | None
    source: bool
    diagnostics: tuple[Diagnostic, ...]

    @classmethod
    def of(
        cls,
        options: Options,
        reference: str | None,
        block: Block | None,
        *,
        directory: str,
        root: str,
        path_of: Callable[[str], str],
    ) -> Request:
        """Make the request of a figure with these options.

        ``reference`` and ``block`` are what it refers to and its own code.  Programs run in
        ``directory``, files are named from ``root``, and ``path_of`` finds a file that a reference
        names (:exc:`.DiagnosticError` if it cannot).  What is wrong is
        among the diagnostics.
        """
        target = Target(
            after=0 if block is None else 1,
            expressions=options.tensor,
            extras=extras_of(options.show),
            tensors="tensors" in options.table,
            parameters="parameters" in options.table,
        )
        base = Program(
            blocks=(),
            targets=(target,),
            directory=directory,
            root=root,
            seed=options.seed,
            timeout=options.timeout,
            raises=options.raises,
        )
        source = block is not None if options.include_source is None else options.include_source
        diagnostics = list(options.diagnostics)
        program = None
        try:
            program = _program(base, options, reference, block, path_of)
            if source and program is not None:
                block = _shown(program)
        except DiagnosticError as error:
            diagnostics.append(error.diagnostic)
        return cls(options, target, program, block, source, tuple(diagnostics))


def _program(
    base: Program,
    options: Options,
    reference: str | None,
    block: Block | None,
    path_of: Callable[[str], str],
) -> Program | None:
    """Return the figure's own program, or None if it belongs to the program of the page."""
    if reference is not None and block is not None:
        raise DiagnosticError(Diagnostic("option", "give a reference or code of its own, not both"))
    if reference is not None and options.context:
        raise DiagnosticError(
            Diagnostic(
                "option",
                ":context: is for code of its own, which then continues that of the page",
            )
        )
    if reference is not None:
        return _referenced(base, options, reference, path_of)
    if block is None or options.context:
        if options.raises:
            raise DiagnosticError(
                Diagnostic(
                    "option", ":raises: is for a program of its own, not for that of the page"
                )
            )
        return None
    return replace(base, blocks=(block,))


def _referenced(
    base: Program, options: Options, text: str, path_of: Callable[[str], str]
) -> Program:
    reference = parse_reference(text)
    if reference.member and options.tensor:
        raise DiagnosticError(
            Diagnostic(
                "option",
                ":tensor: and the reference {reference} both say what to draw; keep one",
                {"reference": repr(text)},
            )
        )
    path = "" if reference.file is None else path_of(reference.file)
    return referenced(base, reference, path)


def _shown(program: Program) -> Block | None:
    """Return the code that ``:include-source:`` shows of the figure's own program."""
    if program.import_module is None:
        return program.blocks[0]
    file = find_module(program.import_module, [program.directory, *program.path, *sys.path])
    return None if file is None else read_block(file, program.root)
