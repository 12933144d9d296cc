"""A drawing as HTML for notebooks: it brings its style sheet, and needs no files."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files

from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.html_parts import LARGE, data_script, lists_html, spans_html
from sphinx_autogradgraph.render.lettering import printable
from sphinx_autogradgraph.render.style_sheet import style_sheet
from sphinx_autogradgraph.render.text import Span


@cache
def _script() -> str:
    """Return the script that matches a figure to light or dark pages and scrolls to the output."""
    return (files("sphinx_autogradgraph") / "render" / "notebook.js").read_text("utf-8")


_ALIVE = (
    ".autogradgraph>.autogradgraph-still{display:none!important}"
    ".autogradgraph>.autogradgraph-alive[hidden]{display:block!important}"
)
"""Styles that show the SVG in place of the image; viewers that strip styles show the image."""


def notebook_html(
    svg: str,
    still: str,
    description: str,
    graph: Graph,
    caption: Sequence[Span],
    legend: Sequence[Span],
    below: str = "",
) -> str:
    """Return the figure of an SVG as on pages, with its style sheet.

    ``still`` is an SVG that stands alone: where style sheets, scripts or inline SVG are stripped it
    is seen in the place of the other, as an image with the ``description``.
    """
    data = data_script(graph.to_json()) if len(graph.nodes) <= LARGE else ""
    url = f"data:image/svg+xml;base64,{base64.b64encode(still.encode()).decode()}"
    return (
        f'<figure class="autogradgraph align-default">\n'
        f"<style>{style_sheet(page=True)}{_ALIVE}</style>\n"
        f'<img class="autogradgraph-still" src="{url}" alt="{escape(printable(description))}">\n'
        f'<div class="autogradgraph-alive" hidden><div class="autogradgraph-canvas">\n{svg}\n'
        f"</div></div>\n{data}"
        f'<figcaption><p><span class="caption-text">{spans_html(caption)}</span></p>\n'
        f'<p><span class="autogradgraph-summary">{spans_html(legend)}</span></p>\n'
        f"{below}{lists_html(graph)}</figcaption>\n"
        f"</figure>\n<script>\n{_script()}</script>\n"
    )
