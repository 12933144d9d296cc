"""The difference of two Graphs as a drawing: both in one layout, with marks.

Removed and added nodes are told apart by a sign and an outline, not by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.core.settings import COLUMN, ENGINES
from sphinx_autogradgraph.graph.matching import Matching
from sphinx_autogradgraph.graph.model import Graph, Node, Output
from sphinx_autogradgraph.graph.union import Mark, Union, union_of
from sphinx_autogradgraph.render.candidates import best_layout
from sphinx_autogradgraph.render.diagram import Box, Diagram, box_of
from sphinx_autogradgraph.render.diagram_of_graph import diagram_of
from sphinx_autogradgraph.render.labels import Lines, Word
from sphinx_autogradgraph.render.mermaid import mermaid_of
from sphinx_autogradgraph.render.svg import svg_of
from sphinx_autogradgraph.render.text import shape_text
from sphinx_autogradgraph.views.focus import neighbourhood
from sphinx_autogradgraph.views.module_folds import fold_modules, levels, members

SIGNS: dict[Mark, str] = {"removed": "−", "added": "+", "changed": "~"}

ALL = 60
"""Maximum number of nodes of a union shown whole; a larger one is cut around the changes, or
folded by modules."""

FEW = 30
"""Maximum number of changed nodes that are shown one by one."""

TIMEOUT = 30.0
"""Timeout of the layout, in seconds."""

_MERMAID: dict[Mark, str] = {
    "removed": "fill:#ffebe9,stroke:#b3261e,color:#1f2328,stroke-width:2px,stroke-dasharray:6 3",
    "added": "fill:#dafbe1,stroke:#1a7f37,color:#1f2328,stroke-width:4px",
    "changed": "fill:#fff1dc,stroke:#9a6700,color:#1f2328,stroke-width:2px,stroke-dasharray:2 2",
}


class Difference:
    """Two graphs in one drawing, which marks boxes and arrows as added, removed or changed."""

    def __init__(self, matching: Matching, translate: Translate = untranslated) -> None:
        self._union = union_of(matching)
        self._translate = translate
        self.view = _view_of(self._union)
        self.marks = _marks(self._union, self.view, diagram_of(self.view))
        self.diagram = self._on(1)

    def _on(self, lines: Lines) -> Diagram:
        """Return the diagram with its words on one line or on two."""
        diagram = diagram_of(self.view, translate=self._translate, lines=lines)
        boxes = [self._marked(box) for box in diagram.boxes]
        return replace(diagram, boxes=tuple(boxes))

    def _marked(self, box: Box) -> Box:
        """Return the box with the sign of its mark, and with its words of before."""
        mark = self.marks.get(box.key)
        if mark is None:
            return box
        first, *rest = box.lines or ((),)
        lines: list[Sequence[Word]] = [(("order", SIGNS[mark]), *first), *rest]
        before = self._union.before.get(box.nodes[0]) if len(box.nodes) == 1 else None
        if before is not None and box.kind != "output":
            now = self._union.graph.nodes[box.nodes[0]]
            was = [before.name or self._translate("unnamed")] if before.name != now.name else []
            if before.outputs[:1] != now.outputs[:1]:
                was += [shape_text(meta) for meta in before.outputs[:1]]
            if was:
                lines[-1] = (*lines[-1], ("meta", f"\N{LEFTWARDS ARROW} {' '.join(was)}"))
        return box_of(box.key, box.kind, box.nodes, *lines).replace(shared=box.shared)

    def svg(self, *, prefix: str, title: str, description: str) -> str:
        """Return the drawing as SVG, in which marks are classes.

        Raises :exc:`.DiagnosticError` (``layout``) when the layout engine fails.
        """
        diagram, layout = best_layout(self._on, COLUMN, ENGINES[0], TIMEOUT)
        return svg_of(
            diagram,
            layout,
            prefix=prefix,
            title=title,
            description=description,
            marks=self.marks,
        )

    def mermaid(self, title: str, description: str) -> str:
        """Return the text of a Mermaid flowchart."""
        text = mermaid_of(self.diagram, title, description)
        marked = {
            box.key: self.marks[box.key] for box in self.diagram.boxes if box.key in self.marks
        }
        lines = [f"  class {key} {mark}" for key, mark in marked.items()]
        lines += [f"  classDef {mark} {_MERMAID[mark]}" for mark in dict.fromkeys(marked.values())]
        return "\n".join([text.rstrip("\n"), *lines, ""])


def _view_of(union: Union) -> Graph:
    """Return the part of the union that shows the changes."""
    graph = union.graph
    if len(graph.nodes) <= ALL:
        return graph
    changed = {*union.nodes, *(id for pair in union.edges for id in pair)}
    if len(changed) > FEW:
        depth = max((level for _, level in levels(graph)), default=0)
        folded = [fold_modules(graph, level) for level in range(1, depth + 1)]
        small = [view for view in folded if len(view.nodes) <= ALL]
        # Whole modules that went or came are best seen whole.
        pure = [
            view for view in small if all(len(_marks_in(union, node)) == 1 for node in view.nodes)
        ]
        if small:
            return (pure or small[-1:])[0]
    return neighbourhood(graph, changed)


def _marks_in(union: Union, node: Node) -> set[Mark | None]:
    """Return the marks of all nodes that a node of a view shows."""
    return {union.nodes.get(id) for id in members(node)}


def _marks(union: Union, view: Graph, diagram: Diagram) -> dict[str, Mark]:
    """Return the marks of boxes and arrows, by their keys."""
    marks: dict[str, Mark] = {}
    for box in diagram.boxes:
        found = {union.nodes.get(id) for id in box.nodes}
        if box.kind == "output":
            found = {_mark_of_output(union, view.outputs[int(box.key[1:])], view)}
        mark = found.pop() if len(found) == 1 else "changed"
        if mark is not None and box.kind != "cut":
            marks[box.key] = mark
    home = {id: node.id for node in view.nodes for id in members(node)}
    edges: dict[tuple[int, int], set[Mark | None]] = {}
    for edge in union.graph.edges:
        ends = home.get(edge.from_, -1), home.get(edge.to, -1)
        edges.setdefault(ends, set()).add(union.edges.get((edge.from_, edge.to)))
    for arrow in diagram.arrows:
        number = int(arrow.key[1:]) if arrow.key[1:].isdigit() else -1
        if arrow.key.startswith("e") and number >= 0:
            edge = view.edges[number]
            kinds = edges.get((edge.from_, edge.to), {None})
            mark = kinds.pop() if len(kinds) == 1 else None
            kinds.add(mark)
        else:
            mark = marks.get(arrow.head)
        if mark is not None:
            marks[arrow.key] = mark
    return marks


def _mark_of_output(union: Union, output: Output, view: Graph) -> Mark | None:
    inside = members(view.nodes[output.node])
    for index, other in enumerate(union.graph.outputs):
        if (other.name, other.index) == (output.name, output.index) and other.node in inside:
            return union.outputs.get(index)
    return None
