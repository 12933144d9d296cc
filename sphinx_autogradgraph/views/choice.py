"""Which view of a Graph is drawn: what the author asks for, and what a large graph needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
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


SCREEN, RANKS = 40, 20
"""As many nodes, and as many of them below each other, are seen at once."""


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
        view = _fold_to_screen(view) or fold_modules(view, 1)
    if "lines" in scope.fold:
        view = fold_lines(view)
    if "repeats" in scope.fold:
        view = fold_repeats(view)
    return view


def views(wanted: Graph, scope: Scope) -> Iterator[Graph]:
    """What may be drawn of a view that is wanted: itself if it is not too large, then smaller ones.

    Each has fewer nodes than the one before; the last is small enough for any layout.
    """
    size = len(wanted.nodes)
    if "none" in scope.fold or size <= scope.limit:
        yield wanted
        size -= 1
    for smaller in _smaller(wanted, scope.limit):
        if len(smaller.nodes) <= size:
            yield smaller
            size = len(smaller.nodes) - 1


def _smaller(view: Graph, limit: int) -> Iterator[Graph]:
    """Views that fold ever more; the first with at most ``limit`` nodes is as gentle as can be.

    Modules fold until what is left is seen at once: so far the names tell more than the nodes.
    """
    screen = _fold_to_screen(view)
    if screen is not None:
        yield screen
    repeated = fold_repeats(view)
    if len(repeated.nodes) <= limit:
        yield repeated
    by_line = fold_repeats(fold_lines(view))
    if len(by_line.nodes) <= limit:
        yield by_line
    parts = fold_parts(by_line, max(1, limit // 4))
    if len(parts.nodes) <= limit:
        yield parts
    yield fold_parts(view, SCREEN // 2)


def _fold_to_screen(view: Graph) -> Graph | None:
    """The view of the modules at the greatest depth that is seen at once; None without one."""
    depth = max((level for _, level in levels(view)), default=0)
    folded = [fold_modules(view, level, smallest=True) for level in range(depth, 0, -1)]
    for found in folded:
        if seen_at_once(found):
            return found
    return next(filter(seen_at_once, map(fold_repeats, folded)), None)


def seen_at_once(view: Graph) -> bool:
    """Whether a view fits a screen."""
    return len(view.nodes) <= SCREEN and max(ranks(view), default=0) <= RANKS


def ranks(graph: Graph) -> list[int]:
    """The rank of each node, from 1, if it stands as far up as what it used allows."""
    rank: list[int] = []
    for node in graph.nodes:
        used = [rank[edge.from_] for edge in graph.inputs_of.get(node.id, ())]
        rank.append(1 + max(used, default=0))
    return rank


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
    candidates = [fold_modules(whole, level, smallest=True) for level in range(1, depth + 1)]
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
