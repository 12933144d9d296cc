"""Page of a Markdown site: all of its figures are drawn together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.figures.html_ids import page_slug
from sphinx_autogradgraph.figures.options import DECLARATIONS, parse_options, unknown_option
from sphinx_autogradgraph.figures.page_figures import FinishedFigure, PageFigures
from sphinx_autogradgraph.figures.page_html import code_html, failed_html, figure_html
from sphinx_autogradgraph.figures.plan import Figure, Plan
from sphinx_autogradgraph.figures.request import Request
from sphinx_autogradgraph.graph.model import Source
from sphinx_autogradgraph.hosts.markdown.converters import PageHost
from sphinx_autogradgraph.hosts.markdown.site import MarkdownSite
from sphinx_autogradgraph.program.fences import FIGURE, REFERENCE, Fence, fences
from sphinx_autogradgraph.program.notebook_cells import python_of
from sphinx_autogradgraph.program.observations import Observation
from sphinx_autogradgraph.program.program import Block, display_path
from sphinx_autogradgraph.program.source_lines import line_of_code, source_lines
from sphinx_autogradgraph.snapshots.comparison import SnapshotComparison
from sphinx_autogradgraph.snapshots.figure_names import FigureNames

UNKNOWN = "page"
"""Name of a page that its host does not name."""


@dataclass(frozen=True)
class DrawnFence:
    """The HTML of a fence's figure, and the warnings about it."""

    fence: Fence
    html: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Code:
    """Code that is shown above a figure: its HTML, its block, the ids of its lines."""

    html: str = ""
    block: Block | None = None
    ids: Sequence[str] = ()


