"""Arrange a Graph for drawing: choose its view, and lay that out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.garbage import uncollected
from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.core.settings import COLUMN, Engine
from sphinx_autogradgraph.core.show import Show
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.candidates import best_layout
from sphinx_autogradgraph.render.diagram import Diagram, Direction
from sphinx_autogradgraph.render.diagram_of_graph import diagram_of
from sphinx_autogradgraph.render.labels import Lines
from sphinx_autogradgraph.render.layout import Layout, LayoutTimeoutError
from sphinx_autogradgraph.render.titles import with_titles_clear
from sphinx_autogradgraph.views.choice import EVERYTHING, Scope, views, wanted_view


@dataclass(frozen=True)
class Arranged:
    """A view of a Graph, its diagram and its layout.

    ``folded`` tells that the view was folded automatically, ``diagnostic`` that the layout of a
    larger view timed out.
    """

    view: Graph
    diagram: Diagram
    layout: Layout
    folded: bool
    diagnostic: Diagnostic | None = None


@uncollected()
def arrange(
    graph: Graph,
    scope: Scope = EVERYTHING,
    show: Sequence[Show] = ("shape",),
    direction: Direction = "TB",
    engine: Engine = "graphviz-pure",
    timeout: float = 30.0,
    translate: Translate = untranslated,
    column: float | None = COLUMN,
) -> Arranged:
    """Lay out the view of a Graph that is wanted, or a smaller one where that takes too long.

    ``timeout`` is in seconds, for each; ``column`` is the width in pixels that the drawing is made
    for, None for any.  Raises
    :exc:`.DiagnosticError` (``layout``) when the engine fails, or has no
    time even for the smallest view; (``option``) when ``scope`` names nothing in the graph.
    """
    late: LayoutTimeoutError | None = None
    widest: Arranged | None = None
    wanted = wanted_view(graph, scope)
    for view in views(wanted, scope):
        try:
            diagram, layout = draw_view(view, show, direction, engine, timeout, translate, column)
        except LayoutTimeoutError as error:
            late = late or error
            continue
        diagnostic = None if late is None else late.diagnostic
        arranged = Arranged(view, diagram, layout, view is not wanted, diagnostic)
        kinds = {node.fold.kind for node in view.nodes if node.fold is not None}
        if widest is not None and "parts" in kinds:
            break
        # Sideways every drawing is wide: who asks for that knows it.
        limited = column is not None and scope.folds_by_itself and direction in ("TB", "BT")
        if not limited or layout.width <= (column or 0) * TOO_WIDE:
            return arranged
        widest = widest or arranged
    if widest is not None:  # to fold it makes it no narrower
        return widest
    assert late is not None, "there is a view of every graph"
    raise late


TOO_WIDE = 1.25
"""Largest width of a drawing, in columns.  A wider one, whose words are small, folds if it can."""


def draw_view(
    view: Graph,
    show: Sequence[Show],
    direction: Direction,
    engine: Engine,
    timeout: float,
    translate: Translate = untranslated,
    column: float | None = COLUMN,
) -> tuple[Diagram, Layout]:
    """Return the diagram of a view and its layout, as they fit the ``column``, in pixels, best.

    Raises :exc:`.DiagnosticError` (``layout``) when the engine fails,
    :exc:`.LayoutTimeoutError` when it takes too long.
    """

    def on(lines: Lines) -> Diagram:
        return diagram_of(view, show, direction, translate, lines)

    diagram, layout = best_layout(on, column, engine, timeout)
    return diagram, with_titles_clear(diagram, layout)
