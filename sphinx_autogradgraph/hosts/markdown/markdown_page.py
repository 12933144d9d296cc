"""A page of a Markdown site: its figures, drawn together, as in a document of Sphinx."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.figures.figure_layout import FigureLayout
from sphinx_autogradgraph.figures.html_ids import page_slug
from sphinx_autogradgraph.figures.option_names import NAMES
from sphinx_autogradgraph.figures.options import parse_options
from sphinx_autogradgraph.figures.plan import Job, Plan
from sphinx_autogradgraph.figures.request import Request
from sphinx_autogradgraph.hosts.markdown.converters import PageHost
from sphinx_autogradgraph.hosts.markdown.fences import FIGURE, Fence, fences
from sphinx_autogradgraph.hosts.markdown.markdown_html import code_html, failed_html, figure_html
from sphinx_autogradgraph.hosts.markdown.site import MarkdownSite
from sphinx_autogradgraph.program.notebook_cells import python_of
from sphinx_autogradgraph.program.program import Block, display_path
from sphinx_autogradgraph.program.source_lines import line_of_code, source_lines
from sphinx_autogradgraph.render.arrange import arrange
from sphinx_autogradgraph.runtime.result import Traced
from sphinx_autogradgraph.snapshots.comparison import SnapshotComparison, SnapshotStatus
from sphinx_autogradgraph.snapshots.policy import fall_back

REFERENCE = "reference"
"""The option that Sphinx has as the directive's argument."""

UNKNOWN = "page"
"""The name of a page whose host does not tell."""


@dataclass(frozen=True)
class Figure:
    """A figure that is drawn or failed: its HTML, and the warnings that there were of it."""

    fence: Fence
    html: str
    diagnostics: tuple[str, ...]


