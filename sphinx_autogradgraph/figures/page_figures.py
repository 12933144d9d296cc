"""Figures of one page on their way through the pipeline, and what their host does for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.figures.figure_layout import FigureLayout
from sphinx_autogradgraph.figures.plan import Figure, PageProgram, Plan
from sphinx_autogradgraph.figures.tables import Table
from sphinx_autogradgraph.graph.model import Source
from sphinx_autogradgraph.program.observations import Observation
from sphinx_autogradgraph.render.text import Span
from sphinx_autogradgraph.runtime.cached_client import Submitted
from sphinx_autogradgraph.runtime.result import Result, Traced
from sphinx_autogradgraph.snapshots.comparison import SnapshotComparison

E = TypeVar("E")
"""An element of a page, as its host has them."""


@dataclass(frozen=True)
class FinishedFigure:
    """All that a host needs to show a figure.

    ``caption`` is the generated one, for a figure whose author wrote none.
    """

    traced: Traced
    layout: FigureLayout
    caption: Sequence[Span]
    legend: Sequence[Span]
    tables: Sequence[Table]


class Host(Protocol[E]):
    """A page of a host: where the pipeline reads and writes what differs from host to host."""

    def warn(self, element: E, diagnostic: Diagnostic, figure: E) -> None:
        """Report a diagnostic at an element; ``figure`` cannot be drawn because of it."""

    def snapshot_path(self, figure: Figure[E]) -> Path | None:
        """Return the file of a figure's snapshot, None where none is kept."""

    def depends_on(self, observations: Iterable[Observation]) -> None:
        """Have the page made again when one of the observations no longer holds."""

    def line_anchor(self, figure: Figure[E], source: Source) -> str | None:
        """Return the HTML id of a line of code on the page, None if the page does not show it."""

    def place(self, figure: Figure[E], result: FinishedFigure | Diagnostic) -> None:
        """Put a finished figure into the page, or the reason why there is none."""


@dataclass
class PageFigures(Generic[E]):
    """The figures of one page, on their way through the pipeline.

    Programs run in ``directory``; files are named from ``root``; ``slug`` begins all HTML ids.
    """

    plan: Plan[E]
    host: Host[E]
    directory: str
    root: str
    slug: str
    comparisons: list[SnapshotComparison] = field(default_factory=list)
    programs: Sequence[PageProgram[E]] = ()
    submitted: Submitted | None = None
    results: Sequence[Result] = ()
    layouts: dict[int, Future[tuple[FigureLayout, list[Diagnostic]]]] = field(default_factory=dict)
    """The layouts under way, by the numbers of the figures."""
