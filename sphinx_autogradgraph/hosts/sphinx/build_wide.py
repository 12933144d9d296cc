"""Diagnostics of a whole build, as a missing torch, reported once for all figures.

A diagnostic that every program meets is noted while documents are read.  When all have been read,
it is reported at the first figure that met it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging

from sphinx_autogradgraph.hosts.sphinx.document_store import Store
from sphinx_autogradgraph.hosts.sphinx.translation import _

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from sphinx_autogradgraph.core.diagnostics import Diagnostic

logger = logging.getLogger(__name__)

_noted: Store[tuple[int | None, dict[str, Any]]] = Store("build_wide")
"""Line and diagnostic of each figure that met a build-wide one."""


def note(
    env: BuildEnvironment, docname: str, figure: nodes.Element, diagnostic: Diagnostic
) -> None:
    """Remember that a figure of a document met a build-wide diagnostic."""
    _noted.add(env, docname, (figure.line, diagnostic.to_dict()))


def setup_build_wide(app: Sphinx) -> None:
    """Report what was noted when all documents are read."""
    _noted.setup(app)
    app.connect("env-updated", _report)


def _report(app: Sphinx, env: BuildEnvironment) -> None:
    from sphinx_autogradgraph.core.diagnostics import Diagnostic

    first: dict[str, tuple[str, int | None, Diagnostic]] = {}
    counts: dict[str, int] = {}
    for docname, entries in sorted(_noted.of(env).items()):
        for line, data in entries:
            diagnostic = Diagnostic.from_dict(data)
            sentence = diagnostic.sentence()
            first.setdefault(sentence, (docname, line, diagnostic))
            counts[sentence] = counts.get(sentence, 0) + 1
    for sentence, (docname, line, diagnostic) in first.items():
        message = diagnostic.report(_)
        others = counts[sentence] - 1
        if others:
            message += "\n" + _("(the same for {count} more figures)").format(count=f"{others:,}")
        logger.warning(
            message, location=(docname, line), type="autogradgraph", subtype=diagnostic.kind
        )
