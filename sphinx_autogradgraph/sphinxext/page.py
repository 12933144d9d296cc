"""A page that has been read: run its programs, trace and lay out its graphs, fill its figures."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging

from sphinx_autogradgraph.drawing.dot import digraph_of
from sphinx_autogradgraph.drawing.layout import lay_out
from sphinx_autogradgraph.drawing.picture import picture_of
from sphinx_autogradgraph.execution.result import Result
from sphinx_autogradgraph.execution.runner import Runner
from sphinx_autogradgraph.faults import Fault, FaultError
from sphinx_autogradgraph.graph import Graph
from sphinx_autogradgraph.program import read_block
from sphinx_autogradgraph.sphinxext import surroundings
from sphinx_autogradgraph.sphinxext.messages import _
from sphinx_autogradgraph.sphinxext.nodes import (
    fail,
    fill,
    id_prefix,
    leave_out,
    sentence_of,
    source_block,
)

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from sphinx_autogradgraph.sphinxext.directive import Request

logger = logging.getLogger(__name__)

IDLE_BUILDERS = frozenset({"changes", "gettext", "linkcheck"})
"""Builders whose output does not depend on what code does: they run none."""


@dataclass(frozen=True)
class _Job:
    figure: nodes.figure
    request: Request


def draw_page(app: Sphinx, document: nodes.document, runner: Runner) -> None:
    """Draw all figures of a document that has just been read."""
    jobs = [
        _Job(figure, figure.attributes.pop("autogradgraph-request"))
        for figure in document.findall(nodes.figure)
        if "autogradgraph-request" in figure
    ]
    if not jobs:
        return
    env = app.env
    if app.builder.name in IDLE_BUILDERS:
        for job in jobs:
            leave_out(job.figure)
        env.note_reread()  # the next builder may share these doctrees, and needs the drawings
        return
    path = _import_path(app)
    programs = {
        index: replace(job.request.program, path=path)
        for index, job in enumerate(jobs)
        if job.request.program
    }
    results = dict(zip(programs, runner.run(list(programs.values())), strict=True))
    for index, job in enumerate(jobs):
        _draw(app, job, index, results.get(index))


def _import_path(app: Sphinx) -> tuple[str, ...]:
    """What ``conf.py`` made of ``sys.path``; what is relative there is so to ``conf.py``."""
    return tuple(os.path.join(app.confdir, entry) for entry in sys.path if entry)


def _draw(app: Sphinx, job: _Job, index: int, result: Result | None) -> None:
    env, figure, request = app.env, job.figure, job.request
    if request.source:
        _show_source(figure, request, result)
    if result is None:
        for fault in request.faults:
            _report(env, figure, fault)
        fail(figure, sentence_of(request.faults[0]))
        return
    for path in (*result.files, *([result.module_file] if result.module_file else [])):
        env.note_dependency(path)
    (graph,) = result.graphs
    try:
        if isinstance(graph, Fault):
            raise FaultError(graph)
        drawing = _drawing(app, graph, request, index)
    except FaultError as error:
        _report(env, figure, error.fault)
        fail(figure, sentence_of(error.fault))
        return
    fill(figure, graph, request.options, drawing)


def _drawing(app: Sphinx, graph: Graph, request: Request, index: int) -> dict[str, Any]:
    """Lay the graph out: all that a drawing takes besides the Graph, as plain data.

    It is done here and not when a page is written, so that a fault of the layout comes back on
    every build like any other: only pages that are read again are written again.
    """
    options = request.options
    picture = picture_of(graph, options.show, options.direction)
    layout = lay_out(
        digraph_of(picture).source,
        app.config.autogradgraph_layout,
        float(app.config.autogradgraph_layout_timeout),
    )
    return {
        "prefix": id_prefix(app.env.docname, index + 1),
        "show": options.show,
        "direction": options.direction,
        "width": options.width,
        "layout": layout.to_dict(),
    }


def _show_source(figure: nodes.figure, request: Request, result: Result | None) -> None:
    code = request.code
    if code is None and result is not None and result.module_file is not None:
        code = read_block(result.module_file, ".").code
    if code is not None:
        parent = figure.parent
        parent.insert(parent.index(figure), source_block(code.rstrip("\n")))


def _report(env: BuildEnvironment, figure: nodes.figure, fault: Fault) -> None:
    """Warn of a fault at the author's directive, now and on every build until it is mended."""
    env.note_reread()
    if fault.surroundings:
        surroundings.note(env, figure, fault)
        return
    logger.warning(fault.report(_), location=figure, type="autogradgraph", subtype=fault.kind)
