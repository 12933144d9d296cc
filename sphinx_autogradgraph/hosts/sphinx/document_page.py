"""Page of a Sphinx document: its figures, its code and its program."""

from __future__ import annotations

from dataclasses import dataclass, replace

from docutils import nodes

from sphinx_autogradgraph.figures.plan import Figure, Plan
from sphinx_autogradgraph.graph.model import Source
from sphinx_autogradgraph.hosts.sphinx.attributes import REQUEST, SETUP
from sphinx_autogradgraph.hosts.sphinx.code_blocks import Shown, lines_from, python_blocks
from sphinx_autogradgraph.hosts.sphinx.docstrings import docstring_at
from sphinx_autogradgraph.hosts.sphinx.figure_nodes import source_block


def concerns_us(document: nodes.document) -> bool:
    """Whether a document has figures or blocks of this package; others are skipped at once."""
    return any(REQUEST in figure for figure in document.findall(nodes.figure)) or any(
        SETUP in comment for comment in document.findall(nodes.comment)
    )


DocumentFigure = Figure[nodes.Element]


class DocumentPage:
    """A document with its figures, the code that it shows, and its program.

    Without ``runs`` the program of the page does not run, and its figures are skipped.
    """

    def __init__(
        self, document: nodes.document, language: str, root: str, slug: str, *, runs: bool = True
    ) -> None:
        self.plan: Plan[nodes.Element] = Plan()
        self._shown: list[tuple[int, Shown]] = []
        self._index: dict[tuple[str, int], list[_Spot]] | None = None
        self._slug = slug
        setups: list[nodes.comment] = []
        for place, item in enumerate(python_blocks(document, language, root)):
            if isinstance(item, Shown):
                self.show(place, item)
                if item.block is not None:
                    self.plan.add_block(item.node, item.block, docstring_at(item.node.source))
            elif isinstance(item, nodes.comment) and SETUP in item:
                self.plan.add_block(item, item[SETUP], docstring_at(item.source))
                setups.append(item)
            elif isinstance(item, nodes.figure) and REQUEST in item:
                request = item.attributes.pop(REQUEST)
                part = docstring_at(item.source)
                if not runs and request.program is None:
                    request = replace(request, options=replace(request.options, skip=True))
                self.plan.add_figure(item, request, place, item.line, part)
        for setup in setups:
            setup.parent.remove(setup)

    def show(self, place: int, shown: Shown) -> None:
        """Add a block of code that the page shows at that place."""
        shown.prefix = f"{self._slug}-code-{len(self._shown) + 1}"
        self._shown.append((place, shown))
        self._index = None

    def show_source(self, figure: DocumentFigure) -> None:
        """Put a figure's code above it, if the author wants it there."""
        block = figure.request.block
        if not figure.request.source or block is None:
            return
        code = block.code.rstrip("\n")
        node = source_block(code)
        parent = figure.element.parent
        parent.insert(parent.index(figure.element), node)
        self.show(figure.place, Shown(node, lines_from(block.file, block.line, code)))

    def line_link(self, figure: DocumentFigure, source: Source) -> str | None:
        """Return the id of a line of code on the page, None if the page does not show it.

        Of several places that show it, this is the last above the figure, else the first below.
        The line there must have the text of the source, as the graph may come from a snapshot.
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
            if source.text in spot.text and (best is None or spot.rank(figure) > best.rank(figure)):
                best = spot
        return None if best is None else best.shown.link(best.index)


@dataclass(frozen=True)
class _Spot:
    """A line that the page shows: the place of its block, its number in it, its text."""

    place: int
    shown: Shown
    index: int
    text: str

    def rank(self, figure: DocumentFigure) -> tuple[bool, int]:
        """Return a key that is higher the better the line suits as a link of the figure."""
        above = self.place <= figure.place
        return above, self.place if above else -self.place
