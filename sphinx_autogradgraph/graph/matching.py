"""Matching of the nodes of two Graphs, by structure and names, never by number.

An operation that was inserted is then one new node, and the nodes after it stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from difflib import SequenceMatcher

from sphinx_autogradgraph.graph.diff import canonical_order
from sphinx_autogradgraph.graph.model import Graph, Node

MAX_ALIGNED = 2_000
"""Maximum number of nodes to align by order, once structure and names have matched the others."""


class Matching:
    """The pairs of equal nodes of two graphs, by their ids; each node is in one pair at most."""

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
        """Record two nodes, by their ids, as the same."""
        self.new_of[one], self.old_of[other] = other, one

    def part(self, other: int) -> None:
        """Record a node of the new graph as one that the old graph lacks."""
        del self.new_of[self.old_of.pop(other)]

    @property
    def renamed(self) -> list[tuple[Node, Node]]:
        """Return the leaves and inputs whose names differ."""
        pairs = [(self.old.nodes[one], self.new.nodes[new]) for one, new in self.new_of.items()]
        return [(one, new) for one, new in pairs if one.kind != "function" and one.name != new.name]

    def _free(self, one: int, other: int) -> bool:
        return one not in self.new_of and other not in self.old_of

    def _by_what_they_used(self) -> None:
        """Pair nodes that were computed in the same way from the same leaves, in their order."""
        waiting: dict[Hashable, list[int]] = {}
        for id, key in enumerate(_signatures(self.old)):
            waiting.setdefault(key, []).append(id)
        for found in waiting.values():
            found.reverse()
        for id, key in enumerate(_signatures(self.new)):
            if waiting.get(key):
                self.pair(waiting[key].pop(), id)

    def _outputs(self) -> list[tuple[int, int]]:
        """Return pairs of the nodes of outputs with the same name, else of the same place."""
        before = {output.name: output for output in self.old.outputs}
        pairs = []
        for place, output in enumerate(self.new.outputs):
            at = self.old.outputs[place] if place < len(self.old.outputs) else None
            same = before.get(output.name, at)
            if same is not None and same.index == output.index:
                pairs.append((same.node, output.node))
        return pairs

    def _spread(self, stack: list[tuple[int, int]]) -> None:
        """Pair equal operations, walking from paired nodes to their inputs."""
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
        """Whether nodes in the same place are the same; a leaf or input may have been renamed."""
        old, new = self.old.nodes[one], self.new.nodes[other]
        if old.kind != new.kind or old.op != new.op:
            return False
        if old.kind == "function" or old.name == new.name:
            return True
        shapes = [meta.shape for meta in old.outputs] == [meta.shape for meta in new.outputs]
        elsewhere = (old.kind, old.name) in self._names[1] or (new.kind, new.name) in self._names[0]
        return shapes and not elsewhere

    def _in_order(self) -> None:
        """Pair the remaining nodes by name, then by their kinds in the same order."""
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
    """Return a hash for each node, the same for nodes that were computed in the same way."""
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
