"""HTML of whole figures, with code, tables, style sheet and script, for pages without files."""

from __future__ import annotations

import base64
from functools import cache
from html import escape
from importlib.resources import files

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.figures.figure_html import CanvasContext, below_caption_html, canvas_html
from sphinx_autogradgraph.figures.options import Options
from sphinx_autogradgraph.figures.page_figures import FinishedFigure
from sphinx_autogradgraph.figures.tables import Cell, Table
from sphinx_autogradgraph.render.html_parts import spans_html
from sphinx_autogradgraph.render.text import title

MAX_LEVEL = 512 * 1024
"""Maximum size in bytes of a folded drawing's opened view within a page."""


def figure_html(result: FinishedFigure, options: Options, caption: str, first: bool) -> str:
    """Return a finished figure, and the tables below it.

    ``caption`` is the HTML of the author's caption, empty if there is none.  The ``first`` figure
    of a page brings the style sheet and script for all.
    """
    graph, layout = result.traced.graph, result.layout
    context = CanvasContext(
        url_of_call=lambda _call: None,
        url_of_file=_in_the_page,
        role="group",
        texts=first,
    )
    canvas = canvas_html(graph, layout, context, classes=["autogradgraph-canvas", *options.classes])
    rest = f'<span class="autogradgraph-summary">{spans_html(result.legend)}</span>'
    below = below_caption_html(graph, layout)
    legend_html = f'<div class="legend"><p>{rest}</p>{below}</div>'
    shown = _caption(caption or spans_html(result.caption))
    body = f"{canvas}<figcaption>\n{shown}\n{legend_html}\n</figcaption>"
    return _figure(options, body, first) + "".join(map(_table, result.tables))


def failed_html(diagnostic: Diagnostic, options: Options, caption: str, first: bool) -> str:
    """Return a figure that says why it could not be drawn."""
    text = f"This graph could not be drawn: {diagnostic.sentence()}"
    body = (
        f'<div class="autogradgraph-diagnostic"><p>{escape(text)}</p></div>\n'
        f"<figcaption>{_caption(caption or spans_html(title(options.tensor)))}</figcaption>"
    )
    return _figure(options, body, first)


def _figure(options: Options, body: str, first: bool) -> str:
    classes = ["autogradgraph", f"align-{options.align or 'default'}", *options.figclasses]
    id = f' id="{escape(options.name)}"' if options.name else ""
    assets = _assets() if first else ""
    return f'{assets}<figure class="{escape(" ".join(classes))}"{id}>\n{body}\n</figure>\n'


def _caption(html: str) -> str:
    return f'<p><span class="caption-text">{html}</span></p>'


def code_html(code: str, prefix: str) -> tuple[str, list[str]]:
    """Return code as hosts show it, and the ids of its lines."""
    code = code.rstrip("\n")
    # Pygments numbers the ids from the first line number.
    shown = highlight(code, PythonLexer(), HtmlFormatter(linespans=prefix, wrapcode=True))
    return shown, [f"{prefix}-{index + 1}" for index in range(code.count("\n") + 1)]


def _table(table: Table) -> str:
    head = "".join(f"<th>{_cell(cell)}</th>" for cell in table.heads)
    body = "\n".join(
        f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in table.body
    )
    # Themes style tables that have no class.
    return (
        f'<div class="autogradgraph-table {table.name}"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>\n"
    )


def _cell(cell: Cell) -> str:
    html = spans_html(cell.spans)
    return html if cell.line is None else f'<a href="#{escape(cell.line)}">{html}</a>'


def _in_the_page(name: str, text: str) -> str | None:
    """Return a data URL for a small script, as a fence cannot write files; None for other files."""
    if not name.endswith(".js") or len(text) > MAX_LEVEL:
        return None
    return _data_url("text/javascript", text)


@cache
def _assets() -> str:
    """Return the style sheet and the script as data URLs, which a site's search does not index."""
    static = files("sphinx_autogradgraph") / "static"
    style = (static / "autogradgraph.css").read_text("utf-8")
    script = (static / "autogradgraph.js").read_text("utf-8")
    # Python-Markdown puts what begins with a link into a paragraph, and the figure with it.
    return (
        f'<script defer src="{_data_url("text/javascript", script)}"></script>\n'
        f'<link rel="stylesheet" href="{_data_url("text/css", style)}">\n'
    )


def _data_url(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"
