"""A drawing as HTML for notebooks: it brings its style sheet, and needs no files."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sphinx_autogradgraph.drawing.svg import style_sheet
from sphinx_autogradgraph.drawing.text import Span
from sphinx_autogradgraph.graph import Graph

MAX_DATA = 2_000
"""The data of a larger Graph is left out."""

_SCHEME = """<script>
for (const figure of document.querySelectorAll("figure.autogradgraph:not([data-autogradgraph-scheme])")) {
  if (figure.closest("[data-theme], [data-jp-theme-light], [data-md-color-scheme], [theme]")) continue;
  for (let at = figure.parentElement; at; at = at.parentElement) {
    const parts = getComputedStyle(at).backgroundColor.match(/[\\d.]+/g) || [];
    if (parts.length < 3 || parts[3] === "0") continue;
    const light = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    figure.dataset.autogradgraphScheme = light < 128 ? "dark" : "light";
    break;
  }
}
</script>
"""
"""Where nothing says whether the page is light or dark, what is behind the figure does."""


def notebook_html(svg: str, graph: Graph, caption: Sequence[Span], legend: Sequence[Span]) -> str:
    """The figure of an SVG: as on pages, with the style sheet in it."""
    data = ""
    if len(graph.nodes) <= MAX_DATA:
        # «<» may not stand in a script element as it is: it could end it.
        text = graph.to_json().strip().replace("<", "\\u003c")
        data = f'<script type="application/json" class="autogradgraph-data">{text}</script>\n'
    return (
        f'<figure class="autogradgraph align-default">\n<style>{style_sheet(page=True)}</style>\n'
        f'<div class="autogradgraph-canvas">\n{svg}\n</div>\n{data}'
        f'<figcaption><p><span class="caption-text">{spans_html(caption)}</span></p>\n'
        f'<p><span class="autogradgraph-summary">{spans_html(legend)}</span></p></figcaption>\n'
        f"</figure>\n{_SCHEME}"
    )


def spans_html(spans: Sequence[Span]) -> str:
    """The spans of a sentence as HTML."""
    return "".join(
        f"<code>{escape(span.text)}</code>" if span.kind == "literal" else escape(span.text)
        for span in spans
    )
