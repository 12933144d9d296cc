"""Parts of figures in HTML that pages and notebooks share: sentences, whole lists, the Graph."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.text import Span, whole_lists

LARGE = 2_000
"""Number of nodes above which a page does not hold the data of a Graph."""


def data_script(graph_json: str, url: str | None = None) -> str:
    """Return the element with the data of a Graph, or with its ``url`` if it is in another file."""
    # «<» may not stand in a script element as it is: it could end it.
    text = "" if url else graph_json.strip().replace("<", "\\u003c")
    source = f' data-src="{escape(url)}"' if url else ""
    kind = 'type="application/json" class="autogradgraph-data"'
    return f"<script {kind}{source}>{text}</script>\n"


def lists_html(graph: Graph, translate: Translate = untranslated) -> str:
    """Return the whole lists that a summary shortens, folded away; empty if it shortens none."""
    sentences = whole_lists(graph, translate)
    if not sentences:
        return ""
    paragraphs = "".join(f"<p>{spans_html(spans)}</p>" for spans in sentences)
    label = escape(translate("All leaves and the whole chain"))
    return (
        f'<details class="autogradgraph-lists"><summary>{label}</summary>{paragraphs}</details>\n'
    )


def spans_html(spans: Sequence[Span]) -> str:
    """Return the spans of a sentence as HTML."""
    return "".join(
        f"<code>{escape(span.text)}</code>" if span.kind == "literal" else escape(span.text)
        for span in spans
    )
