"""A drawing as HTML for notebooks: it brings its style sheet, and needs no files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.svg import style_sheet
from sphinx_autogradgraph.render.text import Span, whole_lists

LARGE = 2_000
"""The data of a Graph with more nodes than this does not stand in the page."""


@cache
def _script() -> str:
    """What shows a figure as light or dark as what is behind it, and begins at the output."""
    return (files("sphinx_autogradgraph") / "render" / "notebook.js").read_text("utf-8")


def notebook_html(svg: str, graph: Graph, caption: Sequence[Span], legend: Sequence[Span]) -> str:
    """The figure of an SVG: as on pages, with the style sheet in it."""
    data = data_script(graph.to_json()) if len(graph.nodes) <= LARGE else ""
    return (
        f'<figure class="autogradgraph align-default">\n<style>{style_sheet(page=True)}</style>\n'
        f'<div class="autogradgraph-canvas">\n{svg}\n</div>\n{data}{lists_html(graph)}'
        f'<figcaption><p><span class="caption-text">{spans_html(caption)}</span></p>\n'
        f'<p><span class="autogradgraph-summary">{spans_html(legend)}</span></p></figcaption>\n'
        f"</figure>\n<script>\n{_script()}</script>\n"
    )


def data_script(graph_json: str, url: str | None = None) -> str:
    """The element with the data of a Graph; ``url`` is that of the data, if it stands elsewhere."""
    # «<» may not stand in a script element as it is: it could end it.
    text = "" if url else graph_json.strip().replace("<", "\\u003c")
    source = f' data-src="{escape(url)}"' if url else ""
    kind = 'type="application/json" class="autogradgraph-data"'
    return f"<script {kind}{source}>{text}</script>\n"


def lists_html(graph: Graph, translate: Translate = untranslated) -> str:
    """What a summary shortens, whole and folded away; nothing where it shortens nothing."""
    sentences = whole_lists(graph, translate)
    if not sentences:
        return ""
    paragraphs = "".join(f"<p>{spans_html(spans)}</p>" for spans in sentences)
    label = escape(translate("All leaves and the whole chain"))
    return (
        f'<details class="autogradgraph-lists"><summary>{label}</summary>{paragraphs}</details>\n'
    )


def spans_html(spans: Sequence[Span]) -> str:
    """The spans of a sentence as HTML."""
    return "".join(
        f"<code>{escape(span.text)}</code>" if span.kind == "literal" else escape(span.text)
        for span in spans
    )
