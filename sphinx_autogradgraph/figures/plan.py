"""What a page holds for us: figures, the code between them, and the programs that they make."""

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
class Job(Generic[E]):
    """A figure to draw, its number on the page, and its place among all that is on it."""

    figure: E
    request: Request
    number: int
    place: int
    outcome: Traced | Diagnostic | None = None
    from_snapshot: bool = False

    @property
    def runs(self) -> bool:
        """Whether its code is to run."""
        return not self.request.diagnostics and not self.request.options.skip


@dataclass(frozen=True)
class Run(Generic[E]):
    """A program to run and the figures that it draws, in the order of its draws.

    ``blocks`` are the elements of the page that hold its blocks, if it is the page's program.
    """

    program: Program
    jobs: Sequence[Job[E]]
    blocks: Sequence[E] = ()

    def diagnostics(self) -> Iterator[tuple[E, Diagnostic]]:
        """What went wrong, and at which element of the page to report it.

        A diagnostic of the program is reported once, however many figures it concerns.
        """
        reported: list[Diagnostic] = []
        for job in self.jobs:
            diagnostic = job.outcome
            if not isinstance(diagnostic, Diagnostic):
                continue
            of_the_run = diagnostic.block is not None or diagnostic.kind in ("timeout", "crash")
            if of_the_run and diagnostic in reported and not diagnostic.build_wide:
                continue
            reported.append(diagnostic)
            at_block = diagnostic.block is not None and self.blocks
            yield (self.blocks[diagnostic.block or 0] if at_block else job.figure), diagnostic


class Plan(Generic[E]):
    """The figures and the blocks of a page, which are added in their order."""

    def __init__(self) -> None:
        self.jobs: list[Job[E]] = []
        self._blocks: list[tuple[E, Block]] = []
        self._targets: list[tuple[Job[E], Target]] = []

    def add_block(self, element: E, block: Block) -> None:
        """Add a block of the page's program."""
        self._blocks.append((element, block))

    def add_figure(self, element: E, request: Request, place: int) -> None:
        """Add a figure; ``place`` is its place among all that is on the page."""
        job = Job(element, request, len(self.jobs) + 1, place)
        self.jobs.append(job)
        if request.program is None:
            options = request.options
            if request.block is not None and options.context and not options.skip:
                self.add_block(element, request.block)
            if not job.runs:
                return
            if self._blocks:
                self._targets.append((job, replace(request.target, after=len(self._blocks))))
            else:
                job.request = replace(request, diagnostics=(_NOTHING_ABOVE,))

    def runs(self, directory: str, root: str) -> list[Run[E]]:
        """The programs to run: those of figures of their own, and the page's if any draws it."""
        runs = [
            Run(job.request.program, [job])
            for job in self.jobs
            if job.request.program is not None and job.runs
        ]
        if self._targets:
            targets = tuple(target for _, target in self._targets)
            used = self._blocks[: targets[-1].after]
            options = [job.request.options for job, _ in self._targets]
            program = Program(
                blocks=tuple(block for _, block in used),
                targets=targets,
                directory=directory,
                root=root,
                seed=next((option.seed for option in options if option.seed), 0),
                timeout=max(option.timeout for option in options),
            )
            runs.append(
                Run(program, [job for job, _ in self._targets], [element for element, _ in used])
            )
        return runs
