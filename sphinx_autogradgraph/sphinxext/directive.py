"""The directive ``autogradgraph``: from the author's text to a figure that awaits its drawing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from sphinx_autogradgraph.faults import Fault, FaultError
from sphinx_autogradgraph.program import (
    Block,
    Draw,
    Program,
    display_path,
    parse_reference,
    read_block,
)
from sphinx_autogradgraph.sphinxext.lines import line_of_code, source_lines
from sphinx_autogradgraph.sphinxext.nodes import new_figure
from sphinx_autogradgraph.sphinxext.options import OPTION_SPEC, Options, OptionSpec, parse_options


@dataclass(frozen=True)
class Request:
    """What one directive asks for: the program to run, or the faults that keep it from running.

    ``source`` is whether to show the code that ran; ``code`` is that code where it is known
    before running.
    """

    options: Options
    program: Program | None
    faults: tuple[Fault, ...]
    source: bool
    code: str | None


class AutogradGraph(SphinxDirective):
    """Draw the autograd graph of a tensor of a program."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[OptionSpec] = OPTION_SPEC

    def run(self) -> list[nodes.Node]:
        """The figure, with the request on its canvas until the page is drawn."""
        options = parse_options(
            self.options,
            show=self.config.autogradgraph_show,
            timeout=self.config.autogradgraph_timeout,
        )
        faults = list(options.faults)
        program = None
        try:
            program = self._program(options)
        except FaultError as error:
            faults.append(error.fault)
        inline = bool(self.content)
        request = Request(
            options=options,
            program=None if faults else program,
            faults=tuple(faults),
            source=inline if options.include_source is None else options.include_source,
            code=program.blocks[0].code if program and program.blocks else None,
        )
        caption, messages = self._caption(options.caption)
        figure = new_figure(options, caption)
        self.set_source_info(figure)
        figure["autogradgraph-request"] = request
        self.add_name(figure)
        return [figure, *messages]

    def _caption(self, text: str) -> tuple[nodes.caption | None, list[nodes.system_message]]:
        if not text:
            return None, []
        inline, messages = self.state.inline_text(text, self.lineno)
        caption = nodes.caption(text, "", *inline)
        self.set_source_info(caption)
        return caption, messages

    def _program(self, options: Options) -> Program:
        if self.arguments and self.content:
            raise FaultError(Fault("option", "give a reference or code of its own, not both"))
        if self.arguments:
            return self._referenced(self.arguments[0], options)
        if self.content:
            return self._inline(options)
        raise FaultError(Fault("reference", "say what to run: a reference, or code as the content"))

    def _referenced(self, text: str, options: Options) -> Program:
        reference = parse_reference(text)
        if reference.member and options.tensor:
            raise FaultError(
                Fault(
                    "option",
                    ":tensor: and the reference {reference} both say what to draw; keep one",
                    {"reference": repr(text)},
                )
            )
        if reference.module is not None:
            return Program(
                blocks=(),
                draws=(Draw(0, member=reference.member),),
                directory=self._directory(),
                root=str(self.env.srcdir),
                import_module=reference.module,
                seed=options.seed,
                timeout=options.timeout,
            )
        relative, path = self.env.relfn2path(reference.file or "")
        self.env.note_dependency(relative)
        block = read_block(path, str(self.env.srcdir))
        return Program(
            blocks=(block,),
            draws=(Draw(1, options.tensor, reference.member),),
            directory=os.path.dirname(path),
            root=str(self.env.srcdir),
            module=Path(path).stem,
            seed=options.seed,
            timeout=options.timeout,
        )

    def _inline(self, options: Options) -> Program:
        path, line = self.get_source_info()
        code = "\n".join(self.content) + "\n"
        block = Block(
            code=code,
            file=display_path(path, self.env.srcdir),
            path=os.path.abspath(path),
            # Not content_offset: MyST counts it from the directive, and an include shifts it.
            line=line_of_code(code, source_lines(path), line) or self.content_offset + 1,
        )
        return Program(
            blocks=(block,),
            draws=(Draw(1, options.tensor),),
            directory=self._directory(),
            root=str(self.env.srcdir),
            seed=options.seed,
            timeout=options.timeout,
        )

    def _directory(self) -> str:
        """The directory of the document."""
        return os.path.dirname(self.env.doc2path(self.env.docname))
