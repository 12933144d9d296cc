"""Which nodes of one Graph are which of another: by structure and names, never by number.

So an operation that was put in is one new node, and not another node in every place after it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from difflib import SequenceMatcher

from sphinx_autogradgraph.graph.diff import canonical_order
from sphinx_autogradgraph.graph.model import Graph, Node

MAX_ALIGNED = 2_000
"""More nodes than this, which neither structure nor names have matched, are left unmatched."""


class Matching:
    """The pairs of nodes of two graphs that are the same, by their ids; each node is in one."""

    def __init__(self, old: Graph, new: Graph) -> None:
        # Without what is measured: of a snapshot nothing is.
        self.old, self.new = old.structure(), new.structure()
        self.new_of: dict[int, int] = {}
        self.old_of: dict[int, int] = {}
        self._names = [{(node.kind, node.name) for node in graph.nodes} for graph in (old, new)]
        self._by_what_they_used()
        self._spread(self._outputs())
        self._in_order()
        self._spread([*self.new_of.items()])

    def pair(self, one: int, other: int) -> None:
        """Take two nodes, by their ids, for the same."""
        self.new_of[one], self.old_of[other] = other, one

    def part(self, other: int) -> None:
        """Take a node of the new graph for no node of the old one."""
        del self.new_of[self.old_of.pop(other)]

    @property
    def renamed(self) -> list[tuple[Node, Node]]:
        """The leaves and inputs that have another name."""
        pairs = [(self.old.nodes[one], self.new.nodes[new]) for one, new in self.new_of.items()]
        return [(one, new) for one, new in pairs if one.kind != "function" and one.name != new.name]

    def _free(self, one: int, other: int) -> bool:
        return one not in self.new_of and other not in self.old_of

    def _by_what_they_used(self) -> None:
        """Pair nodes that were made in the same way from the same leaves, each in turn."""
        waiting: dict[Hashable, list[int]] = {}
        for id, key in enumerate(_signatures(self.old)):
            waiting.setdefault(key, []).append(id)
        for found in waiting.values():
            found.reverse()
        for id, key in enumerate(_signatures(self.new)):
            if waiting.get(key):
                self.pair(waiting[key].pop(), id)

    def _outputs(self) -> list[tuple[int, int]]:
        """The nodes of outputs that have the same name, else the same place."""
        before = {output.name: output for output in self.old.outputs}
        pairs = []
        for place, output in enumerate(self.new.outputs):
            at = self.old.outputs[place] if place < len(self.old.outputs) else None
            same = before.get(output.name, at)
            if same is not None and same.index == output.index:
                pairs.append((same.node, output.node))
        return pairs

    def _spread(self, stack: list[tuple[int, int]]) -> None:
        """Pair nodes that do the same for the same: from pairs on, input by input."""
        seen = set()
        while stack:
            one, other = stack.pop()
            if (one, other) in seen:
                continue
            seen.add((one, other))
            if self._free(one, other) and self._alike(one, other):
                self.pair(one, other)
            if self.new_of.get(one) != other:
                continue
            used = {edge.input: edge.from_ for edge in self.old.inputs_of.get(one, ())}
            stack += [
                (used[edge.input], edge.from_)
                for edge in self.new.inputs_of.get(other, ())
                if edge.input in used
            ]

    def _alike(self, one: int, other: int) -> bool:
        """Whether nodes in the same place are the same: a leaf may have got another name."""
        old, new = self.old.nodes[one], self.new.nodes[other]
        if old.kind != new.kind or old.op != new.op:
            return False
        if old.kind == "function" or old.name == new.name:
            return True
        shapes = [meta.shape for meta in old.outputs] == [meta.shape for meta in new.outputs]
        elsewhere = (old.kind, old.name) in self._names[1] or (new.kind, new.name) in self._names[0]
        return shapes and not elsewhere

    def _in_order(self) -> None:
        """Pair what is left by name, and functions that follow each other in the same order."""
        for named in (True, False):
            lists = [
                [node for node in canonical_order(graph) if node.id not in taken]
                for graph, taken in ((self.old, self.new_of), (self.new, self.old_of))
            ]
            if max(map(len, lists)) > MAX_ALIGNED:
                return
            key = _full_key if named else _key
            for one, other in _aligned(lists[0], lists[1], key):
                self.pair(one.id, other.id)


def _key(node: Node) -> Hashable:
    return node.kind, node.op, node.name if node.kind != "function" else None


def _full_key(node: Node) -> Hashable:
    return node.kind, node.op, node.name, node.module


def _aligned(
    old: Sequence[Node], new: Sequence[Node], key: Callable[[Node], Hashable]
) -> Iterable[tuple[Node, Node]]:
    keys = [key(node) for node in old], [key(node) for node in new]
    matcher = SequenceMatcher(None, *keys, autojunk=False)
    for a, b, size in matcher.get_matching_blocks():
        yield from zip(old[a : a + size], new[b : b + size], strict=True)


def _signatures(graph: Graph) -> list[Hashable]:
    """For each node a number that is the same for nodes that were made in the same way."""
    found: list[int] = []
    for node in graph.nodes:
        used = tuple(
            (edge.input, edge.output, found[edge.from_])
            for edge in graph.inputs_of.get(node.id, ())
        )
        shapes = tuple((meta.shape, meta.dtype) for meta in node.outputs)
        key = (node.kind, node.op, node.name, node.module or None, shapes, used)
        found.append(hash(key))
    return list(found)
