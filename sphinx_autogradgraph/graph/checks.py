"""Checks of a graph beyond its types: ids, ends and order of edges, nesting of modules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from sphinx_autogradgraph.graph.records import GraphRecords, Node, Values

MAX_VALUES = 1_000
"""Maximum number of elements in the values of a tensor, which are meant for small ones."""

MAX_NESTING = 64
"""Maximum number of dimensions of a tensor, as in torch."""


def problems(graph: GraphRecords) -> Iterator[str]:
    """Return a graph's defects, in words; nothing if it is sound."""
    count = len(graph.nodes)
    for index, node in enumerate(graph.nodes):
        # Nearly all nodes of a large graph are so; a generator for each takes half of the time.
        if not (node.id == index and _has_nothing_to_check(node)):
            yield from _node_problems(node, index, count)
    yield from _edge_problems(graph)
    yield from _module_problems(graph)
    bases = [output.base for output in graph.outputs if output.base is not None]
    for output in (*graph.outputs, *bases):
        if not 0 <= output.node < count:
            yield f"output {output.name} is at no node"
        elif not 0 <= output.index < len(graph.nodes[output.node].outputs):
            yield f"output {output.name} is no output of node {output.node}"
    if any(base.base is not None for base in bases):
        yield "the base of an output is a view itself"


def _edge_problems(graph: GraphRecords) -> Iterator[str]:
    count = len(graph.nodes)
    last = (-1, -1)
    for edge in graph.edges:
        if not 0 <= edge.from_ < edge.to < count:
            yield f"edge {edge.from_} → {edge.to} does not run forward between nodes"
        elif not 0 <= edge.output < len(graph.nodes[edge.from_].outputs):
            yield f"edge {edge.from_} → {edge.to} leaves from no output {edge.output}"
        elif graph.nodes[edge.to].kind in ("leaf", "input"):
            yield f"edge {edge.from_} → {edge.to} goes into a tensor"
        if (edge.to, edge.input) <= last:
            yield f"edge {edge.from_} → {edge.to} is not in its place, or stands twice"
        last = edge.to, edge.input


def _module_problems(graph: GraphRecords) -> Iterator[str]:
    around: list[int] = []
    before = 0
    for call in graph.modules:
        if not before <= call.first <= call.last < len(graph.nodes):
            yield f"the call of module {call.path} is at no nodes, or not in its place"
            return
        before = call.first
        while around and around[-1] < call.first:
            around.pop()
        if around and around[-1] < call.last:
            yield f"the call of module {call.path} ends after the one that it is in"
        around.append(call.last)


def _has_nothing_to_check(node: Node) -> bool:
    """Whether a node refers to no other one, stands for none and has no values."""
    return (
        node.kind != "module"
        and node.fold is None
        and node.saved is None
        and node.reason is None
        and (len(node.outputs) == 1 and node.outputs[0].values is None)
    )


def _node_problems(node: Node, index: int, count: int) -> Iterator[str]:
    if node.id != index:
        yield f"node {index} has the id {node.id}"
    if (node.fold is not None) != (node.kind == "module"):
        yield f"node {index} is of kind {node.kind}, and what it stands for is not"
    others = [saved.node for saved in node.saved or ()]
    if node.reason is not None:
        others.append(node.reason.of)
    if any(other is not None and not 0 <= other < count for other in others):
        yield f"what node {index} refers to is at no node"
    values: chain[Values] = chain(
        (meta.values for meta in node.outputs), (saved.value for saved in node.saved or ())
    )
    if not all(map(_are_small, values)):
        yield f"the values at node {index} are those of no small tensor"


def _are_small(values: Values) -> bool:
    """Whether values are a number or text, or short lists of them that are not deeply nested."""
    level = [values]
    for _ in range(MAX_NESTING):
        lists = [item for item in level if isinstance(item, list)]
        if not lists:
            return True
        level = [item for inner in lists for item in inner]
        if len(level) > MAX_VALUES or not all(
            isinstance(item, bool | int | float | str | list) for item in level
        ):
            return False
    return False
