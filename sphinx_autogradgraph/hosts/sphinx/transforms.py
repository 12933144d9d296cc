"""Transforms that have pages drawn, and turn canvases into SVG, PDF or text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from sphinx_autogradgraph.hosts.sphinx.attributes import CALL, DRAWING, GRAPH, LINE
from sphinx_autogradgraph.hosts.sphinx.translation import _

if TYPE_CHECKING:
    from sphinx_autogradgraph.figures.figure_html import CanvasContext
    from sphinx_autogradgraph.figures.figure_layout import FigureLayout
    from sphinx_autogradgraph.graph.model import Graph

logger = logging.getLogger(__name__)

PAGE_EVENT = "autogradgraph-page-read"
"""Emitted with a document whose figures await their drawings."""

CONTEXT_EVENT = "autogradgraph-context"
"""Emitted with a document's name, to ask for the services of the output to its canvases (a
:class:`.CanvasContext`)."""

PDF_EVENT = "autogradgraph-pdf"
"""Emitted with the name and the bytes of a file that LaTeX is to include, to be written."""


class DrawPage(SphinxTransform):
    """Take the figures of the page.

    After smart quotes (750), which would alter generated captions, and before the domains collect
    labels with their captions (850).
    """

    default_priority = 760

    def apply(self, **kwargs: Any) -> None:
        """Emit an event with the document: from Sphinx 11 on a transform knows no application."""
        self.env.events.emit(PAGE_EVENT, self.document)


def _drawing(canvas: nodes.container) -> tuple[Graph, FigureLayout]:
    """Return the Graph and the layout that a canvas holds."""
    from sphinx_autogradgraph.figures.figure_layout import FigureLayout
    from sphinx_autogradgraph.graph.model import Graph

    return Graph.from_json(canvas[GRAPH]), FigureLayout.from_json(canvas[DRAWING])


class CanvasToSvg(SphinxPostTransform):
    """Put the SVG in place of its text form, for HTML and formats made from it."""

    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Replace every canvas that has a drawing, and link the cells of tables."""
        canvases = [node for node in self.document.findall(nodes.container) if DRAWING in node]
        if not canvases:
            return
        from sphinx_autogradgraph.figures.figure_html import below_caption_html, canvas_html

        context: CanvasContext = self.env.events.emit_firstresult(CONTEXT_EVENT, self.env.docname)
        for canvas in canvases:
            drawing = _drawing(canvas)
            html = canvas_html(
                *drawing,
                context,
                graph_json=canvas[GRAPH],
                classes=canvas["classes"],
                translate=_,
            )
            below = below_caption_html(*drawing, _)
            legend = next(canvas.parent.findall(nodes.legend), None)
            if below and legend is not None:
                legend.append(nodes.raw("", below, format="html"))
            context = replace(context, texts=False)
            # Not replace_self(): it hands the classes on, and docutils wraps raw text in them.
            canvas.parent.replace(canvas, nodes.raw("", html, format="html"))
        for cell in self.document.findall(nodes.paragraph):
            if LINE in cell:
                self._link(cell, f"#{cell[LINE]}")
            elif CALL in cell and (url := context.url_of_call(cell[CALL])) is not None:
                self._link(cell, url)

    def _link(self, cell: nodes.paragraph, url: str) -> None:
        first = cell[0]
        link = nodes.reference("", "", first.deepcopy(), refuri=url, internal=url.startswith("#"))
        cell.replace(first, link)


class CanvasToPdf(SphinxPostTransform):
    """Put a vector PDF in place of the text form, for LaTeX.

    No figure stands beside the text: LaTeX prints headings, lists and blocks of code, and what
    comes at the end of a page, over one that does.  If reportlab is not installed, the text form
    stays, and one warning says what to install.
    """

    default_priority = CanvasToSvg.default_priority
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:
        """Replace every canvas that has a drawing."""
        for figure in self.document.findall(nodes.figure):
            if "autogradgraph" in figure["classes"]:
                figure.attributes.pop("align", None)
        engine = self.config.autogradgraph_layout, self.config.autogradgraph_layout_timeout
        for canvas in list(self.document.findall(nodes.container)):
            if DRAWING not in canvas:
                continue
            from sphinx_autogradgraph.figures.pdf_figures import canvas_pdf
            from sphinx_autogradgraph.render.pdf import NEEDS

            try:
                name, data, width = canvas_pdf(*_drawing(canvas), *engine, _)
            except ImportError:
                logger.warning(
                    NEEDS.sentence(_),
                    location=canvas,
                    type="autogradgraph",
                    subtype="layout",
                    once=True,
                )
                return
            self.env.events.emit(PDF_EVENT, name, data)
            # This command of Sphinx' scales down what is larger than the text block.
            latex = f"\\sphinxincludegraphics[{width}]{{{name}}}"
            parent = canvas.parent
            raw = nodes.raw("", f"\\noindent{latex}", format="latex")
            parent.replace(canvas, raw)


class CanvasToText(SphinxPostTransform):
    """Reduce the remaining canvases to their text form, for all other builders."""

    default_priority = CanvasToSvg.default_priority + 1

    def run(self, **kwargs: Any) -> None:
        """Drop the data of the drawings."""
        for canvas in self.document.findall(nodes.container):
            canvas.attributes.pop(DRAWING, None)
            canvas.attributes.pop(GRAPH, None)
        for cell in self.document.findall(nodes.paragraph):
            cell.attributes.pop(LINE, None)
            cell.attributes.pop(CALL, None)
