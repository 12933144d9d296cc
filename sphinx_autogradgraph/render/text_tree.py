"""A Graph as a tree of text, for terminals and for builders without drawings."""

from __future__ import annotations

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.graph.model import Fold, Graph, Node
from sphinx_autogradgraph.render.text import operations_text, shape_text, step_text, times_text


def node_text(node: Node, translate: Translate = untranslated) -> str:
    """Return a node as a line of the tree: «AddBackward0 y_hat (10, 1)», «w (2, 1)»."""
    if node.fold is not None:
        return _fold_text(node, node.fold, translate)
    parts = [node.op] if node.kind == "function" else []
    parts += [node.name or ("" if node.kind == "function" else translate("unnamed"))]
    parts += [translate("(input)")] if node.kind == "input" else []
    parts += [shape_text(meta) for meta in node.outputs[:1]]
    return " ".join(part for part in parts if part)


def _fold_text(node: Node, fold: Fold, translate: Translate) -> str:
    """Return a fold as a line: «encoder.layers.0 TransformerEncoderLayer, 64 ops (2, 6, 16)»."""
    parts = []
    if fold.kind == "repeats":
        parts += [times_text(fold.times, translate), step_text(node, translate)]
        parts = [part for part in parts if part]
    parts += ["…"] if fold.kind == "cut" else []
    parts += [part for part in (node.name, node.op) if part]
    if fold.operations:
        parts = [*parts[:-1], f"{parts[-1]},"] if parts else []
        parts.append(operations_text(fold.operations, translate))
    parts += [shape_text(meta) for meta in node.outputs[:1]]
    return " ".join(part for part in parts if part)


MAX_TREE = 40
"""Maximum number of nodes of a graph that is printed as a tree."""


def tree(graph: Graph, translate: Translate = untranslated) -> str | None:
    """Return the graph as a tree from the outputs to the leaves, or None if it is too large.

    A node with one input stands right above it, without indentation, so that a chain stays a
    column.  What was shown before is not shown again: its line ends in ``(see above)``.
    """
    if len(graph.nodes) > MAX_TREE:
        return None
    lines: list[str] = []
    shown: set[int] = set()
    for output in graph.outputs:
        name = output.name or translate("unnamed")
        lines.append(f"{name} {shape_text(graph.tensor(output))}".rstrip())
        stack = [(output.node, "", "")]
        while stack:
            id, first, rest = stack.pop()
            node = graph.nodes[id]
            again = id in shown and node.kind in ("function", "module")
            line = first + node_text(node, translate)
            lines.append(line + " " + translate("(see above)") if again else line)
            if again:
                continue
            shown.add(id)
            used = [edge.from_ for edge in graph.inputs_of.get(id, ())]
            if len(used) == 1:
                stack.append((used[0], rest, rest))
                continue
            for place, from_ in reversed(list(enumerate(used))):
                is_last = place == len(used) - 1
                branch, below = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
                stack.append((from_, rest + branch, rest + below))
    return "\n".join(lines)
