"""One build: read pages are drawn, from running their programs or from snapshots."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging

from sphinx_autogradgraph.drawing.arrange import arrange
from sphinx_autogradgraph.execution.cache import Cache
from sphinx_autogradgraph.execution.executor import Executor
from sphinx_autogradgraph.execution.result import Traced
from sphinx_autogradgraph.execution.runner import Runner
from sphinx_autogradgraph.faults import Fault, FaultError
from sphinx_autogradgraph.message import Message
from sphinx_autogradgraph.sphinxext import dependencies, surroundings
from sphinx_autogradgraph.sphinxext.drawn import Drawn
from sphinx_autogradgraph.sphinxext.kept import KEPT, Keeper, Kept, State
from sphinx_autogradgraph.sphinxext.messages import _
from sphinx_autogradgraph.sphinxext.nodes import fail, fill, leave_out, page_slug
from sphinx_autogradgraph.sphinxext.page import Job, Page, Run, concerns_us
from sphinx_autogradgraph.sphinxext.tables import tables

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

IDLE_BUILDERS = frozenset({"changes", "gettext", "linkcheck"})
"""Builders whose output does not depend on what code does: they run none."""

CHECK, UPDATE = "autogradgraph", "autogradgraph-update"
"""The names of our builders: they run everything, and compare or accept."""


class Build:
    """What the pages of one build share: who runs programs, and what is kept of their graphs."""

    def __init__(self) -> None:
        self._executor: Executor | None = None
        self._keeper: Keeper | None = None

    # --- events ---

    def start(self, app: Sphinx) -> None:
        """Make ready, before Sphinx forks to read; the worker starts with the first program."""
        config = app.config
        cache = config.autogradgraph_cache
        directory = os.path.join(app.confdir, cache) if cache else app.doctreedir / CHECK
        # A check wants to know what the code does, not what it did.
        self._executor = Executor(
            Runner(environment=config.autogradgraph_environment),
            None if _checks(app) else Cache(directory),
        )
        self._keeper = Keeper.of(app)

    def finish(self, app: Sphinx, exception: Exception | None) -> None:
        """End what was started."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None

    def draw_page(self, app: Sphinx, document: nodes.document) -> None:
        """Draw all figures of a document that has just been read."""
        if not concerns_us(document):
            return
        env = app.env
        page = Page(
            document, app.config.highlight_language, str(env.srcdir), page_slug(env.docname)
        )
        if not page.jobs:
            return
        if app.builder.name in IDLE_BUILDERS:
            for job in page.jobs:
                leave_out(job.figure)
            env.note_reread()  # the next builder may share these doctrees, and needs the drawings
            return
        if self._runs(app):
            self._run(app, page)
        for job in page.jobs:
            page.show_source(job)
        for job in page.jobs:
            self._finish(app, page, job)

    # --- running ---

    def _runs(self, app: Sphinx) -> bool:
        """Whether this build runs code, or draws from snapshots alone."""
        mode = app.config.autogradgraph_execution
        if _checks(app) or mode == "always":
            return True
        return mode == "auto" and _has_torch()

    def _run(self, app: Sphinx, page: Page) -> None:
        """Run the programs of a page; outcomes go to the jobs, faults to the author."""
        assert self._executor is not None, "documents are read after builder-inited"
        env = app.env
        root = str(env.srcdir)
        runs = page.runs(os.path.dirname(env.doc2path(env.docname)), root)
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
        if self._executor.trouble is not None:
            surroundings.note(env, page.jobs[0].figure, self._executor.trouble)
        for run, result in zip(runs, results, strict=True):
            files = [block.path for block in run.program.blocks]
            document = str(env.doc2path(env.docname))
            dependencies.note(env, [path for path in files if path != document])
            dependencies.note(env, result.files)
            for job, outcome in zip(run.jobs, result.draws, strict=True):
                job.outcome = outcome
            self._report_run(app, run)

    def _report_run(self, app: Sphinx, run: Run) -> None:
        """Report what went wrong in a run: once, though it may keep many figures from being drawn.

        Where torch turns out to be broken, «auto» falls back on snapshots.
        """
        reported: list[Fault] = []
        for job in run.jobs:
            fault = job.outcome
            if not isinstance(fault, Fault):
                continue
            auto = app.config.autogradgraph_execution == "auto"
            if fault.surroundings and auto and not _checks(app):
                kept = self._kept(app, job)
                if isinstance(kept, Traced):
                    job.outcome, job.from_snapshot = kept, True
                    continue
            of_the_run = fault.block is not None or fault.kind in ("timeout", "crash")
            if of_the_run and fault in reported and not fault.surroundings:
                continue
            reported.append(fault)
            at_block = fault.block is not None and run.blocks
            _report(app.env, run.blocks[fault.block or 0] if at_block else job.figure, fault)

    # --- snapshots ---

    def _kept(self, app: Sphinx, job: Job) -> Traced | Fault | None:
        """The snapshot of a figure."""
        if self._keeper is None:
            return None
        return self._keeper.read(self._path(app, job))

    def _path(self, app: Sphinx, job: Job) -> Path:
        assert self._keeper is not None
        return self._keeper.path(app.env.docname, job.request.options.name, job.number)

    def _from_snapshot(self, app: Sphinx, job: Job) -> Traced | Fault:
        """What a figure that is not run is drawn from, or why it is not."""
        if self._keeper is not None:
            dependencies.note(app.env, [str(self._path(app, job))])
        kept = self._kept(app, job)
        if isinstance(kept, Traced) and set(job.request.draw.extras) - {"inputs"}:
            note = Message(
                "Gradients, saved tensors and values are read where the code runs, and are not "
                "kept in snapshots."
            )
            return replace(kept, notes=(*kept.notes, note))
        if kept is not None:
            return kept
        if job.request.options.skip:
            return Fault("snapshot", "it is skipped, and there is no snapshot of it")
        if app.config.autogradgraph_execution == "auto":
            return Fault(
                "execution",
                "torch is not installed where the docs are built, and there is no snapshot to "
                "draw from; install it with pip install 'sphinx-autogradgraph[torch]', or keep "
                "snapshots: set autogradgraph_snapshots, run autogradgraph update where torch is, "
                "and commit them",
                surroundings=True,
            )
        if self._keeper is None:
            return Fault(
                "snapshot",
                "nothing is run (autogradgraph_execution = 'never'), and no snapshots are kept; "
                "set autogradgraph_snapshots, and run autogradgraph update where torch is",
                surroundings=True,
            )
        return Fault(
            "snapshot",
            "there is no snapshot {file}; run autogradgraph update where torch is, and commit it",
            {"file": self._keeper.display(self._path(app, job))},
        )

    def _keep(self, app: Sphinx, job: Job, traced: Traced) -> None:
        """Compare a graph of today with its snapshot; keep it if there is none."""
        env, keeper = app.env, self._keeper
        if keeper is None:
            return
        path = self._path(app, job)
        found = keeper.compare(path, traced)
        state: State
        if isinstance(found, Fault):
            state, words = "drift", [found.sentence(_)]
            if not _checks(app):
                _report(env, job.figure, found)
        else:
            state, words = found
            if state == "drift" and not _checks(app):
                fault = Fault(
                    "drift",
                    "the graph is no longer that of {file}; look at it, and accept it with "
                    "autogradgraph update",
                    {"file": keeper.display(path)},
                    detail="\n".join(words),
                )
                _report(env, job.figure, fault)
        if app.builder.name != CHECK and (state == "missing" or app.builder.name == UPDATE):
            fault_of_it = keeper.write(path, traced) if state != "same" else None
            if fault_of_it is not None:
                _report(env, job.figure, fault_of_it)
        dependencies.note(env, [str(path)])
        self._note(app, job, state, words)

    def _note(self, app: Sphinx, job: Job, state: State, words: Sequence[str] = ()) -> None:
        """Remember what a figure is to its snapshot."""
        if self._keeper is not None:
            path = str(self._path(app, job))
            KEPT.add(app.env, Kept(job.figure.line, path, state, tuple(words)))

    # --- figures ---

    def _outcome(self, app: Sphinx, job: Job) -> Traced | Fault:
        """What a figure is drawn from, or why it is not, with the faults reported."""
        for fault in job.request.faults:
            _report(app.env, job.figure, fault)
        if job.request.faults:
            return job.request.faults[0]
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

    def _finish(self, app: Sphinx, page: Page, job: Job) -> None:
        """Put what was traced into its figure, or say there why it could not be drawn."""
        env, options, figure = app.env, job.request.options, job.figure
        outcome = self._outcome(app, job)
        if isinstance(outcome, Fault):
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
        except FaultError as error:
            _report(env, figure, error.fault)
            fail(figure, error.fault)
            return
        if arranged.fault is not None:
            _report(env, figure, arranged.fault)
        prefix = f"{page_slug(env.docname)}-{job.number}"
        fill(figure, outcome, options, Drawn.of(arranged, outcome.graph, options, prefix, links))
        parent = figure.parent
        for table in reversed(tables(options.table, outcome, links)):
            parent.insert(parent.index(figure) + 1, table)


def _checks(app: Sphinx) -> bool:
    """Whether this build checks or updates snapshots, and so wants to know what the code does."""
    return app.builder.name in (CHECK, UPDATE)


@cache
def _has_torch() -> bool:
    """Whether torch is installed, without importing it."""
    try:
        return importlib.util.find_spec("torch") is not None
    except (ImportError, ValueError):
        return False


def _import_path(app: Sphinx) -> tuple[str, ...]:
    """What ``conf.py`` made of ``sys.path``; what is relative there is so to ``conf.py``."""
    return tuple(os.path.join(app.confdir, entry) for entry in sys.path if entry)


def _report(env: BuildEnvironment, node: nodes.Element, fault: Fault) -> None:
    """Warn of a fault at a node of the author's, now and on every build until it is mended."""
    env.note_reread()
    if fault.surroundings:
        surroundings.note(env, node, fault)
        return
    logger.warning(fault.report(_), location=node, type="autogradgraph", subtype=fault.kind)
