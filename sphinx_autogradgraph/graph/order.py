"""Orders of the nodes of a graph: along its main chain, and as a backward visits them."""

from __future__ import annotations

import heapq

from sphinx_autogradgraph.graph.records import GraphRecords, Kind


def longest_path(graph: GraphRecords, *inner: Kind) -> list[int]:
    """Return the ids on the longest path from the first output to a leaf, with that leaf.

    The path runs through nodes of the ``inner`` kinds.  Among equally long paths it is the one
    through the lowest input index; where no leaf can be reached, the longest path there is.  Leaves
    lie behind what is cut off.  A view without an output has the longest path from any of its ends.
    """
    # (reaches a leaf, inner nodes on the way): compared as tuples, so a path that ends at a leaf
    # beats every path that does not.
    rank: list[tuple[bool, int]] = []
    follow: list[int | None] = []
    for node in graph.nodes:
        is_cut = node.fold is not None and node.fold.kind == "cut"
        best: tuple[bool, int] = (node.kind == "leaf" or is_cut, 0)
        step = None
        if node.kind in inner:
            for edge in graph.inputs_of.get(node.id, ()):
                if step is None or rank[edge.from_] > best:
                    best, step = rank[edge.from_], edge.from_
        rank.append((best[0], best[1] + (node.kind in inner)))
        follow.append(step)
    ends = [output.node for output in graph.outputs[:1]] or range(len(graph.nodes))
    at: int | None = max(ends, key=rank.__getitem__, default=None)
    found = []
    while at is not None:
        found.append(at)
        at = follow[at]
    return found


def main_chain(view: GraphRecords) -> tuple[int, ...]:
    """Return the longest path of nodes from the first output back to a leaf, with that leaf.

    As :attr:`.Graph.chain`, but a fold counts as an operation: in a folded drawing the main chain
    is that of what is drawn.
    """
    path = longest_path(view, "function", "module")
    return tuple(id for id in path if view.nodes[id].kind != "input")


def chain_ids(graph: GraphRecords) -> tuple[int, ...]:
    """Return the ids of the functions on the longest path from the first output to a leaf."""
    path = longest_path(graph, "function")
    return tuple(id for id in path if graph.nodes[id].kind == "function")


def backward_order(graph: GraphRecords) -> dict[int, int]:
    """Return the place, from 1, of each node in a backward from the outputs; none is run.

    The order is that of autograd's engine.  A node is visited once all its users have been.  Of the
    nodes that are ready, leaves come first, then the node that the forward pass made last.
    """
    waiting = [0] * len(graph.nodes)
    for edge in graph.edges:
        waiting[edge.from_] += 1

    def rank(id: int) -> tuple[bool, int]:
        return graph.nodes[id].kind != "leaf", -id

    # What nothing uses is an output: every node can be reached from one.
    ready = [rank(node.id) for node in graph.nodes if not waiting[node.id]]
    heapq.heapify(ready)
    order: dict[int, int] = {}
    while ready:
        id = -heapq.heappop(ready)[1]
        order[id] = len(order) + 1
        for edge in graph.inputs_of.get(id, ()):
            waiting[edge.from_] -= 1
            if not waiting[edge.from_] and graph.nodes[edge.from_].kind != "input":
                heapq.heappush(ready, rank(edge.from_))
    return order
