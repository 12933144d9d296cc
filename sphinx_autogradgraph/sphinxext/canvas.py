"""A canvas of the doctree → the HTML or the PDF of its drawing."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal

from docutils import nodes

from sphinx_autogradgraph.drawing.arrange import draw_view
from sphinx_autogradgraph.drawing.layout import Engine, LayoutTimeoutError
from sphinx_autogradgraph.drawing.pdf import pdf_of
from sphinx_autogradgraph.drawing.svg import Link, svg_of
from sphinx_autogradgraph.drawing.text import plain, title
from sphinx_autogradgraph.drawing.views import steps
from sphinx_autogradgraph.graph import Graph
from sphinx_autogradgraph.sphinxext.drawn import Drawn
from sphinx_autogradgraph.sphinxext.messages import _
from sphinx_autogradgraph.sphinxext.nodes import DRAWING, GRAPH

LARGE = 2_000
"""The data of a Graph with more nodes than this stands in a file of its own."""


@dataclass(frozen=True)
class Site:
    """What a canvas needs to know of the output that it becomes part of.

    ``url_of_call`` finds the documentation of a call; ``url_of_file`` takes the name and the text
    of a file that the output is to have.  Both give None where there is none.  ``role`` is that of
    drawings for ARIA, ``opens`` whether folded ones can open there, ``words`` whether the canvas
    brings the words of the script, as the first of a page does.
    """

    url_of_call: Callable[[str], str | None]
    url_of_file: Callable[[str, str], str | None]
    role: Literal["group", "img"]
    engine: Engine
    layout_timeout: float
    opens: bool = True
    words: bool = True


def canvas_html(canvas: nodes.container, site: Site) -> str:
    """The HTML of a canvas: the drawing, by which it opens if it is folded, the Graph as data."""
    graph_json: str = canvas[GRAPH]
    graph, drawn = Graph.from_json(graph_json), Drawn.from_json(canvas[DRAWING])
    calls, lines = _call_links(graph, site.url_of_call), _line_links(graph, drawn.lines)
    name = plain(title([output.name for output in graph.outputs], _))
    svg = svg_of(
        drawn.picture(graph),
        drawn.layout,
        prefix=drawn.prefix,
        title=name,
        description=drawn.alt,
        role=site.role,
        width=drawn.width,
        lines=lines,
        calls=calls,
    )
    levels = list(_levels(graph, drawn, site, name, lines, calls))
    controls = ""
    if levels:
        data = [{"nodes": len((drawn.view or graph).nodes)}, *levels]
        controls = f' data-levels="{escape(json.dumps(data))}"'
    if site.words:
        text = json.dumps({key: text() for key, text in WORDS.items()}, ensure_ascii=False)
        controls += f' data-autogradgraph-words="{escape(text)}"'
    url = None
    if len(graph.nodes) > LARGE:
        url = site.url_of_file(f"{drawn.prefix}.json", graph_json)
    # «<» may not stand in a script element as it is: it could end it.
    text = "" if url else graph_json.strip().replace("<", "\\u003c")
    source = f' data-src="{escape(url)}"' if url else ""
    classes = " ".join(canvas["classes"])
    return (
        f'<div class="{classes}"{controls}>\n{svg}\n</div>\n'
        f'<script type="application/json" class="autogradgraph-data"{source}>{text}</script>\n'
    )


WORDS: Mapping[str, Callable[[], str]] = {
    "open": lambda: _("Open"),
    "close": lambda: _("Fold"),
    "state": lambda: _("{count} nodes drawn"),
    "search": lambda: _("Search"),
    "full": lambda: _("Full size"),
    "end": lambda: _("Close"),
    "larger": lambda: _("Larger"),
    "smaller": lambda: _("Smaller"),
    "copy": lambda: _("Copy SVG"),
    "copied": lambda: _("Copied"),
    "backward": lambda: _("Backward, step by step"),
    "before": lambda: _("Back"),
    "next": lambda: _("Next"),
    "play": lambda: _("Play backward"),
    "pause": lambda: _("Pause"),
    "arrives": lambda: _(
        "{number} of {count}: a gradient of shape {shape} and norm {norm} arrives at {node}."
    ),
    "reached": lambda: _("{number} of {count}: backward reaches {node}."),
    "passes": lambda: _("What it makes of it goes on to {nodes}."),
    "kept": lambda: _("It is added to {node}.grad."),
}
"""The words of the script, by what they are for."""


def _levels(
    graph: Graph,
    drawn: Drawn,
    site: Site,
    name: str,
    lines: Mapping[int, Link],
    calls: Mapping[int, Link],
) -> Iterator[dict[str, object]]:
    """The steps by which a folded drawing opens, each in a file of its own.

    It is a script, which pages may load from wherever they are opened, that hands over the SVG.
    """
    if drawn.view is None or not site.opens:
        return
    for number, view in enumerate(steps(graph, drawn.scope, drawn.view), 1):
        try:
            picture, layout = draw_view(
                view, drawn.show, drawn.direction, site.engine, site.layout_timeout, _
            )
        except LayoutTimeoutError:
            return  # what is larger would take even longer
        file = f"{drawn.prefix}.{number}.js"
        svg = svg_of(
            picture,
            layout,
            prefix=f"{drawn.prefix}-level{number}",
            title=name,
            description=drawn.alt,
            lines=lines,
            calls=calls,
        )
        packed = base64.b64encode(gzip.compress(svg.encode(), mtime=0)).decode()
        url = site.url_of_file(file, f'autogradgraphLevel("{file}","{packed}")\n')
        if url is not None:
            yield {"nodes": len(view.nodes), "url": url, "file": file}


def _call_links(graph: Graph, url_of_call: Callable[[str], str | None]) -> dict[int, Link]:
    urls = {call: url_of_call(call) for call in {node.call for node in graph.nodes if node.call}}
    return {
        node.id: Link(url, _("documentation of {call}").format(call=node.call))
        for node in graph.nodes
        if node.call is not None and (url := urls[node.call]) is not None
    }


def _line_links(graph: Graph, anchors: Mapping[int, str]) -> dict[int, Link]:
    links = {}
    for id, anchor in anchors.items():
        node = graph.nodes[id]
        assert node.source is not None, "a link to a line comes from a source"
        label = _("{op}, made by line {line}").format(op=node.op, line=node.source.line)
        links[id] = Link(f"#{anchor}", label)
    return links


PDF_SCALE = 0.7
"""The size of a drawing in print: its labels are then somewhat smaller than the text."""


def canvas_pdf(canvas: nodes.container) -> tuple[str, bytes, str]:
    """The PDF of a canvas: the name of its file, what is in it, and its size for LaTeX.

    Raises :exc:`ImportError` with advice if what makes PDFs is not installed.
    """
    graph, drawn = Graph.from_json(canvas[GRAPH]), Drawn.from_json(canvas[DRAWING])
    name = plain(title([output.name for output in graph.outputs], _))
    data = pdf_of(drawn.picture(graph), drawn.layout, name)
    return f"{drawn.prefix}.pdf", data, latex_size(drawn.width)


_IN_LATEX = {"px": (0.75, "bp"), "pt": (1.0, "bp"), "%": (0.01, "\\linewidth")}
_IN_LATEX.update({unit: (1.0, unit) for unit in ("em", "ex", "cm", "mm", "in", "pc")})


def latex_size(width: str | None) -> str:
    """A width of CSS as what LaTeX takes: pixels are of 1/96 inch, per cent those of the line.

    The size of print where there is none, or in a unit that paper has not.
    """
    number, unit = re.fullmatch(r"([\d.]*)(.*)", width or "").groups()  # type: ignore[union-attr]
    if unit not in _IN_LATEX or not number:
        return f"scale={PDF_SCALE}"
    factor, name = _IN_LATEX[unit]
    return f"width={float(number) * factor:g}{name}"
