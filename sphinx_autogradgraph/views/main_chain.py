"""Main chain of a view: the line along which a figure is read."""

from __future__ import annotations

from sphinx_autogradgraph.graph.model import Graph

_INNER = ("function", "module")


def main_chain(view: Graph) -> tuple[int, ...]:
    """Return the longest path of nodes from the first output back to a leaf, with that leaf.

    As :attr:`.Graph.chain`, but a fold counts as an operation: in a folded drawing the main chain
    is that of what is drawn.  Where no leaf can be reached, the longest path there is.
    """
    if not view.outputs:
        return ()
    # A path that ends at a leaf beats every path that does not, then the longer one wins; among
    # equals the lowest input does, which comes first.
    rank: list[tuple[bool, int]] = []
    step: list[int | None] = []
    for node in view.nodes:
        best: tuple[bool, int] = (node.kind == "leaf", 0)
        follow = None
        if node.kind in _INNER:
            for edge in view.inputs_of.get(node.id, ()):
                if follow is None or rank[edge.from_] > best:
                    best, follow = rank[edge.from_], edge.from_
        rank.append((best[0], best[1] + (node.kind in _INNER)))
        step.append(follow)
    found = []
    at: int | None = view.outputs[0].node
    while at is not None:
        if view.nodes[at].kind != "input":
            found.append(at)
        at = step[at]
    return tuple(found)
