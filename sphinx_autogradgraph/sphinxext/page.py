"""What a document holds for us: figures, the code that it shows, the program that it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from docutils import nodes

from sphinx_autogradgraph.execution.result import Traced
from sphinx_autogradgraph.faults import Fault
from sphinx_autogradgraph.graph import Source
from sphinx_autogradgraph.program import Block, Draw, Program
from sphinx_autogradgraph.sphinxext.code import Shown, lines_from, python_blocks
from sphinx_autogradgraph.sphinxext.directive import REQUEST, SETUP, Request
from sphinx_autogradgraph.sphinxext.nodes import source_block

_NOTHING_ABOVE = Fault(
    "reference",
    "there is no Python code above this on the page to draw; give a reference, or code as the "
    "content",
)


def concerns_us(document: nodes.document) -> bool:
    """Whether there is anything of ours in a document; most have nothing, and cost nothing."""
    return any(REQUEST in figure for figure in document.findall(nodes.figure)) or any(
        SETUP in comment for comment in document.findall(nodes.comment)
    )


@dataclass
class Job:
    """A figure to draw, its number on the page, and its place among all that is on it."""

    figure: nodes.figure
    request: Request
    number: int
    place: int
    outcome: Traced | Fault | None = None
    from_snapshot: bool = False

    @property
    def runs(self) -> bool:
        """Whether its code is to run."""
        return not self.request.faults and not self.request.options.skip


@dataclass(frozen=True)
class Run:
    """A program to run and the figures that it draws, in the order of its draws.

    ``blocks`` are the nodes of the page that hold its blocks, if it is the page's program.
    """

    program: Program
    jobs: Sequence[Job]
    blocks: Sequence[nodes.Element] = ()


class Page:
    """What a document holds for us: figures, code that it shows, the program that it is."""

    def __init__(self, document: nodes.document, language: str, root: str, slug: str) -> None:
        self.jobs: list[Job] = []
        self._shown: list[tuple[int, Shown]] = []
        self._index: dict[tuple[str, int], list[_Spot]] | None = None
        self._slug = slug
        self._blocks: list[tuple[nodes.Element, Block]] = []
        self._draws: list[tuple[Job, Draw]] = []
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
                request = item.attributes.pop(REQUEST)
                self._add(Job(item, request, len(self.jobs) + 1, place))
        for setup in setups:
            setup.parent.remove(setup)

    def _add(self, job: Job) -> None:
        self.jobs.append(job)
        request = job.request
        if request.program is None:
            options = request.options
            if request.block is not None and options.context and not options.skip:
                self._blocks.append((job.figure, request.block))
            if not job.runs:
                return
            if self._blocks:
                self._draws.append((job, replace(request.draw, after=len(self._blocks))))
            else:
                job.request = replace(request, faults=(_NOTHING_ABOVE,))

    def show(self, place: int, shown: Shown) -> None:
        """Take in a block of code that the page shows at that place."""
        shown.prefix = f"{self._slug}-code-{len(self._shown) + 1}"
        self._shown.append((place, shown))
        self._index = None

    def runs(self, directory: str, root: str) -> list[Run]:
        """The programs to run: those of figures of their own, and the page's if any draws it."""
        runs = [
            Run(job.request.program, [job])
            for job in self.jobs
            if job.request.program is not None and job.runs
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
            runs.append(Run(program, [job for job, _ in self._draws], [node for node, _ in used]))
        return runs

    def show_source(self, job: Job) -> None:
        """Put the code that a figure is drawn from above it, if the author wants it there."""
        block = job.request.block
        if not job.request.source or block is None:
            return
        code = block.code.rstrip("\n")
        node = source_block(code)
        parent = job.figure.parent
        parent.insert(parent.index(job.figure), node)
        self.show(job.place, Shown(node, lines_from(block.file, block.line, code)))

    def line_link(self, job: Job, source: Source) -> str | None:
        """The id of a line of code on the page, None if the page does not show it.

        Of several places that show it, the last above the figure, else the first below.  What
        stands there must be the text that the source has: the graph may come from a snapshot.
        """
        if self._index is None:
            self._index = {}
            for place, shown in self._shown:
                texts = shown.node.astext().split("\n")
                for index, line in enumerate(shown.lines):
                    spot = _Spot(place, shown, index, texts[index])
                    self._index.setdefault(line, []).append(spot)
        best: _Spot | None = None
        for spot in self._index.get((source.file, source.line), ()):
            if source.text in spot.text and (best is None or spot.rank(job) > best.rank(job)):
                best = spot
        return None if best is None else best.shown.link(best.index)


@dataclass(frozen=True)
class _Spot:
    """A line that the page shows: the place of its block, its number in it, its text."""

    place: int
    shown: Shown
    index: int
    text: str

    def rank(self, job: Job) -> tuple[bool, int]:
        """The higher, the better to link a figure's node to it."""
        above = self.place <= job.place
        return above, self.place if above else -self.place
