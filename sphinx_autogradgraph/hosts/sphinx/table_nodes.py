"""Tables as docutils nodes."""

from __future__ import annotations

from collections.abc import Sequence

from docutils import nodes

from sphinx_autogradgraph.figures.tables import Cell, Table
from sphinx_autogradgraph.hosts.sphinx.attributes import CALL, LINE
from sphinx_autogradgraph.hosts.sphinx.figure_nodes import inline_nodes


def table_node(table: Table) -> nodes.table:
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
