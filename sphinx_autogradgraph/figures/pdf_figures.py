"""PDF of a figure for LaTeX, and its size."""

from __future__ import annotations

import re

from sphinx_autogradgraph.core.messages import Translate
from sphinx_autogradgraph.figures.figure_layout import FigureLayout
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.pdf import pdf_of
from sphinx_autogradgraph.render.text import plain, title_of

PDF_SCALE = 0.7
"""Scale of a drawing in print, at which its labels are somewhat smaller than the text."""


def canvas_pdf(graph: Graph, drawn: FigureLayout, translate: Translate) -> tuple[str, bytes, str]:
    """Return the PDF of a drawing: its file name, its bytes, and its size for LaTeX.

    Raises :exc:`ImportError` with advice if reportlab is not installed.
    """
    name = plain(title_of(graph, translate))
    data = pdf_of(drawn.diagram(graph, translate), drawn.layout, name)
    return f"{drawn.prefix}.pdf", data, latex_size(drawn.width)


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
