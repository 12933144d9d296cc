"""PDF of a figure for LaTeX, and its size."""

from __future__ import annotations

import re
from dataclasses import replace

from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.core.messages import Translate
from sphinx_autogradgraph.core.settings import COLUMN, Engine
from sphinx_autogradgraph.figures.figure_layout import FigureLayout
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.arrange import draw_view
from sphinx_autogradgraph.render.columns import cuts_of
from sphinx_autogradgraph.render.diagram import Direction
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
    cuts: Cuts = ()
    if drawn.width is None and _scale(drawn.layout) < SMALL:
        drawn, cuts = _largest(graph, drawn, engine, timeout, translate)
    name = plain(title_of(graph, translate))
    diagram, layout = drawn.diagram(graph, translate), drawn.layout
    data = pdf_of(diagram, layout, name, cuts)
    size = latex_size(drawn.width)
    if drawn.width is None and (cuts or layout.height * PDF_SCALE > PAGE[1]):
        size = f"scale={_scale(layout, cuts):.2f}"
    return f"{drawn.prefix}.pdf", data, size


Cuts = tuple[float, ...]


def _scale(layout: Layout, cuts: Cuts = ()) -> float:
    """Return the scale at which a drawing, in columns if it is cut, fits the page."""
    width, height = columns_size(layout, cuts)
    return min(PDF_SCALE, PAGE[0] / width, PAGE[1] / height)


def _largest(
    graph: Graph, drawn: FigureLayout, engine: Engine, timeout: float, translate: Translate
) -> tuple[FigureLayout, Cuts]:
    """Return the drawing, or another of the same view, that is largest on the page, and its cuts.

    The others are the turned one, and one as narrow as can be.  A drawing is cut only if it is
    clearly larger then.
    """
    turned = _again(graph, drawn, TURNED[drawn.direction], COLUMN, engine, timeout, translate)
    narrow = _again(graph, drawn, drawn.direction, NARROW, engine, timeout, translate)
    whole = max(drawn, turned, key=lambda one: _scale(one.layout))
    cut = [
        (one, cuts)
        for one in (drawn, turned, narrow)
        if one.direction in ("TB", "BT")
        for columns in (2, 3)
        if (cuts := cuts_of(one.diagram(graph, translate), one.layout, columns))
    ]
    best, cuts = max(cut, key=lambda way: _scale(way[0].layout, way[1]), default=(whole, ()))
    clearly = _scale(best.layout, cuts) > 1.2 * _scale(whole.layout)
    return (best, cuts) if clearly else (whole, ())


def _again(
    graph: Graph,
    drawn: FigureLayout,
    direction: Direction,
    column: float,
    engine: Engine,
    timeout: float,
    translate: Translate,
) -> FigureLayout:
    """Return the drawing as it is laid out in another direction or for another column."""
    view = drawn.view or graph
    try:
        _, layout = draw_view(view, drawn.show, direction, engine, timeout, translate, column)
    except DiagnosticError:
        return drawn  # there is a layout already
    return replace(drawn, direction=direction, layout=layout)


NARROW = 150.0
"""Width in pixels that no drawing has, and for which each is made as narrow as it can be."""


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
