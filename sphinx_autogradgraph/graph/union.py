"""The union of two Graphs, with marks of what was added, removed or changed."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from sphinx_autogradgraph.graph.matching import Matching
from sphinx_autogradgraph.graph.model import Edge, Graph, ModuleCall, Node, Output, TensorMeta

Mark = Literal["removed", "added", "changed"]

Place = tuple[Literal["old", "new"], int]
"""The origin of a node of the union; a node in both graphs has its id in the new one."""


@dataclass(frozen=True)
class Union:
    """A Graph of the nodes and edges of two, and marks where the two differ.

    Marks of nodes are by their id, those of edges by the ids of their ends, those of outputs by
    their index.  ``before`` holds the earlier state of each changed node.
    """

    graph: Graph
    nodes: Mapping[int, Mark]
    edges: Mapping[tuple[int, int], Mark]
    outputs: Mapping[int, Mark]
    before: Mapping[int, Node]


def union_of(matching: Matching) -> Union:
    """Return the union of two graphs, in which equal nodes are one.

    Nodes that changed sides may close a cycle as one node: these are separated in ``matching``.
    """
    old, new = matching.old, matching.new
    while True:
        order = _merged(matching)
        ids = {place: id for id, place in enumerate(order)}
        pairs = {place: id for place, id in ids.items() if place[0] == "new"}
        before = {
            node.id: pairs["new", matching.new_of[node.id]]
            if node.id in matching.new_of
            else ids["old", node.id]
            for node in old.nodes
        }
        after = {id: at for (_, id), at in pairs.items()}
        edges = sorted(_edges(old, before) | _edges(new, after), key=_by_user)
        if all(edge.from_ < edge.to for edge in edges):
            return _union(old, new, matching, before, after, edges, ordered=True)
        sorted_ids, stuck = _topological(len(order), edges)
        if not stuck:
            renumber = {id: place for place, id in enumerate(sorted_ids)}
            before = {id: renumber[at] for id, at in before.items()}
            after = {id: renumber[at] for id, at in after.items()}
            edges = sorted(_edges(old, before) | _edges(new, after), key=_by_user)
            return _union(old, new, matching, before, after, edges, ordered=False)
        # Two that are the same have changed sides: they cannot be one in a drawing.
        for place, id in ids.items():
            if id in stuck and place[0] == "new" and place[1] in matching.old_of:
                matching.part(place[1])


def _merged(matching: Matching) -> list[Place]:
    """Return the order of the new graph, with removed nodes after those that they followed."""
    following: dict[Place | None, list[Place]] = {}
    last: Place | None = None
    for node in matching.old.nodes:
        if node.id in matching.new_of:
            last = ("new", matching.new_of[node.id])
        else:
            following.setdefault(last, []).append(("old", node.id))
    order = list(following.get(None, ()))
    for node in matching.new.nodes:
        order += [("new", node.id), *following.get(("new", node.id), ())]
    return order


def _edges(graph: Graph, ids: Mapping[int, int]) -> set[Edge]:
    """Return the edges of a graph by the ids of the union."""
    return {Edge(ids[edge.from_], ids[edge.to], edge.output, edge.input) for edge in graph.edges}


def _numbered(edges: Sequence[Edge]) -> Iterator[Edge]:
    """Yield the edges with inputs numbered anew: a changed input has an edge from each graph."""
    taken: Counter[int] = Counter()
    for edge in edges:
        yield Edge(edge.from_, edge.to, edge.output, taken[edge.to])
        taken[edge.to] += 1


def _by_user(edge: Edge) -> tuple[int, int, int, int]:
    return edge.to, edge.input, edge.from_, edge.output


def _topological(count: int, edges: Sequence[Edge]) -> tuple[list[int], set[int]]:
    """Return an order in which all edges run forward, and the ids that are on or behind a cycle."""
    waiting = [0] * count
    users: dict[int, list[int]] = {}
    for edge in edges:
        waiting[edge.to] += 1
        users.setdefault(edge.from_, []).append(edge.to)
    ready = [id for id in range(count) if not waiting[id]]
    order: list[int] = []
    while ready:
        id = heapq.heappop(ready)
        order.append(id)
        for user in users.get(id, ()):
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(ready, user)
    return order, set(range(count)) - set(order)


def _union(
    old: Graph,
    new: Graph,
    matching: Matching,
    before: Mapping[int, int],
    after: Mapping[int, int],
    edges: Sequence[Edge],
    *,
    ordered: bool,
) -> Union:
    nodes: dict[int, Node] = {}
    marks: dict[int, Mark] = {}
    was: dict[int, Node] = {}
    for node in old.nodes:
        at = before[node.id]
        if node.id not in matching.new_of:
            nodes[at], marks[at] = node.replace(id=at), "removed"
    for node in new.nodes:
        at = after[node.id]
        nodes[at] = _joined(node, at, old, matching)
        if node.id not in matching.old_of:
            marks[at] = "added"
        elif _described(old.nodes[matching.old_of[node.id]]) != _described(node):
            marks[at], was[at] = "changed", old.nodes[matching.old_of[node.id]]
    outputs, output_marks = _outputs(old, new, before, after)
    graph = Graph(
        outputs,
        tuple(nodes[id] for id in range(len(nodes))),
        tuple(_numbered(edges)),
        tuple(_modules(old, new, matching, before, after)) if ordered else (),
    )
    sides = _edges(old, before), _edges(new, after)
    return Union(graph, marks, _edge_marks(*sides), output_marks, was)


def _edge_marks(old: Set[Edge], new: Set[Edge]) -> dict[tuple[int, int], Mark]:
    """Return the marks of pairs of nodes that an edge joins in one graph only."""
    ends = [{(edge.from_, edge.to) for edge in edges} for edges in (old, new)]
    marks: dict[tuple[int, int], Mark] = dict.fromkeys(ends[0] - ends[1], "removed")
    return {**marks, **dict.fromkeys(ends[1] - ends[0], "added")}


def _joined(node: Node, at: int, old: Graph, matching: Matching) -> Node:
    """Return a node with all the outputs that it has in either graph, for the edges of both."""
    outputs = node.outputs
    if node.id in matching.old_of:
        outputs += old.nodes[matching.old_of[node.id]].outputs[len(outputs) :]
    return node.replace(id=at, outputs=outputs)


def _described(node: Node) -> tuple[str | None, list[tuple[object, ...]]]:
    def described(meta: TensorMeta) -> tuple[object, ...]:
        return meta.shape, meta.dtype, meta.name

    return node.name, [described(meta) for meta in node.outputs]


def _outputs(
    old: Graph, new: Graph, before: Mapping[int, int], after: Mapping[int, int]
) -> tuple[tuple[Output, ...], dict[int, Mark]]:
    """Return the outputs of both graphs; those that only one has are marked."""
    sides = [
        [Output(output.name, ids[output.node], output.index) for output in graph.outputs]
        for graph, ids in ((old, before), (new, after))
    ]
    outputs = list(dict.fromkeys([*sides[1], *sides[0]]))
    marks: dict[int, Mark] = {}
    for index, output in enumerate(outputs):
        if output not in sides[1]:
            marks[index] = "removed"
        elif output not in sides[0]:
            marks[index] = "added"
    return tuple(outputs), marks


def _modules(
    old: Graph,
    new: Graph,
    matching: Matching,
    before: Mapping[int, int],
    after: Mapping[int, int],
) -> list[ModuleCall]:
    """Return the calls of modules of both graphs that are still nested or disjoint in the union."""
    calls: dict[tuple[str, str, int, int], None] = {}
    for graph, ids in ((new, after), (old, before)):
        for call in graph.modules:
            inside = [ids[id] for id in range(call.first, call.last + 1) if id in ids]
            gone = graph is old and all(
                id not in matching.new_of for id in range(call.first, call.last + 1)
            )
            if inside and (graph is new or gone):
                calls.setdefault((call.path, call.type, min(inside), max(inside)))
    found = sorted(calls, key=lambda call: (call[2], -call[3]))
    open_: list[int] = []
    for _, _, first, last in found:
        while open_ and open_[-1] < first:
            open_.pop()
        if open_ and last > open_[-1]:
            return []
        open_.append(last)
    return [ModuleCall(*call) for call in found]
