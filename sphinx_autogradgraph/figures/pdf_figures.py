"""PDF of a figure for LaTeX, and its size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.core.messages import Translate
from sphinx_autogradgraph.core.settings import Engine
from sphinx_autogradgraph.figures.figure_layout import FigureLayout
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.arrange import draw_view
from sphinx_autogradgraph.render.columns import cuts_of
from sphinx_autogradgraph.render.diagram import Diagram, Direction
from sphinx_autogradgraph.render.layout import Layout
from sphinx_autogradgraph.render.pdf import columns_size, pdf_of
from sphinx_autogradgraph.render.text import plain, title_of

PDF_SCALE = 0.7
"""Scale of a drawing in print, at which its labels are somewhat smaller than the text."""


PAGE = 450.0, 520.0
"""Width and height, in points, that a drawing may have on a sheet of A4 or Letter with its caption
below it."""

SMALL = 0.5
"""Scale below which the words of a drawing are hard to read in print."""

TURNED: dict[Direction, Direction] = {"TB": "LR", "LR": "TB", "BT": "RL", "RL": "BT"}


def canvas_pdf(
    graph: Graph, drawn: FigureLayout, engine: Engine, timeout: float, translate: Translate
) -> tuple[str, bytes, str]:
    """Return the PDF of a drawing: its file name, its bytes, and its size for LaTeX.

    A drawing that would be small on the page is turned, or cut into columns, if that lets it be
    larger.  ``timeout`` is the time for its layout, in seconds.  Raises :exc:`ImportError` with
    advice if reportlab is not installed.
    """
    if drawn.width is None and _scale(drawn.layout) < SMALL:
        drawn = _turned(graph, drawn, engine, timeout, translate)
    name = plain(title_of(graph, translate))
    diagram, layout = drawn.diagram(graph, translate), drawn.layout
    cuts: tuple[float, ...] = ()
    if drawn.width is None and _scale(layout) < SMALL and drawn.direction in ("TB", "BT"):
        cuts = _best_cuts(diagram, layout)
    data = pdf_of(diagram, layout, name, cuts)
    size = latex_size(drawn.width)
    if drawn.width is None and (cuts or layout.height * PDF_SCALE > PAGE[1]):
        size = f"scale={_scale(layout, cuts):.2f}"
    return f"{drawn.prefix}.pdf", data, size


def _scale(layout: Layout, cuts: Sequence[float] = ()) -> float:
    """Return the scale at which a drawing, in columns if it is cut, fits the page."""
    width, height = columns_size(layout, cuts)
    return min(PDF_SCALE, PAGE[0] / width, PAGE[1] / height)


def _best_cuts(diagram: Diagram, layout: Layout) -> tuple[float, ...]:
    """Return the cuts with which a drawing is largest on the page; none if it hardly grows."""
    ways = [cuts_of(diagram, layout, columns) for columns in (2, 3)]
    best = max(ways, key=lambda cuts: _scale(layout, cuts))
    return best if _scale(layout, best) > 1.2 * _scale(layout) else ()


def _turned(
    graph: Graph, drawn: FigureLayout, engine: Engine, timeout: float, translate: Translate
) -> FigureLayout:
    """Return the drawing with the direction that is larger on the page."""
    view, direction = drawn.view or graph, TURNED[drawn.direction]
    try:
        _, layout = draw_view(view, drawn.show, direction, engine, timeout, translate)
    except DiagnosticError:
        return drawn  # there is a layout already
    if _scale(layout) <= _scale(drawn.layout):
        return drawn
    return replace(drawn, direction=direction, layout=layout)


_IN_LATEX = {"px": (0.75, "bp"), "pt": (1.0, "bp"), "%": (0.01, "\\linewidth")}
_IN_LATEX.update({unit: (1.0, unit) for unit in ("em", "ex", "cm", "mm", "in", "pc")})


def latex_size(width: str | None) -> str:
    """Convert a width of CSS for LaTeX: a pixel is 1/96 inch, and 100 % is the line.

    Without a width, or with a unit that paper does not have, it is the drawing's size in print.
    """
    number, unit = re.fullmatch(r"([\d.]*)(.*)", width or "").groups()  # type: ignore[union-attr]
    if unit not in _IN_LATEX or not number:
        return f"scale={PDF_SCALE}"
    factor, name = _IN_LATEX[unit]
    return f"width={float(number) * factor:g}{name}"
