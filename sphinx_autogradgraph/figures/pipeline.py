"""The pipeline: from the figures of a page to drawings, the same for every host.

::

    plan ─► programs run, or snapshots in their place ─► outcomes ─► comparison with the snapshot
         ─► view and layout ─► the finished figure, which the host puts into its page

A host makes one :class:`Pipeline` for a build and calls :meth:`Pipeline.draw` for each page; or
:meth:`Pipeline.start` for each page that it has read, while it reads others, and then
:meth:`Pipeline.finish` for all of them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import cache, partial
from typing import Any

from sphinx_autogradgraph.core.descriptors import room_in_descriptors
from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.core.processors import processors
from sphinx_autogradgraph.figures.figure_layout import FigureLayout, lay_out_figure
from sphinx_autogradgraph.figures.page_figures import E, FinishedFigure, PageFigures
from sphinx_autogradgraph.figures.plan import Figure
from sphinx_autogradgraph.figures.stage_times import StageTimes
from sphinx_autogradgraph.figures.tables import tables_of
from sphinx_autogradgraph.graph.model import source_of
from sphinx_autogradgraph.program.observations import Observation
from sphinx_autogradgraph.program.program import blocks_of_files
from sphinx_autogradgraph.render.captions import caption_and_legend
from sphinx_autogradgraph.runtime.cached_client import CachedRunner
from sphinx_autogradgraph.runtime.client import runs_code
from sphinx_autogradgraph.runtime.result import Traced
from sphinx_autogradgraph.snapshots.comparison import (
    SnapshotComparison,
    SnapshotStatus,
    lines_gone,
    other_files,
)
from sphinx_autogradgraph.snapshots.figure_names import is_altered
from sphinx_autogradgraph.snapshots.policy import Purpose, SnapshotPolicy, fall_back

SHORT = 0.2
"""Seconds of waiting for one thing before the others are looked after."""

PROGRESS = 5.0
"""Seconds between two reports of how far a build is."""

Progress = Callable[[int, int, float], None]
"""Takes the number of pages that are done, the number of all, and the seconds so far."""


class Pipeline:
    """Draws the figures of all pages of one build.

    ``runner`` runs its programs, has its settings, and is closed with it (see :func:`.runner_of`).
    ``opens`` tells whether folded drawings can open in the pages.
    """

    def __init__(
        self,
        runner: CachedRunner,
        *,
        snapshots: SnapshotPolicy | None,
        purpose: Purpose = "build",
        opens: bool = True,
        translate: Translate = untranslated,
    ) -> None:
        self.settings = runner.settings
        self.snapshots = snapshots
        self.purpose = purpose
        self._opens = opens
        self.times = StageTimes()
        self._translate = translate
        self._runner = runner

    @property
    def runs(self) -> bool:
        """Whether code is run, or figures are drawn from snapshots alone."""
        return runs_code(self.settings.execution, is_build=self.purpose == "build")

    def release(self) -> None:
        """Let the worker end, since probably no page will come."""
        self._runner.release()

    def close(self) -> None:
        """End the worker."""
        self._runner.close()

    def draw(self, page: PageFigures[E]) -> None:
        """Run the programs of a page and put its figures into it."""
        self.start(page)
        for _ in self.finish([page]):
            pass

    def start(self, page: PageFigures[E]) -> None:
        """Hand the programs of a page over, and return at once."""
        if not self.runs:
            return
        page.programs = page.plan.programs(page.directory, page.root)
        blocks = {block.path for run in page.programs for block in run.program.blocks}
        page.host.depends_on(map(Observation.of_file, sorted(blocks)))
        page.submitted = self._runner.submit([run.program for run in page.programs])

    def finish(
        self, pages: Sequence[PageFigures[E]], progress: Progress | None = None
    ) -> Iterator[PageFigures[E]]:
        """Put figures into the pages that were started; yield each page when that is done.

        Pages come in their order, whatever ends first.  Programs go on meanwhile, and layouts are
        made side by side.  When it takes long, ``progress`` is called now and then.
        """
        begin = time.monotonic()
        tell = begin + PROGRESS
        ahead = deque(pages)
        queue = deque(pages)
        # The start of an engine opens eight files.
        with ThreadPoolExecutor(room_in_descriptors(processors(), each=24)) as pool:
            while queue:
                self._runner.advance()
                for page in [page for page in ahead if not page.submitted or page.submitted.done()]:
                    ahead.remove(page)
                    self._collect(page, pool)
                if queue[0] not in ahead and _wait(queue[0].layouts.values(), SHORT):
                    page = queue.popleft()
                    self._conclude(page)
                    yield page
                elif queue[0] in ahead:
                    self._runner.advance(SHORT)
                if progress is not None and time.monotonic() > tell:
                    progress(len(pages) - len(queue), len(pages), time.monotonic() - begin)
                    tell = time.monotonic() + PROGRESS

    def pass_over(self, page: PageFigures[E]) -> None:
        """Note the figures of a page that another part of a check compares."""
        for figure in page.plan.figures:
            self._note(page, figure, "elsewhere")

    # --- running ---

    def _collect(self, page: PageFigures[E], pool: Executor) -> None:
        """Hand the outcomes of programs and snapshots to the figures, and start their layouts."""
        if page.submitted is not None:
            page.results = page.submitted.results()
            self.times.of_programs(page.submitted, page.results, self._runner.importing)
        for run, result in zip(page.programs, page.results, strict=True):
            for figure, outcome in zip(run.figures, result.targets, strict=True):
                figure.outcome = outcome
        for figure in page.plan.figures:
            if self._falls_back(figure):
                snapshot = self._snapshot(page, figure)
                if figure.outcome is None or isinstance(snapshot, Traced):
                    figure.outcome, figure.from_snapshot = snapshot, True
            if isinstance(figure.outcome, Traced):
                page.layouts[figure.number] = pool.submit(
                    self.times.of_layout,
                    lay_out_figure,
                    figure.outcome.graph,
                    figure.request.options,
                    f"{page.slug}-{figure.number}",
                    self.settings,
                    self._translate,
                    opens=self._opens and self.purpose == "build",
                )

    def _falls_back(self, figure: Figure[E]) -> bool:
        """Whether a figure is drawn from its snapshot, if there is one.

        With ``auto``, also where torch turned out to be broken.
        """
        if figure.request.diagnostics:
            return False
        if self.settings.execution == "auto" and self.purpose == "build":
            broken = isinstance(figure.outcome, Diagnostic) and figure.outcome.build_wide
            return broken or figure.outcome is None
        return figure.outcome is None

    def _conclude(self, page: PageFigures[E]) -> None:
        """Report what went wrong on a page, compare its graphs, and put its figures into it."""
        for figure in page.plan.figures:
            self._check_name(page, figure)
        if (error := self._runner.take_cache_error()) is not None:
            first = page.plan.figures[0].element
            page.host.warn(first, error, first)
        for run, result in zip(page.programs, page.results, strict=True):
            page.host.depends_on(result.observed)
            for element, diagnostic in run.diagnostics():
                page.host.warn(element, diagnostic, run.figures[0].element)
        for figure in page.plan.figures:
            self._finish(page, figure)

    # --- snapshots ---

    def _check_name(self, page: PageFigures[E], figure: Figure[E]) -> None:
        """Warn of a figure whose snapshot is not called by its name."""
        path, name = page.host.snapshot_path(figure), figure.request.options.name
        if path is not None and self.snapshots is not None and is_altered(name, path.name):
            values = {"name": name, "file": self.snapshots.display(path)}
            diagnostic = Diagnostic(
                "snapshot",
                "the name {name} could be that of another snapshot, so this one is {file}; choose "
                "a name of its own, of letters, digits, - and _",
                values,
            )
            page.host.warn(figure.element, diagnostic, figure.element)

    def _snapshot(self, page: PageFigures[E], figure: Figure[E]) -> Traced | Diagnostic:
        """Return the snapshot of a figure whose code is not run, or why it cannot be drawn."""
        path = page.host.snapshot_path(figure)
        if path is not None:
            page.host.depends_on([Observation.of_file(str(path))])
        options, target = figure.request.options, figure.request.target
        return fall_back(self.snapshots, path, target, options.skip, self.settings.execution)

    def _check_lines(self, page: PageFigures[E], figure: Figure[E], kept: Traced) -> None:
        """Warn if the code is not that of the snapshot: a line of it is not there any more.

        Nothing runs, so the texts of the lines are all that can tell, in the code of the figure and
        in the modules that it imported.
        """
        path = page.host.snapshot_path(figure)
        blocks = page.plan.blocks_of(figure)
        modules = blocks_of_files(sorted(other_files(kept.graph, blocks)), page.root)
        page.host.depends_on([Observation.of_file(module.path) for module in modules])
        gone = lines_gone(kept.graph, [*blocks, *modules])
        if gone and self.snapshots is not None and path is not None:
            diagnostic = Diagnostic(
                "drift",
                "the code is no longer that of {file}, and is not run; accept its graph with "
                "autogradgraph update where torch is. It has no more these lines:",
                {"file": self.snapshots.display(path)},
                detail="\n".join(gone),
            )
            page.host.warn(figure.element, diagnostic, figure.element)

    def _compare(self, page: PageFigures[E], figure: Figure[E], traced: Traced) -> None:
        """Compare a graph of today with its snapshot; keep it if there is none."""
        path = page.host.snapshot_path(figure)
        if self.snapshots is None or path is None:
            return
        comparison, diagnostics = self.snapshots.keep(path, traced, self.purpose, figure.line)
        for diagnostic in diagnostics:
            page.host.warn(figure.element, diagnostic, figure.element)
        page.host.depends_on([Observation.of_file(str(path))])
        page.comparisons.append(comparison)

    def _note(
        self,
        page: PageFigures[E],
        figure: Figure[E],
        status: SnapshotStatus,
        words: Sequence[str] = (),
    ) -> None:
        """Note the status of a figure whose graph is not compared."""
        path = page.host.snapshot_path(figure)
        if path is not None:
            comparison = SnapshotComparison(figure.line, str(path), status, tuple(words))
            page.comparisons.append(comparison)

    # --- figures ---

    def _outcome(self, page: PageFigures[E], figure: Figure[E]) -> Traced | Diagnostic:
        """Return the graph that a figure is drawn from, or the diagnostic; report all of them."""
        diagnostics = figure.request.diagnostics
        for diagnostic in diagnostics:
            page.host.warn(figure.element, diagnostic, figure.element)
        if diagnostics:
            return diagnostics[0]
        outcome = figure.outcome
        assert outcome is not None, "a figure is run or falls back"
        if isinstance(outcome, Traced):
            if figure.from_snapshot:
                self._check_lines(page, figure, outcome)
                self._note(page, figure, "same")
            else:
                self._compare(page, figure, outcome)
        elif figure.from_snapshot and not figure.request.options.skip:
            page.host.warn(figure.element, outcome, figure.element)
        return outcome

    def _finish(self, page: PageFigures[E], figure: Figure[E]) -> None:
        """Put a figure into its page."""
        outcome = self._outcome(page, figure)
        if isinstance(outcome, Diagnostic):
            words = outcome.report(self._translate).splitlines()
            self._note(page, figure, "same" if figure.request.options.skip else "failed", words)
            page.host.place(figure, outcome)
            return
        try:
            layout, diagnostics = page.layouts[figure.number].result()
        except DiagnosticError as error:
            page.host.warn(figure.element, error.diagnostic, figure.element)
            page.host.place(figure, error.diagnostic)
            return
        for diagnostic in diagnostics:
            page.host.warn(figure.element, diagnostic, figure.element)
        page.host.place(figure, self._finished(page, figure, outcome, layout))

    def _finished(
        self, page: PageFigures[E], figure: Figure[E], traced: Traced, layout: FigureLayout
    ) -> FinishedFigure:
        """Link the nodes of a figure to lines of the page, and make its words and tables."""
        options, graph, _ = figure.request.options, traced.graph, self._translate
        # A loop has few lines and many nodes.
        anchor_of = cache(partial(page.host.line_anchor, figure))
        anchors = {
            node.id: anchor
            for node in graph.nodes
            if (source := source_of(node)) is not None and (anchor := anchor_of(source)) is not None
        }
        caption, legend = caption_and_legend(
            graph,
            layout.view or graph,
            layout.show,
            traced.notes,
            is_folded=layout.folded,
            has_caption=bool(options.caption),
            translate=_,
        )
        tables = tables_of(options.table, traced, anchors, _, options.show)
        return FinishedFigure(traced, replace(layout, lines=anchors), caption, legend, tables)


def _wait(futures: Collection[Future[Any]], seconds: float) -> bool:
    """Wait for layouts, at most so many seconds; return whether all are there."""
    return not futures or not wait(futures, seconds).not_done
