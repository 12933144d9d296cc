"""One build: read pages are drawn, from running their programs or from snapshots."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.figures.figure_layout import FigureLayout
from sphinx_autogradgraph.figures.html_ids import page_slug
from sphinx_autogradgraph.figures.tables import tables_of
from sphinx_autogradgraph.hosts.sphinx import build_wide, dependencies
from sphinx_autogradgraph.hosts.sphinx.attributes import CHECK, UPDATE
from sphinx_autogradgraph.hosts.sphinx.comparisons import COMPARISONS, snapshot_policy
from sphinx_autogradgraph.hosts.sphinx.document_page import (
    DocumentPage,
    PageJob,
    PageRun,
    concerns_us,
)
from sphinx_autogradgraph.hosts.sphinx.figure_nodes import fail, fill, leave_out
from sphinx_autogradgraph.hosts.sphinx.table_nodes import table_node
from sphinx_autogradgraph.hosts.sphinx.translation import _
from sphinx_autogradgraph.render.arrange import arrange
from sphinx_autogradgraph.runtime.cache import Cache
from sphinx_autogradgraph.runtime.cached_client import CachedRunner
from sphinx_autogradgraph.runtime.client import Runner, has_torch
from sphinx_autogradgraph.runtime.result import Traced
from sphinx_autogradgraph.snapshots.comparison import SnapshotComparison, SnapshotStatus
from sphinx_autogradgraph.snapshots.policy import Purpose, fall_back

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

IDLE_BUILDERS = frozenset({"changes", "gettext", "linkcheck"})
"""Builders whose output does not depend on what code does: they run none."""


class Build:
    """What the pages of one build share: who runs programs, and what is kept of their graphs.

    Made before Sphinx forks to read; the worker starts with the first program.
    """

    def __init__(self, app: Sphinx) -> None:
        config = app.config
        cache = config.autogradgraph_cache
        directory = os.path.join(app.confdir, cache) if cache else app.doctreedir / CHECK
        self._executor = CachedRunner(
            Runner(environment=config.autogradgraph_environment),
            # A check wants to know what the code does, not what it did.
            None if _checks(app) else Cache(directory),
        )
        self._keeper = snapshot_policy(app)

    def warm_up(self, app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
        """Have torch imported while documents are read, if one of them looks as if it needed it."""
        if not docnames or app.builder.name in IDLE_BUILDERS or not self._runs(app):
            return
        for docname in docnames:
            try:
                text = Path(env.doc2path(docname)).read_text("utf-8", errors="ignore")
            except OSError:  # Sphinx has words for that
                continue
            if "autogradgraph" in text:
                self._executor.warm_up()
                return

    def close(self) -> None:
        """End what was started."""
        self._executor.close()

    def draw_page(self, app: Sphinx, document: nodes.document) -> None:
        """Draw all figures of a document that has just been read."""
        if not concerns_us(document):
            return
        env = app.env
        page = DocumentPage(
            document, app.config.highlight_language, str(env.srcdir), page_slug(env.docname)
        )
        if not page.plan.jobs:
            return
        if app.builder.name in IDLE_BUILDERS:
            for job in page.plan.jobs:
                leave_out(job.figure)
            env.note_reread()  # the next builder may share these doctrees, and needs the drawings
            return
        if self._runs(app):
            self._run(app, page)
        for job in page.plan.jobs:
            page.show_source(job)
        for job in page.plan.jobs:
            self._finish(app, page, job)

    # --- running ---

    def _runs(self, app: Sphinx) -> bool:
        """Whether this build runs code, or draws from snapshots alone."""
        mode = app.config.autogradgraph_execution
        if _checks(app) or mode == "always":
            return True
        return mode == "auto" and has_torch()

    def _run(self, app: Sphinx, page: DocumentPage) -> None:
        """Run the programs of a page; outcomes go to the jobs, diagnostics to the author."""
        env = app.env
        root = str(env.srcdir)
        runs = page.plan.runs(os.path.dirname(env.doc2path(env.docname)), root)
        path = _import_path(app)

        def waiting(done: int, count: int, seconds: float) -> None:
            text = _(
                "running the code of {page}: {done} of {count} programs done after {seconds} s"
            )
            values = {
                "page": env.docname,
                "done": done,
                "count": count,
                "seconds": f"{seconds:.0f}",
            }
            logger.info(text.format(**values))

        memory = app.config.autogradgraph_memory
        programs = [replace(run.program, path=path, memory=memory) for run in runs]
        results = self._executor.run(programs, waiting)
        if self._executor.cache_error is not None:
            build_wide.note(env, page.plan.jobs[0].figure, self._executor.cache_error)
        for run, result in zip(runs, results, strict=True):
            files = [block.path for block in run.program.blocks]
            document = str(env.doc2path(env.docname))
            dependencies.note(env, [path for path in files if path != document])
            dependencies.note(env, result.files)
            for job, outcome in zip(run.jobs, result.targets, strict=True):
                job.outcome = outcome
            self._report_run(app, run)

    def _report_run(self, app: Sphinx, run: PageRun) -> None:
        """Report what went wrong in a run.

        Where torch turns out to be broken, «auto» falls back on snapshots.
        """
        if app.config.autogradgraph_execution == "auto" and not _checks(app):
            for job in run.jobs:
                if isinstance(job.outcome, Diagnostic) and job.outcome.build_wide:
                    kept = self._kept(app, job)
                    if isinstance(kept, Traced):
                        job.outcome, job.from_snapshot = kept, True
        for element, diagnostic in run.diagnostics():
            _report(app.env, element, diagnostic)

    # --- snapshots ---

    def _kept(self, app: Sphinx, job: PageJob) -> Traced | Diagnostic | None:
        """The snapshot of a figure."""
        if self._keeper is None:
            return None
        return self._keeper.read(self._path(app, job))

    def _path(self, app: Sphinx, job: PageJob) -> Path:
        assert self._keeper is not None
        return self._keeper.path(app.env.docname, job.request.options.name, job.number)

    def _from_snapshot(self, app: Sphinx, job: PageJob) -> Traced | Diagnostic:
        """What a figure that is not run is drawn from, or why it is not."""
        if self._keeper is not None:
            dependencies.note(app.env, [str(self._path(app, job))])
        skip, mode = job.request.options.skip, app.config.autogradgraph_execution
        path = None if self._keeper is None else self._path(app, job)
        return fall_back(self._keeper, path, job.request.target, skip, mode)

    def _keep(self, app: Sphinx, job: PageJob, traced: Traced) -> None:
        """Compare a graph of today with its snapshot; keep it if there is none."""
        env, keeper = app.env, self._keeper
        if keeper is None:
            return
        path = self._path(app, job)
        status, words, diagnostics = keeper.keep(path, traced, _purpose(app))
        for diagnostic in diagnostics:
            _report(env, job.figure, diagnostic)
        dependencies.note(env, [str(path)])
        self._note(app, job, status, words)

    def _note(
        self, app: Sphinx, job: PageJob, status: SnapshotStatus, words: Sequence[str] = ()
    ) -> None:
        """Remember what a figure is to its snapshot."""
        if self._keeper is not None:
            path = str(self._path(app, job))
            COMPARISONS.add(
                app.env, SnapshotComparison(job.figure.line, path, status, tuple(words))
            )

    # --- figures ---

    def _outcome(self, app: Sphinx, job: PageJob) -> Traced | Diagnostic:
        """What a figure is drawn from, or why it is not, with the diagnostics reported."""
        for diagnostic in job.request.diagnostics:
            _report(app.env, job.figure, diagnostic)
        if job.request.diagnostics:
            return job.request.diagnostics[0]
        if job.outcome is None:
            outcome = self._from_snapshot(app, job)
            if isinstance(outcome, Traced):
                self._note(app, job, "same")
            elif not job.request.options.skip:
                _report(app.env, job.figure, outcome)
            return outcome
        if isinstance(job.outcome, Traced) and not job.from_snapshot:
            self._keep(app, job, job.outcome)
        return job.outcome

    def _finish(self, app: Sphinx, page: DocumentPage, job: PageJob) -> None:
        """Put what was traced into its figure, or say there why it could not be drawn."""
        env, options, figure = app.env, job.request.options, job.figure
        outcome = self._outcome(app, job)
        if isinstance(outcome, Diagnostic):
            self._note(app, job, "same" if options.skip else "failed")
            fail(figure, outcome)
            return
        links = {}
        for node in outcome.graph.nodes:
            link = None if node.source is None else page.line_link(job, node.source)
            if link is not None:
                links[node.id] = link
        try:
            arranged = arrange(
                outcome.graph,
                options.scope,
                options.show,
                options.direction,
                app.config.autogradgraph_layout,
                float(app.config.autogradgraph_layout_timeout),
                _,
            )
        except DiagnosticError as error:
            _report(env, figure, error.diagnostic)
            fail(figure, error.diagnostic)
            return
        if arranged.diagnostic is not None:
            _report(env, figure, arranged.diagnostic)
        prefix = f"{page_slug(env.docname)}-{job.number}"
        fill(
            figure,
            outcome,
            options,
            FigureLayout.of(arranged, outcome.graph, options, prefix, links),
        )
        parent = figure.parent
        for table in reversed(tables_of(options.table, outcome, links, _)):
            parent.insert(parent.index(figure) + 1, table_node(table))


def _purpose(app: Sphinx) -> Purpose:
    """What the graphs of this build are made for."""
    purposes: dict[str, Purpose] = {CHECK: "check", UPDATE: "update"}
    return purposes.get(app.builder.name, "build")


def _checks(app: Sphinx) -> bool:
    """Whether this build checks or updates snapshots, and so wants to know what the code does."""
    return _purpose(app) != "build"


def _import_path(app: Sphinx) -> tuple[str, ...]:
    """What ``conf.py`` made of ``sys.path``; what is relative there is so to ``conf.py``."""
    return tuple(os.path.join(app.confdir, entry) for entry in sys.path if entry)


def _report(env: BuildEnvironment, node: nodes.Element, diagnostic: Diagnostic) -> None:
    """Warn of a diagnostic at a node of the author's, now and on every build until it is mended."""
    env.note_reread()
    if diagnostic.build_wide:
        build_wide.note(env, node, diagnostic)
        return
    logger.warning(
        diagnostic.report(_), location=node, type="autogradgraph", subtype=diagnostic.kind
    )
