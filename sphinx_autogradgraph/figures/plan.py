"""Plan of a page: its figures and code blocks, and the programs that they form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.figures.request import Request
from sphinx_autogradgraph.program.program import Block, Program, Target
from sphinx_autogradgraph.runtime.result import Traced

E = TypeVar("E")
"""An element of a page, as its host has them."""

_NOTHING_ABOVE = Diagnostic(
    "reference",
    "there is no Python code above this on the page to draw; give a reference, or code as the "
    "content",
)


@dataclass
class Figure(Generic[E]):
    """A figure to draw, with its request.

    ``number`` counts the figures of the page, from 1.  ``place`` is its place among all that is on
    the page.  ``line`` is its line in the file of the page, where the host knows it.
    """

    element: E
    request: Request
    number: int
    place: int
    line: int | None = None
    outcome: Traced | Diagnostic | None = None
    from_snapshot: bool = False

    @property
    def runs(self) -> bool:
        """Whether the figure's code is to run."""
        return not self.request.diagnostics and not self.request.options.skip


@dataclass(frozen=True)
class PageProgram(Generic[E]):
    """A program to run and its figures, in the order of its targets.

    ``blocks`` are the elements of the page that hold its blocks, if it is the page's program.
    """

    program: Program
    figures: Sequence[Figure[E]]
    blocks: Sequence[E] = ()

    def diagnostics(self) -> Iterator[tuple[E, Diagnostic]]:
        """Yield each diagnostic, and the element of the page at which to report it.

        A diagnostic of the program is reported once, however many figures it concerns.
        """
        reported: list[Diagnostic] = []
        for figure in self.figures:
            diagnostic = figure.outcome
            if not isinstance(diagnostic, Diagnostic):
                continue
            of_the_run = diagnostic.block is not None or diagnostic.kind in ("timeout", "crash")
            if of_the_run and diagnostic in reported and not diagnostic.build_wide:
                continue
            reported.append(diagnostic)
            at_block = diagnostic.block is not None and self.blocks
            yield (self.blocks[diagnostic.block or 0] if at_block else figure.element), diagnostic


class Plan(Generic[E]):
    """Figures and code blocks of a page, added in their order.

    Figures are numbered from the one after ``before`` on.  A ``part`` of a page, as a docstring, is
    a program of its own.
    """

    def __init__(self, before: int = 0) -> None:
        self.figures: list[Figure[E]] = []
        self._before = before
        self._blocks: dict[str | None, list[tuple[E, Block]]] = {}
        self._targets: dict[str | None, list[tuple[Figure[E], Target]]] = {}

    def add_block(self, element: E, block: Block, part: str | None = None) -> None:
        """Add a block of the program of the page, or of a part of it."""
        self._blocks.setdefault(part, []).append((element, block))

    def add_figure(
        self,
        element: E,
        request: Request,
        place: int,
        line: int | None = None,
        part: str | None = None,
    ) -> None:
        """Add a figure of the page or of a part of it; see :class:`Figure`."""
        number = self._before + len(self.figures) + 1
        figure = Figure(element, request, number, place, line)
        self.figures.append(figure)
        if request.program is not None:
            return
        options = request.options
        if request.block is not None and options.context and not options.skip:
            self.add_block(element, request.block, part)
        if not figure.runs:
            return
        blocks = self._blocks.get(part)
        if blocks:
            target = replace(request.target, after=len(blocks))
            self._targets.setdefault(part, []).append((figure, target))
        else:
            figure.request = replace(request, diagnostics=(_NOTHING_ABOVE,))

    def names(self) -> list[tuple[str, int]]:
        """Return the names of the figures, empty if they have none, and their numbers."""
        return [(figure.request.options.name, figure.number) for figure in self.figures]

    def blocks_of(self, figure: Figure[E]) -> Sequence[Block]:
        """Return the code of a figure's program, as far as the page or its reference shows it."""
        if figure.request.program is not None:
            return figure.request.program.blocks
        for part, targets in self._targets.items():
            for other, target in targets:
                if other is figure:
                    return [block for _, block in self._blocks[part][: target.after]]
        return ()

    def programs(self, directory: str, root: str) -> list[PageProgram[E]]:
        """Return the programs to run: figures' own ones, and the page's if a figure needs it."""
        runs = [
            PageProgram(figure.request.program, [figure])
            for figure in self.figures
            if figure.request.program is not None and figure.runs
        ]
        parts = [self._program_of(part, directory, root) for part in self._targets]
        return [*runs, *parts]

    def _program_of(self, part: str | None, directory: str, root: str) -> PageProgram[E]:
        figures = [figure for figure, _ in self._targets[part]]
        targets = tuple(target for _, target in self._targets[part])
        used = self._blocks[part][: targets[-1].after]
        options = [figure.request.options for figure in figures]
        program = Program(
            blocks=tuple(block for _, block in used),
            targets=targets,
            directory=directory,
            root=root,
            seed=next((option.seed for option in options if option.seed), 0),
            timeout=max(option.timeout for option in options),
        )
        return PageProgram(program, figures, [element for element, _ in used])
