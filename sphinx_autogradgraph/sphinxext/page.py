"""A page that has been read: run its programs, trace and lay out its graphs, fill its figures."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging

from sphinx_autogradgraph.drawing.dot import digraph_of
from sphinx_autogradgraph.drawing.layout import lay_out
from sphinx_autogradgraph.drawing.picture import picture_of
from sphinx_autogradgraph.execution.result import Result, Traced
from sphinx_autogradgraph.execution.runner import Runner
from sphinx_autogradgraph.faults import Fault, FaultError
from sphinx_autogradgraph.graph import Graph
from sphinx_autogradgraph.program import Block, Draw, Program, read_block
from sphinx_autogradgraph.sphinxext import surroundings
from sphinx_autogradgraph.sphinxext.code import Shown, lines_from, python_blocks
from sphinx_autogradgraph.sphinxext.directive import REQUEST, SETUP, Request
from sphinx_autogradgraph.sphinxext.messages import _
from sphinx_autogradgraph.sphinxext.nodes import (
    fail,
    fill,
    leave_out,
    page_slug,
    sentence_of,
    source_block,
)
from sphinx_autogradgraph.sphinxext.tables import tables

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

IDLE_BUILDERS = frozenset({"changes", "gettext", "linkcheck"})
"""Builders whose output does not depend on what code does: they run none."""


_NOTHING_ABOVE = Fault(
    "reference",
    "there is no Python code above this on the page to draw; give a reference, or code as the "
    "content",
)


@dataclass
class _Job:
    """A figure to draw, and its place among the code and figures of the page."""

    figure: nodes.figure
    request: Request
    place: int
    outcome: Traced | Fault | None = None


@dataclass(frozen=True)
class _Run:
    """A program to run and the figures that it draws, in the order of its draws.

    ``blocks`` are the nodes of the page that hold its blocks, if it is the page's program.
    """

    program: Program
    jobs: Sequence[_Job]
    blocks: Sequence[nodes.Element] = ()


class _Page:
    """What a document holds for us: figures, code that it shows, the program that it is."""

    def __init__(self, document: nodes.document, language: str, root: str, slug: str) -> None:
        self.jobs: list[_Job] = []
        self._shown: list[tuple[int, Shown]] = []
        self._slug = slug
        self._blocks: list[tuple[nodes.Element, Block]] = []
        self._draws: list[tuple[_Job, Draw]] = []
        setups: list[nodes.comment] = []
        for place, item in enumerate(python_blocks(document, language, root)):
            if isinstance(item, Shown):
                self.show(place, item)
                if item.block is not None:
                    self._blocks.append((item.node, item.block))
            elif isinstance(item, nodes.comment) and SETUP in item:
                self._blocks.append((item, item[SETUP]))
                setups.append(item)
            elif isinstance(item, nodes.figure) and REQUEST in item:
                self._add(_Job(item, item.attributes.pop(REQUEST), place))
        for setup in setups:
            setup.parent.remove(setup)

    def _add(self, job: _Job) -> None:
        self.jobs.append(job)
        request = job.request
        if request.program is None:
            if request.block is not None and request.options.context:
                self._blocks.append((job.figure, request.block))
            if request.faults:
                return
            if self._blocks:
                self._draws.append((job, replace(request.draw, after=len(self._blocks))))
            else:
                job.request = replace(request, faults=(_NOTHING_ABOVE,))

    def show(self, place: int, shown: Shown) -> None:
        """Take in a block of code that the page shows at that place."""
        shown.prefix = f"{self._slug}-code-{len(self._shown) + 1}"
        self._shown.append((place, shown))

    def runs(self, directory: str, root: str) -> list[_Run]:
        """The programs to run: those of figures of their own, and the page's if any draws it."""
        runs = [
            _Run(job.request.program, [job])
            for job in self.jobs
            if job.request.program is not None and not job.request.faults
        ]
        if self._draws:
            draws = tuple(draw for _, draw in self._draws)
            used = self._blocks[: draws[-1].after]
            options = [job.request.options for job, _ in self._draws]
            program = Program(
                blocks=tuple(block for _, block in used),
                draws=draws,
                directory=directory,
                root=root,
                seed=next((option.seed for option in options if option.seed), 0),
                timeout=max(option.timeout for option in options),
            )
            runs.append(_Run(program, [job for job, _ in self._draws], [node for node, _ in used]))
        return runs

    def line_links(self, job: _Job, graph: Graph) -> dict[int, str]:
        """For each node the id of the line that made it, where the page shows that line.

        Of several places that show it, the last above the figure, else the first below.
        """
        shown: dict[tuple[str, int], tuple[tuple[bool, int], Shown, int]] = {}
        wanted = {
            (node.source.file, node.source.line) for node in graph.nodes if node.source is not None
        }
        for place, block in self._shown:
            above = place <= job.place
            rank = (above, place if above else -place)
            for index, line in enumerate(block.lines):
                if line in wanted and (line not in shown or rank > shown[line][0]):
                    shown[line] = (rank, block, index)
        links = {}
        for node in graph.nodes:
            if node.source is not None:
                found = shown.get((node.source.file, node.source.line))
                if found is not None:
                    links[node.id] = found[1].link(found[2])
        return links


