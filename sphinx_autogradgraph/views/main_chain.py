"""Main chain of a view: the line along which a figure is read."""

from __future__ import annotations

from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.graph.order import longest_path


def main_chain(view: Graph) -> tuple[int, ...]:
    """Return the longest path of nodes from the first output back to a leaf, with that leaf.

    As :attr:`.Graph.chain`, but a fold counts as an operation: in a folded drawing the main chain
    is that of what is drawn.
    """
    path = longest_path(view, "function", "module")
    return tuple(id for id in path if view.nodes[id].kind != "input")
