"""The transforms: draw a page that has been read, turn its canvases into SVG or PDF."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import escape
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from sphinx_autogradgraph.drawing.layout import Layout
from sphinx_autogradgraph.drawing.pdf import pdf_of
from sphinx_autogradgraph.drawing.picture import picture_of
from sphinx_autogradgraph.drawing.svg import Link, svg_of
from sphinx_autogradgraph.drawing.text import plain, title
from sphinx_autogradgraph.graph import Graph
from sphinx_autogradgraph.sphinxext.messages import _
from sphinx_autogradgraph.sphinxext.nodes import DRAWING, GRAPH
from sphinx_autogradgraph.sphinxext.tables import CALL, LINE

logger = logging.getLogger(__name__)

PAGE_EVENT = "autogradgraph-page-read"
"""Emitted with a document whose figures await their drawings."""

DATA_EVENT = "autogradgraph-data"
"""Emitted with a document's name, the name of a file and its text, for the URL of that file in the
output; without one, the text stands in the page."""

LARGE = 2_000
"""The data of a Graph with more nodes than this stands in a file of its own."""

PDF_EVENT = "autogradgraph-pdf"
"""Emitted with the name and the bytes of a file that LaTeX is to include, to be written."""

CALL_EVENT = "autogradgraph-call"
"""Emitted with a document's name and a call, for the URL of the documentation of that call."""


class DrawPage(SphinxTransform):
    """Draw the figures of the page.

    After smart quotes (750), which would alter our sentences, and before the domains collect
    labels with their captions (850).
    """

    default_priority = 760

    def apply(self, **kwargs: Any) -> None:
        """Hand the document to who knows the application: transforms do not, from Sphinx 11 on."""
        self.env.events.emit(PAGE_EVENT, self.document)


