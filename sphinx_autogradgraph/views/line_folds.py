"""Fold the nodes that one line of code made."""

from __future__ import annotations

from itertools import groupby

from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.views.module_folds import Run, contract
from sphinx_autogradgraph.views.repeat_folds import beginnings


def fold_lines(graph: Graph) -> Graph:
    """Fold several nodes in a row that one line of code made into one node.

    A line that is the whole body of a loop makes a node each time.
    """
    functions = [node for node in graph.nodes if node.kind in ("function", "module")]
    begins = beginnings(graph)
    rounds = 0
    keys = []
    for node in functions:
        rounds += node.id in begins
        keys.append((node.source, rounds))
    runs = []
    for (source, _), pairs in groupby(zip(keys, functions, strict=True), key=lambda pair: pair[0]):
        nodes = [node for _, node in pairs]
        if source is not None and len(nodes) > 1:
            run = Run(
                nodes[0].id, nodes[-1].id, "lines", source.text, takes=lambda name: name is None
            )
            runs.append(run)
    return contract(graph, runs)
