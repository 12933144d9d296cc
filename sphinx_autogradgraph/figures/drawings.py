"""Drawing of a figure that stands on no page, for the command line and for texts."""

from __future__ import annotations

from sphinx_autogradgraph.figures.figure_layout import FigureLayout
from sphinx_autogradgraph.figures.options import Options
from sphinx_autogradgraph.render.drawing import Drawing
from sphinx_autogradgraph.runtime.result import Traced


class FigureDrawing(Drawing):
    """The drawing of a trace by the options of a figure, whose ``layout`` may stand already.

    Raises :exc:`ValueError` for a scope of what is not in the graph.
    """

    def __init__(
        self, traced: Traced, options: Options, layout: FigureLayout | None = None
    ) -> None:
        super().__init__(
            traced.graph,
            show=options.show,
            direction=options.direction,
            scope=options.scope,
            notes=traced.notes,
        )
        if layout is not None:
            self._arranged = layout.arranged(traced.graph)
