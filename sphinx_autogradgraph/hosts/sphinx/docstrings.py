"""Docstrings that autodoc puts into a page, each a program of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from docutils import nodes

from sphinx_autogradgraph.program.source_lines import source_lines

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

_MARK = ":docstring of "
"""Separator of file and object name in the source that autodoc gives to a docstring."""

_EVENT = "autodoc-process-docstring"
_LAST = 900
"""Priority after extensions that change docstrings, as napoleon does."""

Docstrings = dict[str, Sequence[str]]

_docstrings: Docstrings = {}
"""Lines of the docstrings that this process has read, by the names of their objects."""


def setup_docstrings(app: Sphinx) -> None:
    """Remember the lines of docstrings, where the project uses autodoc."""
    app.connect("config-inited", _follow_autodoc)


def _follow_autodoc(app: Sphinx, config: Config) -> None:
    if _EVENT in app.events.events:
        app.connect(_EVENT, _remember, priority=_LAST)


def _remember(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    _docstrings[name] = tuple(line.expandtabs().strip() for line in lines)


def docstrings_of(document: nodes.document) -> Docstrings:
    """Return the docstrings with code or figures in a document, for another process."""
    kinds = (nodes.literal_block, nodes.doctest_block, nodes.figure, nodes.comment)
    sources = {node.source for kind in kinds for node in document.findall(kind)}
    names = filter(None, map(docstring_at, sources))
    return {name: _docstrings[name] for name in names if name in _docstrings}


def remember_docstrings(docstrings: Docstrings) -> None:
    """Take over what another process has read."""
    _docstrings.update(docstrings)


def docstring_at(source: str | None) -> str | None:
    """Return the name of the object whose docstring a source is; None for a file."""
    _, mark, name = (source or "").rpartition(_MARK)
    return name if mark else None


def lines_at(source: str) -> Sequence[str]:
    """Return the lines of a document or a docstring, in the form in which blocks have them."""
    name = docstring_at(source)
    return source_lines(source) if name is None else _docstrings.get(name, ())