def draw_page(app: Sphinx, document: nodes.document, runner: Runner) -> None:
    """Draw all figures of a document that has just been read."""
    env = app.env
    root = str(env.srcdir)
    page = _Page(document, app.config.highlight_language, root, page_slug(env.docname))
    if not page.jobs:
        return
    if app.builder.name in IDLE_BUILDERS:
        for job in page.jobs:
            leave_out(job.figure)
        env.note_reread()  # the next builder may share these doctrees, and needs the drawings
        return
    runs = page.runs(os.path.dirname(env.doc2path(env.docname)), root)
    path = _import_path(app)
    results = runner.run([replace(run.program, path=path) for run in runs])
    for run, result in zip(runs, results, strict=True):
        for file in (*result.files, *([result.module_file] if result.module_file else [])):
            env.note_dependency(file)
        for job, outcome in zip(run.jobs, result.draws, strict=True):
            job.outcome = outcome
            _show_source(page, job, result, root)
        _report_run(env, run)
    for index, job in enumerate(page.jobs):
        _finish(app, page, job, index + 1)


def _import_path(app: Sphinx) -> tuple[str, ...]:
    """What ``conf.py`` made of ``sys.path``; what is relative there is so to ``conf.py``."""
    return tuple(os.path.join(app.confdir, entry) for entry in sys.path if entry)


def _show_source(page: _Page, job: _Job, result: Result, root: str) -> None:
    """Put the code that ran above its figure, if the author wants it there."""
    block = job.request.block
    if block is None and result.module_file is not None:
        block = read_block(result.module_file, root)
    if not job.request.source or block is None:
        return
    code = block.code.rstrip("\n")
    node = source_block(code)
    parent = job.figure.parent
    parent.insert(parent.index(job.figure), node)
    page.show(job.place, Shown(node, lines_from(block.file, block.line, code)))


def _report_run(env: BuildEnvironment, run: _Run) -> None:
    """Report what went wrong in a run: once, though it may keep many figures from being drawn."""
    reported: list[Fault] = []
    for job in run.jobs:
        fault = job.outcome
        if not isinstance(fault, Fault):
            continue
        of_the_run = fault.block is not None or fault.kind in ("timeout", "crash")
        if of_the_run and fault in reported and not fault.surroundings:
            continue
        reported.append(fault)
        at_block = fault.block is not None and run.blocks
        _report(env, run.blocks[fault.block or 0] if at_block else job.figure, fault)


def _report(env: BuildEnvironment, node: nodes.Element, fault: Fault) -> None:
    """Warn of a fault at a node of the author's, now and on every build until it is mended."""
    env.note_reread()
    if fault.surroundings:
        surroundings.note(env, node, fault)
        return
    logger.warning(fault.report(_), location=node, type="autogradgraph", subtype=fault.kind)


def _finish(app: Sphinx, page: _Page, job: _Job, number: int) -> None:
    """Put what was traced into its figure, or say there why it could not be drawn."""
    options, figure = job.request.options, job.figure
    if job.request.faults:
        for fault in job.request.faults:
            _report(app.env, figure, fault)
        fail(figure, sentence_of(job.request.faults[0]))
        return
    traced = job.outcome
    assert traced is not None, "every request without faults has been run"
    if isinstance(traced, Fault):
        fail(figure, sentence_of(traced))
        return
    links = page.line_links(job, traced.graph)
    try:
        drawing = _drawing(app, traced.graph, job.request, number)
    except FaultError as error:
        _report(app.env, figure, error.fault)
        fail(figure, sentence_of(error.fault))
        return
    fill(figure, traced.graph, options, {**drawing, "lines": links})
    parent = figure.parent
    for table in reversed(tables(options.table, traced, links)):
        parent.insert(parent.index(figure) + 1, table)


def _drawing(app: Sphinx, graph: Graph, request: Request, number: int) -> dict[str, Any]:
    """Lay the graph out: what a drawing takes besides the Graph, as plain data.

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
        "prefix": f"{page_slug(app.env.docname)}-{number}",
        "show": options.show,
        "direction": options.direction,
        "width": options.width,
        "layout": layout.to_dict(),
    }
