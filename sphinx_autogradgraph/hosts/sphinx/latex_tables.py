"""Tables of figures for LaTeX, as wide as the page and no wider."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from sphinx_autogradgraph.figures.printed_tables import MAX_LINES, Fit, Run, fit, pieces

SIZES = {10: "", 8: r"\footnotesize", 7: r"\scriptsize"}
"""LaTeX's sizes of letters by points, where those of the text are 10."""

RAGGED = r"\raggedright\arraybackslash\hyphenpenalty=10000 "
"""Begins a cell: neither hyphens nor stretched spaces are to alter names."""


class TablesToLatex(SphinxPostTransform):
    """Give the tables of figures columns and letters with which they fit the page.

    LaTeX cuts off what is too wide, and breaks no names of its own accord.
    """

    default_priority = 200
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:
        """Take each table of this package."""
        for table in list(self.document.findall(nodes.table)):
            if "autogradgraph-table" in table["classes"]:
                _fit(table, lined=_lined(self.config.latex_table_style))


def _lined(style: list[str]) -> bool:
    """Whether tables have lines between their columns."""
    return not {"booktabs", "borderless"} & set(style)


def _fit(table: nodes.table, *, lined: bool) -> None:
    rows = [
        [_runs(entry) for entry in row.findall(nodes.entry)] for row in table.findall(nodes.row)
    ]
    fitting = fit(rows)
    for text in list(table.findall(nodes.Text)):
        _let_break(text)
    if fitting.lines > MAX_LINES:
        table["classes"].append("longtable")
    if fitting.widths is None:
        return
    for cell in table.findall(nodes.paragraph):
        cell.insert(0, nodes.raw("", RAGGED, format="latex"))
    bar = "|" if lined else ""
    spec = bar + bar.join(_columns(fitting)) + bar
    smaller = f"\\begingroup{SIZES[fitting.size]}\\setlength{{\\tabcolsep}}{{{fitting.gap}pt}}"
    parent = table.parent
    place = parent.index(table)
    parent[place : place + 1] = [
        nodes.raw("", smaller, format="latex"),
        addnodes.tabular_col_spec(spec=spec),
        table,
        nodes.raw("", r"\par\endgroup", format="latex"),
    ]


def _columns(fitting: Fit) -> list[str]:
    """Return the columns, which share the whole line."""
    assert fitting.widths is not None
    parts = [round(width * fitting.size + 2 * fitting.gap) for width in fitting.widths]
    return [f"\\X{{{part}}}{{{sum(parts)}}}" for part in parts]


def _runs(entry: nodes.entry) -> list[Run]:
    return [
        Run(text.astext(), isinstance(text.parent, nodes.literal))
        for text in entry.findall(nodes.Text)
    ]


def _let_break(text: nodes.Text) -> None:
    """Put places where a line may end into a text."""
    parts = pieces(text.astext())
    if len(parts) < 2:
        return
    broken: list[nodes.Node] = [nodes.Text(parts[0])]
    for _, part in pairwise(parts):
        broken += [nodes.raw("", r"\allowbreak{}", format="latex"), nodes.Text(part)]
    text.parent.replace(text, broken)
