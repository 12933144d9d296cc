"""The difference of two Graphs as a drawing: both in one layout, with marks.

What went and what came is told by a sign and by its outline, not by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.graph.matching import Matching
from sphinx_autogradgraph.graph.model import Graph, Node, Output
from sphinx_autogradgraph.graph.union import Mark, Union, union_of
from sphinx_autogradgraph.render.diagram import Box, Diagram, box_of
from sphinx_autogradgraph.render.diagram_of_graph import diagram_of
from sphinx_autogradgraph.render.dot import digraph_of
from sphinx_autogradgraph.render.labels import Word
from sphinx_autogradgraph.render.layout import lay_out
from sphinx_autogradgraph.render.mermaid import mermaid_of
from sphinx_autogradgraph.render.svg import svg_of
from sphinx_autogradgraph.render.text import shape_text
from sphinx_autogradgraph.views.focus import neighbourhood
from sphinx_autogradgraph.views.module_folds import fold_modules, levels, members

SIGNS: dict[Mark, str] = {"removed": "−", "added": "+", "changed": "~"}

ALL = 60
"""A union with more nodes than this is shown around what changed, or by modules."""

FEW = 30
"""As many changed nodes are shown each for itself."""

_MERMAID: dict[Mark, str] = {
    "removed": "fill:#ffebe9,stroke:#b3261e,color:#1f2328,stroke-width:2px,stroke-dasharray:6 3",
    "added": "fill:#dafbe1,stroke:#1a7f37,color:#1f2328,stroke-width:4px",
    "changed": "fill:#fff1dc,stroke:#9a6700,color:#1f2328,stroke-width:2px,stroke-dasharray:2 2",
}


@dataclass(frozen=True)
class Difference:
    """A diagram of two graphs in one, and the marks of its boxes and arrows by their keys."""

    view: Graph
    diagram: Diagram
    marks: dict[str, Mark]

    def mermaid(self, title: str, description: str) -> str:
        """The text of a Mermaid flowchart."""
        text = mermaid_of(self.diagram, title, description)
        boxes = {box.key for box in self.diagram.boxes}
        lines = [f"  class {key} {mark}" for key, mark in self.marks.items() if key in boxes]
        used = dict.fromkeys(mark for key, mark in self.marks.items() if key in boxes)
        lines += [f"  classDef {mark} {_MERMAID[mark]}" for mark in used]
        return "\n".join([text.rstrip("\n"), *lines, ""])


def difference_of(matching: Matching, translate: Translate = untranslated) -> Difference:
    """What is to be drawn of two graphs."""
    union = union_of(matching)
    view = _view_of(union)
    diagram = diagram_of(view, translate=translate)
    marks = _marks(union, view, diagram)
    boxes = tuple(_marked(box, marks.get(box.key), union) for box in diagram.boxes)
    return Difference(view, replace(diagram, boxes=boxes), marks)


def _view_of(union: Union) -> Graph:
    """The part of the union that shows what changed."""
    graph = union.graph
    if len(graph.nodes) <= ALL:
        return graph
    changed = {*union.nodes, *(id for pair in union.edges for id in pair)}
    if len(changed) > FEW:
        depth = max((level for _, level in levels(graph)), default=0)
        folded = [fold_modules(graph, level, smallest=True) for level in range(1, depth + 1)]
        small = [view for view in folded if len(view.nodes) <= ALL]
        # Whole modules that went or came are best seen whole.
        pure = [
            view for view in small if all(len(_marks_in(union, node)) == 1 for node in view.nodes)
        ]
        if small:
            return (pure or small[-1:])[0]
    return neighbourhood(graph, changed)


def _marks_in(union: Union, node: Node) -> set[Mark | None]:
    """The marks of all that a node of a view shows."""
    return {union.nodes.get(id) for id in members(node)}


def _marks(union: Union, view: Graph, diagram: Diagram) -> dict[str, Mark]:
    """The marks of boxes and arrows, by their keys."""
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


def _marked(box: Box, mark: Mark | None, union: Union) -> Box:
    """The box with the sign of its mark, and what it was before."""
    if mark is None:
        return box
    words: list[Word] = [("order", SIGNS[mark]), *box.words]
    before = union.before.get(box.nodes[0]) if len(box.nodes) == 1 else None
    if before is not None and box.kind != "output":
        now = union.graph.nodes[box.nodes[0]]
        was = [before.name or "?"] if before.name != now.name else []
        if before.outputs[:1] != now.outputs[:1]:
            was += [shape_text(meta) for meta in before.outputs[:1]]
        words.append(("meta", f"← {' '.join(was)}".rstrip()))
    made = box_of(box.key, box.kind, box.nodes, words, box.below)
    return replace(made, shared=box.shared, tooltip=box.tooltip)


def svg_of_difference(difference: Difference, *, prefix: str, title: str, description: str) -> str:
    """The drawing of a difference; its marks are the classes of boxes and arrows.

    Raises :exc:`.DiagnosticError` (``layout``) when the layout engine fails.
    """
    diagram = difference.diagram
    return svg_of(
        diagram,
        lay_out(digraph_of(diagram).source),
        prefix=prefix,
        title=title,
        description=description,
        marks=difference.marks,
    )