class CanvasToSvg(SphinxPostTransform):
    """Put the SVG in the place of its text form, for HTML and what is made of it."""

    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Replace every canvas that has a drawing, and link the cells of tables."""
        for canvas in list(self.document.findall(nodes.container)):
            if DRAWING in canvas:
                html = canvas_html(canvas, self._url_of_call, self._url_of_data)
                # Not replace_self(): it hands the classes on, and docutils wraps raw text in them.
                canvas.parent.replace(canvas, nodes.raw("", html, format="html"))
        for cell in self.document.findall(nodes.paragraph):
            if LINE in cell:
                self._link(cell, f"#{cell[LINE]}")
            elif CALL in cell and (url := self._url_of_call(cell[CALL])) is not None:
                self._link(cell, url)

    def _url_of_call(self, call: str) -> str | None:
        url: str | None = self.env.events.emit_firstresult(CALL_EVENT, self.env.docname, call)
        return url

    def _url_of_data(self, name: str, text: str) -> str | None:
        url: str | None = self.env.events.emit_firstresult(DATA_EVENT, self.env.docname, name, text)
        return url

    def _link(self, cell: nodes.paragraph, url: str) -> None:
        first = cell[0]
        link = nodes.reference("", "", first.deepcopy(), refuri=url, internal=url.startswith("#"))
        cell.replace(first, link)


class CanvasToPdf(SphinxPostTransform):
    """Put a vector PDF in the place of the text form, for LaTeX.

    Without what makes it the text form stays, and one warning says what to install.
    """

    default_priority = CanvasToSvg.default_priority
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:
        """Replace every canvas that has a drawing."""
        for canvas in list(self.document.findall(nodes.container)):
            if DRAWING not in canvas:
                continue
            try:
                name, data, width = canvas_pdf(canvas)
            except ImportError as error:
                logger.warning(
                    str(error), location=canvas, type="autogradgraph", subtype="layout", once=True
                )
                return
            self.env.events.emit(PDF_EVENT, name, data)
            # This command of Sphinx' scales down what is larger than the text block.
            latex = f"\\sphinxincludegraphics[{width}]{{{name}}}"
            parent = canvas.parent
            raw = nodes.raw("", f"\\noindent{latex}", format="latex")
            parent.replace(canvas, raw)


class CanvasToText(SphinxPostTransform):
    """Leave the text form alone on the canvases that are left: those for every other builder."""

    default_priority = CanvasToSvg.default_priority + 1

    def run(self, **kwargs: Any) -> None:
        """Drop the data of the drawings."""
        for canvas in self.document.findall(nodes.container):
            canvas.attributes.pop(DRAWING, None)
            canvas.attributes.pop(GRAPH, None)
        for cell in self.document.findall(nodes.paragraph):
            cell.attributes.pop(LINE, None)
            cell.attributes.pop(CALL, None)


PDF_SCALE = 0.7
"""The size of a drawing in print: its labels are then somewhat smaller than the text."""


def canvas_pdf(canvas: nodes.container) -> tuple[str, bytes, str]:
    """The PDF of a canvas: the name of its file, what is in it, and its size for LaTeX.

    Raises :exc:`ImportError` with advice if what makes PDFs is not installed.
    """
    graph = Graph.from_json(canvas[GRAPH])
    drawing = json.loads(canvas[DRAWING])
    data = pdf_of(
        picture_of(graph, drawing["show"], drawing["direction"]),
        Layout.from_dict(drawing["layout"]),
        plain(title([output.name for output in graph.outputs], _)),
    )
    return f"{drawing['prefix']}.pdf", data, latex_size(drawing["width"])


_IN_LATEX = {"px": (0.75, "bp"), "pt": (1.0, "bp"), "%": (0.01, "\\linewidth")}
_IN_LATEX.update({unit: (1.0, unit) for unit in ("em", "ex", "cm", "mm", "in", "pc")})


def latex_size(width: str | None) -> str:
    """A width of CSS as what LaTeX takes: pixels are of 1/96 inch, per cent those of the line.

    The size of print where there is none, or in a unit that paper has not.
    """
    number, unit = re.fullmatch(r"([\d.]*)(.*)", width or "").groups()  # type: ignore[union-attr]
    if unit not in _IN_LATEX or not number:
        return f"scale={PDF_SCALE}"
    factor, name = _IN_LATEX[unit]
    return f"width={float(number) * factor:g}{name}"


def canvas_html(
    canvas: nodes.container,
    url_of_call: Callable[[str], str | None],
    url_of_data: Callable[[str, str], str | None],
) -> str:
    """The HTML of a canvas: the drawing, and the Graph as data.

    ``url_of_call`` finds the documentation of a call, ``url_of_data`` takes the name and the text
    of a file that the output is to have.
    """
    graph_json: str = canvas[GRAPH]
    drawing = json.loads(canvas[DRAWING])
    graph = Graph.from_json(graph_json)
    urls = {call: url_of_call(call) for call in {node.call for node in graph.nodes if node.call}}
    calls = {
        node.id: Link(url, _("documentation of {call}").format(call=node.call))
        for node in graph.nodes
        if node.call is not None and (url := urls[node.call]) is not None
    }
    lines = {}
    for id, anchor in drawing["lines"].items():
        node = graph.nodes[int(id)]
        assert node.source is not None, "a link to a line comes from a source"
        label = _("{op}, made by line {line}").format(op=node.op, line=node.source.line)
        lines[node.id] = Link(f"#{anchor}", label)
    svg = svg_of(
        picture_of(graph, drawing["show"], drawing["direction"]),
        Layout.from_dict(drawing["layout"]),
        prefix=drawing["prefix"],
        title=plain(title([output.name for output in graph.outputs], _)),
        description=drawing["alt"],
        width=drawing["width"],
        lines=lines,
        calls=calls,
    )
    url = None
    if len(graph.nodes) > LARGE:
        url = url_of_data(f"{drawing['prefix']}.json", graph_json)
    # «<» may not stand in a script element as it is: it could end it.
    data = "" if url else graph_json.strip().replace("<", "\\u003c")
    source = f' data-src="{escape(url)}"' if url else ""
    classes = " ".join(canvas["classes"])
    return (
        f'<div class="{classes}">\n{svg}\n</div>\n'
        f'<script type="application/json" class="autogradgraph-data"{source}>{data}</script>\n'
    )
