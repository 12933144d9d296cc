"""Nodes of mystmd's syntax tree for finished figures."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.figures.options import Options
from sphinx_autogradgraph.figures.page_figures import FinishedFigure
from sphinx_autogradgraph.figures.tables import Cell, Table
from sphinx_autogradgraph.hosts.myst.myst_tree import Node
from sphinx_autogradgraph.render.candidates import MARGIN
from sphinx_autogradgraph.render.mermaid import flowchart_of
from sphinx_autogradgraph.render.svg import svg_of
from sphinx_autogradgraph.render.text import Span, plain, title, title_of


def figure_nodes(
    result: FinishedFigure, options: Options, caption: Sequence[Node], *, mermaid: bool
) -> list[Node]:
    """Return a figure, as an image with its SVG or as Mermaid text, and the tables below it."""
    graph, layout = result.traced.graph, result.layout
    words: list[Node] = [
        {"type": "caption", "children": [_paragraph(list(caption) or _inline(result.caption))]},
        {"type": "legend", "children": [_paragraph(_inline(result.legend))]},
    ]
    tables = [_table(table) for table in result.tables]
    if mermaid:
        text = flowchart_of(graph, options.scope, options.show, options.direction, layout.alt)
        # A figure holds images alone: with Mermaid, the words stand below it.
        below: list[Node] = [child for word in words for child in word["children"]]
        drawing: Node = {"type": "mermaid", "value": text, **_label(options)}
        return [drawing, *below, *tables]
    svg = svg_of(
        layout.diagram(graph),
        layout.layout,
        prefix=layout.prefix,
        title=plain(title_of(graph)),
        description=layout.alt,
        standalone=True,
    )
    url = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
    # Without a width, mystmd's TeX and Typst enlarge it to that of the text.
    width = options.width or f"{layout.layout.width + 2 * MARGIN:.0f}px"
    image: Node = {"type": "image", "url": url, "alt": layout.alt, "width": width}
    image.update({"align": options.align} if options.align else {})
    return [_figure(options, [image, *words]), *tables]


def failed_nodes(options: Options, diagnostic: Diagnostic, caption: Sequence[Node]) -> list[Node]:
    """Return an admonition in place of a figure that could not be drawn."""
    name = _inline(title(options.tensor))
    report = {"type": "code", "value": diagnostic.report()}
    heading = {"type": "admonitionTitle", "children": list(caption) or name}
    children = [heading, _paragraph([_text("This graph could not be drawn:")]), report]
    return [{"type": "admonition", "kind": "error", "children": children, **_label(options)}]


def _figure(options: Options, children: list[Node]) -> Node:
    classes = " ".join(["autogradgraph", *options.figclasses])
    figure: Node = {"type": "container", "kind": "figure", "class": classes}
    return {**figure, **_label(options), "children": children}


def _label(options: Options) -> Node:
    """Return the label of a figure and its identifiers for references, as mystmd derives them."""
    if not options.name:
        return {}
    identifier = re.sub(r"\s+", " ", options.name.strip()).lower()
    html = re.sub(r"[^a-z0-9-]+", "-", identifier).strip("-")
    return {"label": options.name, "identifier": identifier, "html_id": html}


def _inline(spans: Sequence[Span]) -> list[Node]:
    return [node for span in spans for node in _span(span)]


def _span(span: Span) -> list[Node]:
    if span.kind == "literal":
        return [{"type": "inlineCode", "value": span.text}]
    # Of an arrow in text mystmd's exports make a command of mathematics: TeX stops at it, and Typst
    # shows its name.  Pages show the HTML; mystmd has already made that of the page's own formulas.
    parts = re.split("(→)", span.text)
    arrow: Node = {"type": "inlineMath", "value": r"\rightarrow", "html": "→"}
    return [arrow if part == "→" else _text(part) for part in parts if part]


def _text(text: str) -> Node:
    return {"type": "text", "value": text}


def _paragraph(children: list[Node]) -> Node:
    return {"type": "paragraph", "children": children}


def _table(table: Table) -> Node:
    rows = [_row(table.heads, header=True), *(_row(row, header=False) for row in table.body)]
    return {"type": "table", "children": rows}


def _row(cells: Sequence[Cell], *, header: bool) -> Node:
    made: list[Node] = []
    for cell in cells:
        node: Node = {"type": "tableCell", "children": _inline(cell.spans)}
        made.append({**node, "header": True} if header else node)
    return {"type": "tableRow", "children": made}
