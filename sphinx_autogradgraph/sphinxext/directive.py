"""The directives: from the author's text to a figure that awaits its drawing."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from sphinx_autogradgraph.cells import python_of
from sphinx_autogradgraph.faults import Fault, FaultError
from sphinx_autogradgraph.graph import EXTRAS
from sphinx_autogradgraph.program import (
    Block,
    Draw,
    Program,
    display_path,
    find_module,
    parse_reference,
    read_block,
    referenced,
)
from sphinx_autogradgraph.sphinxext import dependencies
from sphinx_autogradgraph.sphinxext.lines import line_of_code, source_lines
from sphinx_autogradgraph.sphinxext.nodes import new_figure
from sphinx_autogradgraph.sphinxext.options import OPTION_SPEC, Options, OptionSpec, parse_options

REQUEST, SETUP = "autogradgraph-request", "autogradgraph-setup"
"""The attributes of a figure that awaits its drawing, and of a block that only runs.  Both are
gone when the page has been read."""


@dataclass(frozen=True)
class Request:
    """What one directive asks for.

    ``program`` is a program of its own; without it, what is drawn is the page's, which ``block``
    continues.  ``source`` is whether to show the code that ran, ``block`` the code where it is
    known before running.  With ``faults`` nothing can be drawn.
    """

    options: Options
    draw: Draw
    program: Program | None
    block: Block | None
    source: bool
    faults: tuple[Fault, ...]


class _Code(SphinxDirective):
    """What directives with code as their content share."""

    has_content = True

    def block(self) -> Block:
        """The content as a block at its place in the author's text."""
        path, line = self.get_source_info()
        text = "\n".join(self.content)
        return Block(
            code=python_of(text) + "\n",
            file=display_path(path, self.env.srcdir),
            path=os.path.abspath(path),
            # Not content_offset: MyST counts it from the directive, and an include shifts it.
            line=line_of_code(text, source_lines(path), line) or self.content_offset + 1,
        )


class AutogradGraph(_Code):
    """Draw the autograd graph of a tensor of a program."""

    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[OptionSpec] = OPTION_SPEC

    def run(self) -> list[nodes.Node]:
        """The figure, with the request on it until the page is drawn."""
        options = parse_options(
            self.options,
            show=self.config.autogradgraph_show,
            timeout=self.config.autogradgraph_timeout,
            limit=self.config.autogradgraph_max_nodes,
        )
        inline = bool(self.content)
        block = self.block() if inline else None
        draw = Draw(
            after=0 if block is None else 1,
            expressions=options.tensor,
            extras=tuple(extra for extra in EXTRAS if extra in options.show),
            tensors="tensors" in options.table,
        )
        source = inline if options.include_source is None else options.include_source
        faults = list(options.faults)
        program = None
        try:
            program = self._program(options, draw, block)
            if source and program is not None:
                block = self._shown(program)
        except FaultError as error:
            faults.append(error.fault)
        request = Request(
            options=options,
            draw=draw,
            program=program,
            block=block,
            source=source,
            faults=tuple(faults),
        )
        caption, messages = self._caption(options.caption)
        figure = new_figure(options, caption)
        self.set_source_info(figure)
        figure[REQUEST] = request
        self.add_name(figure)
        return [figure, *messages]

    def _shown(self, program: Program) -> Block | None:
        """The code that ``:include-source:`` shows of a program of its own."""
        if program.import_module is None:
            return program.blocks[0]
        file = find_module(program.import_module, [self._directory(), *sys.path])
        return None if file is None else read_block(file, program.root)

    def _caption(self, text: str) -> tuple[nodes.caption | None, list[nodes.system_message]]:
        if not text:
            return None, []
        inline, messages = self.state.inline_text(text, self.lineno)
        caption = nodes.caption(text, "", *inline)
        self.set_source_info(caption)
        return caption, messages

    def _program(self, options: Options, draw: Draw, block: Block | None) -> Program | None:
        """The directive's own program, or None if the page is the program."""
        if self.arguments and block is not None:
            raise FaultError(Fault("option", "give a reference or code of its own, not both"))
        if self.arguments and options.context:
            raise FaultError(
                Fault(
                    "option",
                    ":context: is for code of its own, which then continues that of the page",
                )
            )
        if self.arguments:
            return self._referenced(self.arguments[0], options, draw)
        if block is None or options.context:
            if options.raises:
                raise FaultError(
                    Fault(
                        "option", ":raises: is for a program of its own, not for that of the page"
                    )
                )
            return None
        return replace(self._base(options, draw), blocks=(block,))

    def _referenced(self, text: str, options: Options, draw: Draw) -> Program:
        reference = parse_reference(text)
        if reference.member and options.tensor:
            raise FaultError(
                Fault(
                    "option",
                    ":tensor: and the reference {reference} both say what to draw; keep one",
                    {"reference": repr(text)},
                )
            )
        path = ""
        if reference.file is not None:
            path = self._path_of(reference.file)
            dependencies.note(self.env, [path])
        return referenced(self._base(options, draw), reference, path)

    def _path_of(self, file: str) -> str:
        """Where a file is that a reference names, as Sphinx finds what documents name."""
        try:
            return self.env.relfn2path(file)[1]
        except (OSError, RuntimeError, ValueError) as error:  # symbolic links in a circle, NUL
            values = {"file": file, "reason": str(error).partition(" from ")[0]}
            fault = Fault("reference", "{file} cannot be read: {reason}", values)
            raise FaultError(fault) from None

    def _base(self, options: Options, draw: Draw) -> Program:
        """A program of the directive's own, without its code."""
        return Program(
            blocks=(),
            draws=(draw,),
            directory=self._directory(),
            root=str(self.env.srcdir),
            seed=options.seed,
            timeout=options.timeout,
            raises=options.raises,
        )

    def _directory(self) -> str:
        """The directory of the document."""
        return os.path.dirname(self.env.doc2path(self.env.docname))


class AutogradSetup(_Code):
    """Run code as part of the page's program and show nothing of it."""

    option_spec: ClassVar[OptionSpec] = OptionSpec()

    def run(self) -> list[nodes.Node]:
        """A node that no builder shows, with the code on it until the page is drawn."""
        self.assert_has_content()
        node = nodes.comment()
        self.set_source_info(node)
        node[SETUP] = self.block()
        return [node]
