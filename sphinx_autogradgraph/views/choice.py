"""Choice of the view to draw: as the author asks, and folded where a graph is large."""

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
"""Words for folding: calls of modules, equal neighbours, nodes of one line of code; or none."""


def fold_words(words: Iterable[str]) -> tuple[FoldWord, ...]:
    """Check that all words are in :data:`FOLDS`, and return each once.

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
"""Largest number of nodes of a drawing that a reader takes in."""


@dataclass(frozen=True)
class Scope:
    """The part of a Graph to draw, and how it folds.

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
        """Whether folding is automatic.  Not with a raised limit: its author wants to see more."""
        return self.depth is None and not self.fold and self.limit <= MAX_NODES

    @property
    def readable(self) -> int:
        """Maximum number of nodes of a drawing, if folding can reach it."""
        return min(self.limit, READABLE) if self.folds_by_itself else self.limit

    def __post_init__(self) -> None:
        if self.depth is not None and self.depth < 1:
            raise MessageError("depth is 1 for the outermost modules, 2 for their parts, and so on")


EVERYTHING = Scope()
"""Scope of a whole Graph, which is folded if it is large."""


def wanted_view(graph: Graph, scope: Scope) -> Graph:
    """Return the view that an author asks for, however large it is.

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
    """Yield candidate views of a wanted view, largest first.

    Automatic folding begins with at most :data:`READABLE` nodes.  A graph that the author folds, or
    that has nothing to fold, may have up to the limit of ``scope``; with ``fold: none`` there is
    no limit.  Later views have ever fewer nodes, for layouts that take too long.  The last is
    small enough for any layout.
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
    """Yield increasingly folded views of at most ``most`` nodes.

    The deepest modules that fit come first: so far the names tell more than the nodes.
    """
    depth = max((level for _, level in levels(view)), default=0)
    by_module = [fold_modules(view, level) for level in range(depth, 0, -1)]
    for found in by_module:
        if len(found.nodes) <= most:
            yield found
    for found in map(fold_repeats, (*by_module, view)):
        if len(found.nodes) <= most:
            yield found
    # Seldom needed, and as much work again.
    by_line = fold_repeats(fold_lines(view))
    if len(by_line.nodes) <= most:
        yield by_line


def _parts(view: Graph, limit: int) -> Iterator[Graph]:
    """Yield views for graphs with little structure: folded by line, then in equal parts."""
    by_line = fold_repeats(fold_lines(view))
    if len(by_line.nodes) <= limit:
        yield by_line
    parts = fold_parts(by_line, max(1, limit // 4))
    if len(parts.nodes) <= limit:
        yield parts
    yield fold_parts(view, READABLE // 3)


MAX_STEPS = 4
"""Maximum number of steps in which a folded view opens."""

MAX_OPEN = 6_000
"""Maximum number of nodes of a step; browsers are slow with more."""


def steps(graph: Graph, scope: Scope, drawn: Graph) -> list[Graph]:
    """Return the views through which a folded one opens, smallest first.

    The last is the whole, if a browser can show it.  A view that is not folded has none.
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
"""Minimum growth factor of the number of nodes from one step to the next."""
