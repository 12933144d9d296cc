"""Doctree of a figure: plain docutils nodes that every builder can write.

::

    figure (classes: autogradgraph)
      container (classes: autogradgraph-canvas)     the canvas: the text form of the drawing,
        literal_block                               and as attributes what HTML draws it from
      caption                                       the author's words, or the first sentence
      legend
        paragraph
          inline (classes: autogradgraph-summary)   the generated summary, or the rest of it
    table (classes: autogradgraph-table)            those that the author asks for
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from docutils import nodes

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.figures.options import Options
from sphinx_autogradgraph.figures.page_figures import FinishedFigure
from sphinx_autogradgraph.figures.tables import Cell, Table
from sphinx_autogradgraph.hosts.sphinx.attributes import CALL, DRAWING, GRAPH, LINE
from sphinx_autogradgraph.hosts.sphinx.translation import _
from sphinx_autogradgraph.render.text import Span, title
from sphinx_autogradgraph.render.text_tree import tree

if TYPE_CHECKING:
    from sphinx.domains.std import StandardDomain
    from sphinx.environment import BuildEnvironment


def new_figure(options: Options, caption: nodes.caption | None) -> nodes.figure:
    """Make a figure that awaits its drawing.

    It has a caption from the start: Sphinx numbers figures before they are drawn, and a figure
    of a program that fails keeps it.
    """
    canvas = nodes.container(classes=["autogradgraph-canvas", *options.classes])
    figure = nodes.figure("", canvas, classes=["autogradgraph", *options.figclasses])
    if options.align:
        figure["align"] = options.align
    if caption is None:
        caption = nodes.caption("", "", *inline_nodes(title(options.tensor, _)))
    figure += caption
    return figure


def fill(figure: nodes.Element, finished: FinishedFigure, options: Options) -> None:
    """Put a finished figure into its node: canvas, caption, legend; below it, its tables."""
    canvas, graph, drawn = figure[0], finished.traced.graph, finished.layout
    assert isinstance(canvas, nodes.container)
    canvas[GRAPH] = graph.to_json()
    canvas[DRAWING] = drawn.to_json()
    text = tree(drawn.view or graph, _)
    if text is None:
        canvas += nodes.paragraph("", drawn.alt)
    else:
        canvas += nodes.literal_block(text, text, language="none", classes=["autogradgraph-tree"])
    if not options.caption:
        caption = next(figure.findall(nodes.caption))
        caption.clear()
        caption += inline_nodes(finished.caption)
    inline = nodes.inline("", "", *inline_nodes(finished.legend), classes=["autogradgraph-summary"])
    figure += nodes.legend("", nodes.paragraph("", "", inline))
    parent = figure.parent
    for table in reversed(finished.tables):
        parent.insert(parent.index(figure) + 1, _table(table))


def fail(figure: nodes.Element, diagnostic: Diagnostic) -> None:
    """Put the reason of a failure in place of the drawing."""
    canvas = figure[0]
    assert isinstance(canvas, nodes.container)
    canvas["classes"] = ["autogradgraph-diagnostic"]
    text = _("This graph could not be drawn: {reason}").format(reason=diagnostic.sentence(_))
    canvas += nodes.paragraph("", text)


def update_labels(env: BuildEnvironment, docname: str, figure: nodes.Element) -> None:
    """Give the labels of a figure its caption: Sphinx took them before the figure was drawn."""
    domain = cast("StandardDomain", env.get_domain("std"))
    for name in figure["names"]:
        place, anchor, _title = domain.labels.get(name, ("", "", ""))
        if place == docname and anchor in figure["ids"]:
            domain.labels[name] = place, anchor, domain.get_numfig_title(figure) or ""


def leave_out(figure: nodes.Element) -> None:
    """Leave the drawing out, for a builder that needs none."""
    figure.remove(figure[0])


def source_block(code: str) -> nodes.literal_block:
    """Return the code that ran, for ``:include-source:``."""
    # «force»: code that does not parse is reported once, as the diagnostic that it is.
    return nodes.literal_block(code, code, language="python", force=True)


def inline_nodes(spans: Sequence[Span]) -> list[nodes.Node]:
    """Return the spans of a sentence as docutils nodes."""
    return [
        nodes.literal(span.text, span.text) if span.kind == "literal" else nodes.Text(span.text)
        for span in spans
    ]


def _table(table: Table) -> nodes.table:
    """Return the table as a node."""
    # Widths in characters, as the text builder takes them; others take their proportions.
    group = nodes.tgroup(cols=len(table.widths))
    group += [nodes.colspec(colwidth=width) for width in table.widths]
    group += nodes.thead("", _row(table.heads))
    group += nodes.tbody("", *(_row(cells) for cells in table.body))
    return nodes.table("", group, classes=["autogradgraph-table", table.name])


def _row(cells: Sequence[Cell]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", _paragraph(cell)) for cell in cells))


def _paragraph(cell: Cell) -> nodes.paragraph:
    paragraph = nodes.paragraph("", "", *inline_nodes(cell.spans))
    if cell.line is not None:
        paragraph[LINE] = cell.line
    if cell.call is not None:
        paragraph[CALL] = cell.call
    return paragraph
