"""Faults of the surroundings, such as torch missing: one warning for the whole build.

What every program of a build meets is kept in the environment while the documents are read,
also by several processes, and reported at the first figure when all have been.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging

from sphinx_autogradgraph.faults import Fault
from sphinx_autogradgraph.sphinxext.messages import _

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

_ATTRIBUTE = "autogradgraph_surroundings"

Noted = dict[str, list[tuple[int | None, dict[str, Any]]]]
"""The line and the fault of each figure that met one, by document."""


def _noted(env: BuildEnvironment) -> Noted:
    noted: Noted | None = getattr(env, _ATTRIBUTE, None)
    if noted is None:
        noted = {}
        setattr(env, _ATTRIBUTE, noted)
    return noted


def note(env: BuildEnvironment, figure: nodes.Element, fault: Fault) -> None:
    """Remember that a figure of the current document met a fault of the surroundings."""
    _noted(env).setdefault(env.docname, []).append((figure.line, fault.to_dict()))


def setup_surroundings(app: Sphinx) -> None:
    """Keep what was noted with the environment, and report it when all documents are read."""
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-updated", _report)


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _noted(env).pop(docname, None)


def _merge(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    for docname in docnames:
        if docname in _noted(other):
            _noted(env)[docname] = _noted(other)[docname]


def _report(app: Sphinx, env: BuildEnvironment) -> None:
    first: dict[str, tuple[str, int | None, Fault]] = {}
    counts: dict[str, int] = {}
    for docname, entries in sorted(_noted(env).items()):
        for line, data in entries:
            fault = Fault.from_dict(data)
            sentence = fault.sentence()
            first.setdefault(sentence, (docname, line, fault))
            counts[sentence] = counts.get(sentence, 0) + 1
    for sentence, (docname, line, fault) in first.items():
        message = fault.report(_)
        others = counts[sentence] - 1
        if others:
            message += "\n" + _("(the same for {count} more figures)").format(count=others)
        logger.warning(message, location=(docname, line), type="autogradgraph", subtype=fault.kind)