class MarkdownPage:
    """A page and its figures, as the pipeline uses it (:class:`.Host`).

    ``lines`` are its text as its converter has it.  Nothing runs before :meth:`draw`.
    """

    def __init__(self, site: MarkdownSite, host: PageHost, lines: Sequence[str]) -> None:
        self.site = site
        self.host = host
        self.lines = lines
        self.comparisons: list[SnapshotComparison] = []
        self._source = () if host.path is None else source_lines(host.path)
        self._directory = str(site.root if host.path is None else Path(host.path).parent)
        self._file = display_path(host.path, site.root) if host.path else UNKNOWN
        self._slug = page_slug(host.name or UNKNOWN)
        self._drawn: list[DrawnFence] = []
        self._names = FigureNames(host.name or UNKNOWN, self._is_page)
        self._next = 0
        self._code: dict[int, _Code] = {}  # by the number of the figure, as are the next two
        self._html: dict[int, str] = {}
        self._warnings: dict[int, list[str]] = {}  # by the line of the fence

    def draw(self) -> None:
        """Run the programs of the page and draw its figures."""
        self._draw(self.fences())

    def fences(self) -> list[Fence]:
        """Return the fences of the page: its code and its figures."""
        return list(fences(self.lines))

    def pass_over(self) -> None:
        """Note the figures of the page that another part of a check compares."""
        page = self._page(self._plan(self.fences()))
        self.site.pipeline.pass_over(page)
        self.comparisons += page.comparisons

    def figure_of(self, fence: Fence) -> DrawnFence:
        """Return the drawn figure of a fence; callers ask for figures in page order.

        A fence that is not found in the text of the page is drawn by itself.
        """
        # On from the last one found, so that equal fences get figures of their own.
        order = [*self._drawn[self._next :], *self._drawn[: self._next]]
        for drawn in order:
            # Of a header that it does not understand SuperFences may find other options in it.
            alike = drawn.fence.header and drawn.fence.body == fence.body
            if drawn.fence == fence or alike:
                self._next = self._drawn.index(drawn) + 1
                return drawn
        self._draw([fence])
        return self._drawn[-1]

    def _draw(self, found: Sequence[Fence]) -> None:
        """Draw the figures among the fences, numbered after those that the page has."""
        plan = self._plan(found)
        if not plan.figures:
            return
        first = plan.figures[0].element
        if self.site.diagnostic is not None:
            self.warn(first, self.site.diagnostic, first)
        for figure in plan.figures:
            self._code[figure.number] = self._code_of(figure)
        page = self._page(plan)
        self.site.draw(page)
        self.comparisons += page.comparisons
        for figure in plan.figures:
            fence = figure.element
            warnings = tuple(self._warnings.get(fence.line, ()))
            self._drawn.append(DrawnFence(fence, self._html[figure.number], warnings))

    def _is_page(self, name: str) -> bool:
        return self.host.docs is not None and Path(self.host.docs, f"{name}.md").is_file()

    def _plan(self, found: Sequence[Fence]) -> Plan[Fence]:
        plan: Plan[Fence] = Plan(before=len(self._drawn))
        for place, fence in enumerate(found):
            if fence.language == FIGURE:
                plan.add_figure(fence, self._request(fence), place, self._line(fence))
            elif fence.runs:
                plan.add_block(fence, self._block(fence))
        self._names.add(plan.names())
        return plan

    def _page(self, plan: Plan[Fence]) -> PageFigures[Fence]:
        return PageFigures(plan, self, self._directory, str(self.site.root), self._slug)

    def _request(self, fence: Fence) -> Request:
        texts = {key: value for key, value in fence.options.items() if key != REFERENCE}
        if fence.id:
            texts.setdefault("name", fence.id)
        if fence.classes:
            texts.setdefault("figclass", " ".join(fence.classes))
        options = parse_options(texts, self.site.settings)
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
            return replace(
                request, program=None, block=None, source=False, diagnostics=(diagnostic,)
            )
        unknown = [name for name in texts if name not in DECLARATIONS]
        if unknown:
            diagnostic = unknown_option(unknown[0], (*DECLARATIONS, REFERENCE))
            found = (diagnostic, *request.diagnostics)
            return replace(request, program=None, source=False, diagnostics=found)
        return request

    def _block(self, fence: Fence) -> Block:
        code = python_of(fence.body) + "\n"
        return Block(code, self._file, self.host.path or self._file, self._line(fence) + 1)

    def _line(self, fence: Fence) -> int:
        """Return the line of a fence in its page's file, from 1, front matter included."""
        if not 0 < fence.line <= len(self.lines):
            return fence.line
        header = self.lines[fence.line - 1]
        for text in (f"{header}\n{fence.body}".rstrip(), header):
            found = line_of_code(text, self._source, fence.line)
            if found is not None:
                return found
        return fence.line

    def _path_of(self, name: str) -> str:
        """Find the file of a reference: relative to the page, else to the project.

        With a leading ``/`` it is relative to the documentation, else to the project.
        """
        relative = name.lstrip("/")
        first = self.host.docs if name.startswith("/") else Path(self._directory)
        places = [place / relative for place in (first, self.site.root) if place is not None]
        found = next((path for path in places if os.path.lexists(path)), places[0])
        return os.path.normpath(found)

    def _code_of(self, figure: Figure[Fence]) -> _Code:
        """Return the code above a figure, if it is to be shown."""
        block = figure.request.block
        if not figure.request.source or block is None:
            return _Code()
        html, ids = code_html(block.code, f"{self._slug}-{figure.number}-code")
        return _Code(html, block, ids)

    # --- the page as the pipeline sees it ---

    def warn(self, element: Fence, diagnostic: Diagnostic, figure: Fence) -> None:
        """Warn at a fence.

        In strict builds the figure ends the build, even if the diagnostic is at another block.
        """
        text = self.site.report(self._where(element), diagnostic)
        if text is not None:
            self._warnings.setdefault(figure.line, []).append(text)

    def _where(self, fence: Fence) -> str:
        """Return the file and the line of a fence, as warnings name them."""
        line = self._line(fence)
        return f"{self._file}:{line}" if line else self._file

    def snapshot_path(self, figure: Figure[Fence]) -> Path | None:
        """Return the file of a figure's snapshot; None where the page is not known."""
        snapshots = self.site.snapshots
        if snapshots is None or self.host.name is None:
            return None
        return snapshots.path(self._names, figure.number)

    def depends_on(self, observations: Iterable[Observation]) -> None:
        """Do nothing: converters make every page anew, or watch the files themselves."""

    def line_anchor(self, figure: Figure[Fence], source: Source) -> str | None:
        """Return the id of a line of the code above the figure."""
        code = self._code[figure.number]
        if code.block is None or source.file != code.block.file:
            return None
        index = source.line - code.block.line
        shown = code.block.code.split("\n")
        found = 0 <= index < len(code.ids) and source.text in shown[index]
        return code.ids[index] if found else None

    def place(self, figure: Figure[Fence], result: FinishedFigure | Diagnostic) -> None:
        """Keep the HTML of a figure until its fence is converted."""
        options, first = figure.request.options, figure.number == 1
        caption = _inline_html(options.caption) if options.caption else ""
        html = (
            failed_html(result, options, caption, first)
            if isinstance(result, Diagnostic)
            else figure_html(result, options, caption, first)
        )
        self._html[figure.number] = self._code[figure.number].html + html


def _inline_html(text: str) -> str:
    """Convert the inline Markdown of a caption."""
    from markdown import markdown

    return str(markdown(text)).removeprefix("<p>").removesuffix("</p>")
