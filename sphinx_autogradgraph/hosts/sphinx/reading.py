"""Reading of directives: make figures that await their drawings."""

from __future__ import annotations

import os

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.figures.options import parse_options
from sphinx_autogradgraph.figures.request import Request
from sphinx_autogradgraph.hosts.sphinx import dependencies
from sphinx_autogradgraph.hosts.sphinx.attributes import REQUEST, SETUP
from sphinx_autogradgraph.hosts.sphinx.config_values import settings_of
from sphinx_autogradgraph.hosts.sphinx.docstrings import lines_at
from sphinx_autogradgraph.hosts.sphinx.figure_nodes import new_figure
from sphinx_autogradgraph.program.notebook_cells import python_of
from sphinx_autogradgraph.program.program import Block, display_path
from sphinx_autogradgraph.program.source_lines import line_of_code


def read_figure(directive: SphinxDirective) -> list[nodes.Node]:
    """Make the figure of a directive, with the request on it until the page is drawn."""
    env = directive.env
    options = parse_options(directive.options, settings_of(directive.config))
    request = Request.of(
        options,
        directive.arguments[0] if directive.arguments else None,
        _block(directive) if directive.content else None,
        directory=os.path.dirname(env.doc2path(env.docname)),
        root=str(env.srcdir),
        path_of=lambda file: _path_of(directive, file),
    )
    caption, messages = _caption(directive, options.caption)
    figure = new_figure(options, caption)
    directive.set_source_info(figure)
    figure[REQUEST] = request
    directive.add_name(figure)
    return [figure, *messages]


def read_setup(directive: SphinxDirective) -> list[nodes.Node]:
    """Make a node that no builder shows, with the code of a directive on it."""
    node = nodes.comment()
    directive.set_source_info(node)
    node[SETUP] = _block(directive)
    return [node]


def _block(directive: SphinxDirective) -> Block:
    """Return the directive's content as a block at its place in the author's text."""
    path, line = directive.get_source_info()
    text = "\n".join(directive.content)
    return Block(
        code=python_of(text) + "\n",
        file=display_path(path, directive.env.srcdir),
        path=os.path.abspath(path),
        # Not content_offset: MyST counts it from the directive, and an include shifts it.
        line=line_of_code(text, lines_at(path), line) or directive.content_offset + 1,
    )


def _caption(
    directive: SphinxDirective, text: str
) -> tuple[nodes.caption | None, list[nodes.system_message]]:
    if not text:
        return None, []
    inline, messages = directive.state.inline_text(text, directive.lineno)
    caption = nodes.caption(text, "", *inline)
    directive.set_source_info(caption)
    return caption, messages


def _path_of(directive: SphinxDirective, file: str) -> str:
    """Find the file of a reference, by Sphinx' rules for files that documents name."""
    try:
        _, path = directive.env.relfn2path(file)
    except (OSError, RuntimeError, ValueError) as error:  # symbolic links in a circle, NUL
        values = {"file": file, "reason": str(error).partition(" from ")[0]}
        diagnostic = Diagnostic("reference", "{file} cannot be read: {reason}", values)
        raise DiagnosticError(diagnostic) from None
    dependencies.note(directive.env, directive.env.docname, [path])
    return path
