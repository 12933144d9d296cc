"""The transforms: draw a page that has been read, and turn its canvases into SVG for HTML."""

from __future__ import annotations

import json
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

from sphinx_autogradgraph.drawing.layout import Layout
from sphinx_autogradgraph.drawing.picture import picture_of
from sphinx_autogradgraph.drawing.svg import svg_of
from sphinx_autogradgraph.drawing.text import plain, title
from sphinx_autogradgraph.graph import Graph
from sphinx_autogradgraph.sphinxext.messages import _
from sphinx_autogradgraph.sphinxext.nodes import DRAWING, GRAPH

PAGE_EVENT = "autogradgraph-page-read"
"""Emitted with a document whose figures await their drawings."""


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
        """Replace every canvas that has a drawing."""
        for canvas in list(self.document.findall(nodes.container)):
            if DRAWING in canvas:
                # Not replace_self(): it hands the classes on, and docutils wraps raw text in them.
                canvas.parent.replace(canvas, nodes.raw("", canvas_html(canvas), format="html"))


class CanvasToText(SphinxPostTransform):
    """Leave the text form alone on the canvases that are left: those for every other builder."""

    default_priority = CanvasToSvg.default_priority + 1

    def run(self, **kwargs: Any) -> None:
        """Drop the data of the drawings."""
        for canvas in self.document.findall(nodes.container):
            canvas.attributes.pop(DRAWING, None)
            canvas.attributes.pop(GRAPH, None)


def canvas_html(canvas: nodes.container) -> str:
    """The HTML of a canvas: the drawing, and the Graph as data."""
    graph_json: str = canvas[GRAPH]
    drawing = json.loads(canvas[DRAWING])
    graph = Graph.from_json(graph_json)
    svg = svg_of(
        picture_of(graph, drawing["show"], drawing["direction"]),
        Layout.from_dict(drawing["layout"]),
        prefix=drawing["prefix"],
        title=plain(title([output.name for output in graph.outputs], _)),
        description=drawing["alt"],
        width=drawing["width"],
    )
    # «<» may not stand in a script element as it is: it could end it.
    data = graph_json.strip().replace("<", "\\u003c")
    classes = " ".join(canvas["classes"])
    return (
        f'<div class="{classes}">\n{svg}\n</div>\n'
        f'<script type="application/json" class="autogradgraph-data">{data}</script>\n'
    )
