"""Fold equal neighbours: the layers of an encoder, the steps of a loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sphinx_autogradgraph.graph.model import Graph, Node
from sphinx_autogradgraph.views.module_folds import Run, contract

NEAREST = 4
"""Number of earlier equal nodes from which candidate lengths of a repetition are measured."""

PERIODS = 24
"""Number of candidate lengths of a repetition that are tried, the most frequent first."""

PASSES = 6
"""Maximum number of passes; later ones find repetitions in and around those found before."""

LEAST = 3
"""Minimum number of repetitions that are folded: the first, the last and one between them."""

WORTH = 2
"""Minimum number of nodes that a fold must save."""


def fold_repeats(graph: Graph) -> Graph:
    """Draw of equal neighbours the first and the last, and one node for those between.

    Neighbours are equal if their operations, shapes and lines are, and if what they used is at the
    same place in the neighbour before, or the same node.
    """
    view = graph
    for _ in range(PASSES):
        found = _repeats(view)
        if not found:
            break
        view = contract(
            view,
            [
                Run(
                    first=repeat.first + repeat.length,
                    last=repeat.first + repeat.length * (repeat.count - 1) - 1,
                    kind="repeats",
                    op=_called(view, repeat),
                    times=repeat.count - 2,
                )
                for repeat in found
            ],
        )
    return view


def beginnings(graph: Graph) -> set[int]:
    """Return the first node of each repetition of equal neighbours, and the node after the last."""
    return {
        repeat.first + repeat.length * number
        for repeat in _repeats(graph)
        for number in range(repeat.count + 1)
    }


@dataclass(frozen=True)
class _Repeat:
    """``count`` times ``length`` nodes that are equal, from the node ``first`` on."""

    first: int
    length: int
    count: int

    @property
    def saves(self) -> int:
        return (self.count - 2) * self.length - 1

    def covers(self, begin: int, end: int, period: int) -> bool:
        """Whether a repetition of ``period`` nodes, from ``begin`` to ``end``, adds nothing.

        It lies within this one, and each time of it is one or several times of this one.
        """
        inside = self.first <= begin and end <= self.first + self.length * self.count
        return inside and period % self.length == 0


def _called(view: Graph, repeat: _Repeat) -> str:
    """Return the operation of a repetition of single nodes; empty for longer ones."""
    return view.nodes[repeat.first].op if repeat.length == 1 else ""


def _repeats(graph: Graph) -> list[_Repeat]:
    """Return repetitions that do not overlap, preferring those that save the most nodes."""
    functions = [node for node in graph.nodes if node.kind in ("function", "module")]
    if len(functions) < LEAST:
        return []
    start = functions[0].id
    words = _words(functions)
    found: list[_Repeat] = []
    most: _Repeat | None = None
    for period in sorted(_periods(words)):
        for begin, end in _stretches(words, period):
            if most is not None and most.covers(start + begin, start + end, period):
                continue  # it saves more than these
            for repeat in _equal(graph, start + begin, start + end, period):
                if repeat.saves >= WORTH:
                    found.append(repeat)
                    most = max(most or repeat, repeat, key=lambda one: one.saves)
    # Of equal ones the shortest: four steps are not two times two.
    found.sort(key=lambda repeat: (-repeat.saves, repeat.length, repeat.first))
    chosen: list[_Repeat] = []
    free = [True] * len(functions)
    for repeat in found:
        span = range(repeat.first - start, repeat.first - start + repeat.length * repeat.count)
        if all(free[span[0] : span[-1] + 1]):
            free[span[0] : span[-1] + 1] = [False] * len(span)
            chosen.append(repeat)
    return sorted(chosen, key=lambda repeat: repeat.first)


def _words(functions: Sequence[Node]) -> list[int]:
    """Return a number for each node; nodes with the same number may be equal."""
    numbers: dict[object, int] = {}
    words = []
    for node in functions:
        line = None if node.source is None else (node.source.file, node.source.line)
        metas = tuple((meta.shape, meta.dtype) for meta in node.outputs)
        fold = node.fold
        if fold is not None and fold.kind == "repeats":
            key: object = node.id  # it stands for its repetitions, and ends others
        else:
            key = (node.op, metas, line, None if fold is None else (fold.kind, fold.digest))
        words.append(numbers.setdefault(key, len(numbers)))
    return words


def _periods(words: Sequence[int]) -> list[int]:
    """Return candidate lengths of a repetition: the most frequent distances of equal nodes."""
    seen: dict[int, list[int]] = {}
    count: Counter[int] = Counter()
    for place, word in enumerate(words):
        before = seen.setdefault(word, [])
        count.update(place - other for other in before)
        before.append(place)
        del before[:-NEAREST]
    return [period for period, _ in count.most_common(PERIODS)]


def _stretches(words: Sequence[int], period: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end of stretches in which words repeat with that period often enough."""
    begin = None
    for place in range(period, len(words) + 1):
        if place < len(words) and words[place] == words[place - period]:
            if begin is None:
                begin = place - period
        elif begin is not None:
            if place - begin >= LEAST * period:
                yield begin, place
            begin = None


def _equal(graph: Graph, begin: int, end: int, period: int) -> Iterator[_Repeat]:
    """Narrow repetitions between two nodes to those whose inputs are equal, too."""
    begin = _natural(graph, begin, end, period)
    first, count = begin, 1
    for here in range(begin + period, end - period + 1, period):
        if _follows(graph, here, period, loose=count == 1):
            count += 1
            continue
        if count >= LEAST:
            yield _Repeat(first, period, count)
        first, count = here, 1
    if count >= LEAST:
        yield _Repeat(first, period, count)


def _natural(graph: Graph, begin: int, end: int, period: int) -> int:
    """Return the node to count repetitions from: where the code goes back to an earlier line."""
    nodes = graph.nodes
    for place in range(max(begin, 1), min(begin + period, end - LEAST * period + 1)):
        here, before = nodes[place].source, nodes[place - 1].source
        if here is None:
            continue
        if before is None or before.file != here.file or before.line > here.line:
            return place
    return begin


def _follows(graph: Graph, begin: int, period: int, *, loose: bool) -> bool:
    """Whether the ``period`` nodes from ``begin`` on used what those before them used.

    That is the node at the same place one repetition before, the same node, or another leaf of the
    same shape.  ``loose`` for the second one: what the first used from before it may be anything.
    """
    inputs = graph.inputs_of
    for id in range(begin, begin + period):
        here, before = inputs.get(id, ()), inputs.get(id - period, ())
        if len(here) != len(before):
            return False
        for one, other in zip(before, here, strict=True):
            if one.output != other.output or one.input != other.input:
                return False
            if other.from_ in (one.from_ + period, one.from_):
                continue
            if loose and one.from_ < begin - period:
                continue
            leaf, earlier = graph.nodes[other.from_], graph.nodes[one.from_]
            alike = leaf.kind == earlier.kind != "function" and leaf.kind != "module"
            if not alike or leaf.outputs[0].shape != earlier.outputs[0].shape:
                return False
    return True
