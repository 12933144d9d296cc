"""Which view of a Graph is drawn: what the author asks for, and what a large graph needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal, get_args

from sphinx_autogradgraph.core.messages import MessageError
from sphinx_autogradgraph.core.settings import MAX_NODES
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.views.focus import around, until
from sphinx_autogradgraph.views.line_folds import fold_lines
from sphinx_autogradgraph.views.module_folds import fold_modules, fold_parts, levels
from sphinx_autogradgraph.views.repeat_folds import fold_repeats

FoldWord = Literal["modules", "repeats", "lines", "none"]
FOLDS: tuple[FoldWord, ...] = get_args(FoldWord)
"""What can be folded: calls of modules, equal neighbours, what a line of code made; or nothing."""


def fold_words(words: Iterable[str]) -> tuple[FoldWord, ...]:
    """The words as those of :data:`FOLDS`, each once.

    Raises :exc:`ValueError` for others, and for ``none`` with another.
    """
    known: dict[str, FoldWord] = {word: word for word in FOLDS}
    found = tuple(dict.fromkeys(words))
    for word in found:
        if word not in known:
            values = {"word": repr(word), "choices": ", ".join(FOLDS)}
            raise MessageError("fold has no {word}; choose from {choices}", values)
    if "none" in found and len(found) > 1:
        raise MessageError("fold cannot be 'none' and something else")
    return tuple(known[word] for word in found)


READABLE = 60
"""A drawing of more nodes than this is not read."""


@dataclass(frozen=True)
class Scope:
    """What of a Graph is to be drawn.

    ``depth`` is that of the modules that become one node each, from 1; ``fold`` words of
    :data:`FOLDS`; ``around`` and ``until`` name a tensor or a module.  Without ``fold``, what has
    more than ``limit`` nodes folds as far as it must.  :exc:`ValueError` for a depth below 1.
    """

    depth: int | None = None
    fold: tuple[FoldWord, ...] = ()
    around: str | None = None
    until: str | None = None
    limit: int = MAX_NODES

    @property
    def folds_by_itself(self) -> bool:
        """Whether the author leaves it to us what folds: who raises the limit wants to see more."""
        return self.depth is None and not self.fold and self.limit <= MAX_NODES

    @property
    def readable(self) -> int:
        """How many nodes a drawing has at most, where a smaller one can be had."""
        return min(self.limit, READABLE) if self.folds_by_itself else self.limit

    def __post_init__(self) -> None:
        if self.depth is not None and self.depth < 1:
            raise MessageError("depth is 1 for the outermost modules, 2 for their parts, and so on")


EVERYTHING = Scope()
"""The whole of a Graph, folded if it is large."""


def wanted_view(graph: Graph, scope: Scope) -> Graph:
    """The view that an author asks for, however large it is.

    Raises :exc:`.DiagnosticError` (``option``) when ``around`` or ``until``
    name nothing in the graph.
    """
    view = graph
    if scope.until is not None:
        view = until(view, scope.until)
    if scope.around is not None:
        view = around(view, scope.around)
    if scope.depth is not None:
        view = fold_modules(view, scope.depth)
    elif "modules" in scope.fold:
        depth = max((level for _, level in levels(view)), default=0)
        folded = [fold_modules(view, level) for level in range(depth, 0, -1)]
        view = next((found for found in folded if len(found.nodes) <= READABLE), None) or (
            fold_modules(view, 1)
        )
    if "lines" in scope.fold:
        view = fold_lines(view)
    if "repeats" in scope.fold:
        view = fold_repeats(view)
    return view


def views(wanted: Graph, scope: Scope) -> Iterator[Graph]:
    """What may be drawn of a view that is wanted, the gentlest first.

    A graph whose folds are left to us folds until it is read with ease: :data:`READABLE` nodes.
    One that an author folds, or that has nothing to fold, may have up to the limit of ``scope``;
    with ``fold: none`` there is none.  The later ones, for layouts that take too long, have ever
    fewer nodes; the last is small enough for any layout.
    """
    size = len(wanted.nodes)
    limit = scope.limit
    folds = _smaller(wanted, min(limit, READABLE))
    if "none" in scope.fold or size <= scope.readable:
        first: Graph | None = wanted
    else:
        first = next(folds, None)
        if first is None and size <= limit:
            first = wanted
    if first is not None:
        yield first
        size = len(first.nodes) - 1
    for smaller in chain(folds, _parts(wanted, limit)):
        if len(smaller.nodes) <= size:
            yield smaller
            size = len(smaller.nodes) - 1


def _smaller(view: Graph, most: int) -> Iterator[Graph]:
    """Views of at most so many nodes, which fold ever more of what has a name or a line.

    The deepest modules that fit come first: so far the names tell more than the nodes.
    """
    depth = max((level for _, level in levels(view)), default=0)
    by_module = [fold_modules(view, level) for level in range(depth, 0, -1)]
    for found in by_module:
        if len(found.nodes) <= most:
            yield found
    for found in map(fold_repeats, (*by_module, view, fold_lines(view))):
        if len(found.nodes) <= most:
            yield found


def _parts(view: Graph, limit: int) -> Iterator[Graph]:
    """Views in parts of equal size, for graphs without any structure of their own."""
    by_line = fold_repeats(fold_lines(view))
    if len(by_line.nodes) <= limit:
        yield by_line
    parts = fold_parts(by_line, max(1, limit // 4))
    if len(parts.nodes) <= limit:
        yield parts
    yield fold_parts(view, READABLE // 3)


MAX_STEPS = 4
"""In how many steps a folded view opens at most."""

MAX_OPEN = 6_000
"""A view with more nodes is no step: no browser would show it with ease."""


def steps(graph: Graph, scope: Scope, drawn: Graph) -> list[Graph]:
    """The views by which a folded one opens, each with more nodes: in the end all that it can show.

    None for what is not folded.
    """
    whole = wanted_view(graph, replace(scope, depth=None, fold=()))
    if len(whole.nodes) <= len(drawn.nodes):
        return []
    depth = max((level for _, level in levels(whole)), default=0)
    candidates = [fold_modules(whole, level) for level in range(1, depth + 1)]
    # Repetitions only where there are no names: what was seen before is not to vanish in one.
    if not candidates and {node.fold.kind for node in drawn.nodes if node.fold} != {"repeats"}:
        candidates.append(fold_repeats(whole))
    candidates.append(whole)
    found: list[Graph] = []
    least = len(drawn.nodes)
    for view in sorted(candidates, key=lambda view: len(view.nodes)):
        if least * STEP < len(view.nodes) <= MAX_OPEN:
            found.append(view)
            least = len(view.nodes)
    return found if len(found) <= MAX_STEPS else [*found[: MAX_STEPS - 1], found[-1]]


STEP = 1.3
"""How many times more nodes a step shows at least."""