class MarkdownPage:
    """The figures of a page.  ``lines`` are its text, as its host has it."""

    def __init__(self, site: MarkdownSite, host: PageHost, lines: Sequence[str]) -> None:
        self.site = site
        self.host = host
        self.lines = lines
        self.kept: list[SnapshotComparison] = []
        self._source = () if host.path is None else source_lines(host.path)
        self._directory = str(site.root if host.path is None else Path(host.path).parent)
        self._file = display_path(host.path, site.root) if host.path else UNKNOWN
        self._slug = page_slug(host.name or UNKNOWN)
        self._warnings: dict[int, list[str]] = {}  # by the line of the fence
        self._figures = self._draw(list(fences(lines)))
        self._next = 0

    def figure_of(self, fence: Fence) -> tuple[str, tuple[str, ...]]:
        """The HTML of a figure of the page, and its warnings; figures come in their order.

        A fence that is not found in the text of the page stands alone.
        """
        order = [*self._figures[self._next :], *self._figures[: self._next]]
        for figure in order:
            # Of a header that it does not understand SuperFences may find other options in it.
            alike = figure.fence.header and figure.fence.body == fence.body
            if figure.fence == fence or alike:
                self._next = self._figures.index(figure) + 1
                return figure.html, figure.diagnostics
        (alone,) = self._draw([fence], len(self._figures))
        self._figures.append(alone)
        return alone.html, alone.diagnostics

    # --- drawing ---

    def _draw(self, found: Sequence[Fence], before: int = 0) -> list[Figure]:
        """Run and draw all figures among the fences, numbered from ``before`` on."""
        plan: Plan[Fence] = Plan()
        for place, fence in enumerate(found):
            if fence.language == FIGURE:
                plan.add_figure(fence, self._request(fence), place)
            elif fence.runs:
                plan.add_block(fence, self._block(fence))
        if not plan.jobs:
            return []
        if self.site.diagnostic is not None:
            self._report(plan.jobs[0].figure, self.site.diagnostic)
        if self.site.runs:
            self._run(plan)
        figures = []
        for job in plan.jobs:
            html = self._finish(job, before)
            warnings = self._warnings.get(job.figure.line, ())
            figures.append(Figure(job.figure, html, tuple(warnings)))
        return figures

    def _run(self, plan: Plan[Fence]) -> None:
        runs = plan.runs(self._directory, str(self.site.root))
        results = self.site.run([run.program for run in runs])
        if self.site.cache_error is not None:
            self._report(plan.jobs[0].figure, self.site.cache_error)
        for run, result in zip(runs, results, strict=True):
            for job, outcome in zip(run.jobs, result.targets, strict=True):
                job.outcome = outcome
                lost = isinstance(outcome, Diagnostic) and outcome.build_wide
                if lost and self.site.settings.execution == "auto":
                    kept = self._stand_in(job)
                    if isinstance(kept, Traced):
                        job.outcome, job.from_snapshot = kept, True
            for fence, diagnostic in run.diagnostics():
                # In strict builds it is the figure that ends the build, wherever the block is.
                self._report(fence, diagnostic, run.jobs[0].figure)

    def _request(self, fence: Fence) -> Request:
        settings = self.site.settings
        texts = {key: value for key, value in fence.options.items() if key != REFERENCE}
        if fence.id:
            texts.setdefault("name", fence.id)
        if fence.classes:
            texts.setdefault("figclass", " ".join(fence.classes))
        options = parse_options(
            texts,
            show=settings.show,
            timeout=settings.timeout,
            limit=settings.max_nodes,
        )
        block = self._block(fence) if fence.body.strip() else None
        request = Request.of(
            options,
            fence.options.get(REFERENCE),
            block,
            directory=self._directory,
            root=str(self.site.root),
            path_of=self._path_of,
        )
        if fence.header:
            diagnostic = Diagnostic(
                "option",
                'the header {header} is none that SuperFences reads; write key="value", with _ '
                "for -",
                {"header": repr(fence.header)},
            )
            return Request(options, request.target, None, None, False, (diagnostic,))
        unknown = [name for name in texts if name not in NAMES]
        if unknown:
            diagnostic = Diagnostic(
                "option",
                "there is no option {name}; the options are {choices}",
                {"name": unknown[0], "choices": ", ".join(sorted((*NAMES, REFERENCE)))},
            )
            return Request(
                options, request.target, None, block, False, (diagnostic, *request.diagnostics)
            )
        return request

    def _block(self, fence: Fence) -> Block:
        code = python_of(fence.body) + "\n"
        return Block(code, self._file, self.host.path or self._file, self._line(fence) + 1)

    def _line(self, fence: Fence) -> int:
        """The line of a fence in the file of its page, from 1: front matter moves the others."""
        if not 0 < fence.line <= len(self.lines):
            return fence.line
        header = self.lines[fence.line - 1]
        for text in (f"{header}\n{fence.body}".rstrip(), header):
            found = line_of_code(text, self._source, fence.line)
            if found is not None:
                return found
        return fence.line

    def _path_of(self, name: str) -> str:
        """Where a file is that a reference names: from the page, else from the project.

        With a leading ``/`` it is from the documentation, else from the project.
        """
        relative = name.lstrip("/")
        first = self.host.docs if name.startswith("/") else Path(self._directory)
        places = [place / relative for place in (first, self.site.root) if place is not None]
        found = next((path for path in places if os.path.lexists(path)), places[0])
        return os.path.normpath(found)

    # --- outcomes ---

    def _stand_in(self, job: Job[Fence]) -> Traced | Diagnostic:
        return fall_back(
            self.site.keeper,
            self._snapshot(job),
            job.request.target,
            job.request.options.skip,
            self.site.settings.execution,
        )

    def _snapshot(self, job: Job[Fence]) -> Path | None:
        """The file of a figure's snapshot; none where the page is not known."""
        if self.site.keeper is None or self.host.name is None:
            return None
        return self.site.keeper.path(self.host.name, job.request.options.name, job.number)

    def _outcome(self, job: Job[Fence]) -> Traced | Diagnostic:
        """What a figure is drawn from, or why it is not, with the diagnostics reported."""
        for diagnostic in job.request.diagnostics:
            self._report(job.figure, diagnostic)
        if job.request.diagnostics:
            return job.request.diagnostics[0]
        outcome = job.outcome
        if outcome is None:
            outcome = self._stand_in(job)
            if isinstance(outcome, Traced):
                self._note(job, "same")
            elif not job.request.options.skip:
                self._report(job.figure, outcome)
        elif isinstance(outcome, Traced) and not job.from_snapshot:
            self._keep(job, outcome)
        return outcome

    def _keep(self, job: Job[Fence], traced: Traced) -> None:
        """Compare a graph of today with its snapshot; keep it if there is none."""
        path = self._snapshot(job)
        if self.site.keeper is None or path is None:
            return
        status, words, diagnostics = self.site.keeper.keep(path, traced, self.site.purpose)
        for diagnostic in diagnostics:
            self._report(job.figure, diagnostic)
        self._note(job, status, words)

    def _note(self, job: Job[Fence], status: SnapshotStatus, words: Sequence[str] = ()) -> None:
        path = self._snapshot(job)
        if path is not None:
            self.kept.append(
                SnapshotComparison(self._line(job.figure), str(path), status, tuple(words))
            )

    def _report(self, fence: Fence, diagnostic: Diagnostic, figure: Fence | None = None) -> None:
        """Warn of a diagnostic at a fence; ``figure`` is the one that cannot be drawn for it."""
        line = self._line(fence)
        text = self.site.report(f"{self._file}:{line}" if line else self._file, diagnostic)
        if text is not None:
            self._warnings.setdefault((figure or fence).line, []).append(text)

    def _finish(self, job: Job[Fence], before: int) -> str:
        """The HTML of a figure."""
        options, settings = job.request.options, self.site.settings
        number = before + job.number
        prefix = f"{self._slug}-{number}"
        first = number == 1
        source, lines = self._source_of(job, prefix)
        outcome = self._outcome(job)
        if isinstance(outcome, Diagnostic):
            self._note(job, "same" if options.skip else "failed")
            return source + failed_html(options, outcome, first)
        try:
            arranged = arrange(
                outcome.graph, options.scope, options.show, options.direction,
                settings.layout, float(settings.layout_timeout),
            )  # fmt: skip
        except DiagnosticError as error:
            self._report(job.figure, error.diagnostic)
            return source + failed_html(options, error.diagnostic, first)
        if arranged.diagnostic is not None:
            self._report(job.figure, arranged.diagnostic)
        links = {
            node.id: lines[node.source.line]
            for node in outcome.graph.nodes
            if node.source is not None and node.source.line in lines
        }
        drawn = FigureLayout.of(arranged, outcome.graph, options, prefix, links)
        return source + figure_html(outcome, options, drawn, first, settings)

    def _source_of(self, job: Job[Fence], prefix: str) -> tuple[str, dict[int, str]]:
        """The code that a figure is drawn from, if it is to be shown, and the ids of its lines."""
        block = job.request.block
        if not job.request.source or block is None:
            return "", {}
        return code_html(block, f"{prefix}-code")
