"""Consequences of a difference of two Graphs for training, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph.matching import Matching
from sphinx_autogradgraph.graph.model import Graph, Node

MAX_SENTENCES = 4
"""Maximum number of leaves with a sentence each; more share one."""


def meaning_of(matching: Matching) -> Iterator[Message]:
    """Yield sentences on the leaves and on the longest path to them; backquotes mark names."""
    old, new = matching.old, matching.new
    gone = [node for node in old.leaf_nodes if node.id not in matching.new_of]
    come = [node for node in new.leaf_nodes if node.id not in matching.old_of]
    for node, other in matching.renamed:
        names = {"old": _name(node), "new": _name(other)}
        yield Message("{old} is called {new} now.", names)
    for nodes, text, many in (
        (
            gone,
            "{name} is no longer reached: no gradient arrives there.",
            "{count} leaves are no longer reached, among them {name}.",
        ),
        (
            come,
            "{name} is reached now: a gradient arrives there.",
            "{count} more leaves are reached now, among them {name}.",
        ),
    ):
        yield from _each(nodes, text, many)
    if not (gone or come or matching.renamed):
        yield Message("The same leaves are reached as before.")
    uses = _uses(old), _uses(new)
    for node in new.leaf_nodes:
        before = uses[0][matching.old_of.get(node.id, -1)]
        if before and before != uses[1][node.id]:
            counts = {"before": str(before), "after": str(uses[1][node.id])}
            text = "Uses of {name}: {before} became {after}."
            yield Message(text, {"name": _name(node), **counts})
    lengths = len(old.chain), len(new.chain)
    if lengths[0] != lengths[1]:
        counts = {"before": str(lengths[0]), "after": str(lengths[1])}
        text = "The longest way from the output to a leaf: {before} operations became {after}."
        yield Message(text, counts)


def _each(nodes: Sequence[Node], text: str, many: str) -> Iterator[Message]:
    if len(nodes) > MAX_SENTENCES:
        yield Message(many, {"count": str(len(nodes)), "name": _name(nodes[0])})
    else:
        yield from (Message(text, {"name": _name(node)}) for node in nodes)


def _uses(graph: Graph) -> Counter[int]:
    """Count the edges that leave each node."""
    return Counter(edge.from_ for edge in graph.edges)


def _name(node: Node) -> str | Message:
    if node.name is None:
        return Message("a leaf without a name")
    quoted = node.name.replace("`", "'")
    return f"`{quoted}`"
