"""The directives: from the author's text to a figure that awaits its drawing."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from sphinx_autogradgraph.cells import python_of
from sphinx_autogradgraph.faults import Fault, FaultError
from sphinx_autogradgraph.figure.options import NAMES, parse_options
from sphinx_autogradgraph.figure.request import Request
from sphinx_autogradgraph.lines import line_of_code, source_lines
from sphinx_autogradgraph.program import Block, display_path
from sphinx_autogradgraph.sphinxext import dependencies
from sphinx_autogradgraph.sphinxext.nodes import new_figure

REQUEST, SETUP = "autogradgraph-request", "autogradgraph-setup"
"""The attributes of a figure that awaits its drawing, and of a block that only runs.  Both are
gone when the page has been read."""


class OptionSpec(dict[str, Callable[[str], str]]):
    """An option spec whose error for an unknown name tells the names there are.

    docutils puts the argument of the :exc:`KeyError` between the quotes of
    ``unknown option: "…"``; this one closes them, and leaves the last for docutils to close.
    """

    def __missing__(self, name: str) -> Callable[[str], str]:
        known = ", ".join(f'"{key}"' for key in sorted(self))
        raise KeyError(f'{name}"; the options are {known.removesuffix(chr(34))}')


def _text(value: str | None) -> str:
    return value or ""


OPTION_SPEC = OptionSpec(dict.fromkeys(NAMES, _text))
"""All options as texts: docutils would report a bad value under its own type of warning."""


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
        request = Request.of(
            options,
            self.arguments[0] if self.arguments else None,
            self.block() if self.content else None,
            directory=os.path.dirname(self.env.doc2path(self.env.docname)),
            root=str(self.env.srcdir),
            path_of=self._path_of,
        )
        caption, messages = self._caption(options.caption)
        figure = new_figure(options, caption)
        self.set_source_info(figure)
        figure[REQUEST] = request
        self.add_name(figure)
        return [figure, *messages]

    def _caption(self, text: str) -> tuple[nodes.caption | None, list[nodes.system_message]]:
        if not text:
            return None, []
        inline, messages = self.state.inline_text(text, self.lineno)
        caption = nodes.caption(text, "", *inline)
        self.set_source_info(caption)
        return caption, messages

    def _path_of(self, file: str) -> str:
        """Where a file is that a reference names, as Sphinx finds what documents name."""
        try:
            _, path = self.env.relfn2path(file)
        except (OSError, RuntimeError, ValueError) as error:  # symbolic links in a circle, NUL
            values = {"file": file, "reason": str(error).partition(" from ")[0]}
            fault = Fault("reference", "{file} cannot be read: {reason}", values)
            raise FaultError(fault) from None
        dependencies.note(self.env, [path])
        return path


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
