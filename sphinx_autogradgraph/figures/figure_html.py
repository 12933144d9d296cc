"""HTML of a figure's canvas: the drawing, its folded parts, and the Graph as data."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Literal

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.figures.figure_layout import FigureLayout
from sphinx_autogradgraph.graph.model import Graph, source_of
from sphinx_autogradgraph.render.html_parts import LARGE, data_script, lists_html
from sphinx_autogradgraph.render.links import Link
from sphinx_autogradgraph.render.svg import legend_html, svg_of
from sphinx_autogradgraph.render.text import plain, title_of


@dataclass(frozen=True)
class CanvasContext:
    """Services of the output for which a canvas is made.

    ``url_of_call`` finds the documentation of a call; ``url_of_file`` takes the name and the text
    of a file that the output is to have.  Both give None where there is none.  ``role`` is that of
    drawings for ARIA, ``opens`` whether folded ones can open there, ``texts`` whether the canvas
    brings the texts of the script, as the first of a page does.
    """

    url_of_call: Callable[[str], str | None]
    url_of_file: Callable[[str, str], str | None]
    role: Literal["group", "img"]
    opens: bool = True
    texts: bool = True


def canvas_html(
    graph: Graph,
    drawn: FigureLayout,
    context: CanvasContext,
    *,
    graph_json: str | None = None,
    classes: Sequence[str] = ("autogradgraph-canvas",),
    translate: Translate = untranslated,
) -> str:
    """Return the HTML of a canvas: the drawing, the views that it opens to, the Graph as data.

    ``graph_json`` is the canonical text of the Graph, where the caller has it already.
    """
    _ = translate
    graph_json = graph_json or graph.to_json()
    calls, lines = _call_links(graph, context, _), _line_links(graph, drawn.lines, _)
    name = plain(title_of(graph, _))
    svg = svg_of(
        drawn.diagram(graph, _),
        drawn.layout,
        prefix=drawn.prefix,
        title=name,
        description=drawn.alt,
        role=context.role,
        width=drawn.width,
        lines=lines,
        calls=calls,
    )
    levels = list(_levels(graph, drawn, context, name, lines, calls, _))
    controls = ""
    if levels:
        data = [{"nodes": len((drawn.view or graph).nodes)}, *levels]
        controls = f' data-levels="{escape(json.dumps(data))}"'
    if context.texts:
        text = json.dumps(_script_texts(_), ensure_ascii=False)
        controls += f' data-autogradgraph-words="{escape(text)}"'
    url = None
    if len(graph.nodes) > LARGE:
        url = context.url_of_file(f"{drawn.prefix}.json", graph_json)
    return (
        f'<div class="{escape(" ".join(classes))}"{controls}>\n{svg}\n</div>\n'
        f"{data_script(graph_json, url)}"
    )


def below_caption_html(
    graph: Graph, drawn: FigureLayout, translate: Translate = untranslated
) -> str:
    """Return the HTML below a caption's text: the legend of the drawing, and the whole lists."""
    legend = legend_html(drawn.diagram(graph, translate)) if "legend" in drawn.show else ""
    return legend + lists_html(graph, translate)


def _script_texts(_: Translate) -> dict[str, str]:
    """Return the texts that the script shows, by their keys."""
    return {
        "open": _("Open"),
        "close": _("Fold"),
        "state": _("{count} nodes drawn"),
        "search": _("Search"),
        "full": _("Full size"),
        "end": _("Close"),
        "larger": _("Larger"),
        "smaller": _("Smaller"),
        "copy": _("Copy SVG"),
        "copied": _("Copied"),
        "passes_label": _("Forward and backward, step by step"),
        "before": _("Back"),
        "next": _("Next"),
        "play": _("Play backward"),
        "playForward": _("Play forward"),
        "pause": _("Pause"),
        "step": _("Step {number} of {count}."),
        "reached": _("Backward reaches {node}."),
        "receives": _("{node} receives grad {shape}, {size}."),
        "norm": _("norm {norm}"),
        "sum": _("It is the sum of {parts}."),
        "part": _("{size} from {node}"),
        "passes": _("It passes {items}."),
        "passed": _("{what}, to {node}"),
        "passedShort": _("{what} to {node}"),
        "isMade": _("{name} is what {node} made"),
        "isTensor": _("{name} is {node}"),
        "kept": _("It is added to {node}.grad."),
        "first": _("{node}.grad: None → {size}."),
        "added": _("{node}.grad {shape}: {size} is added."),
        "retained": _("{node} retains it in {node}.grad."),
        "notKept": _("{node} is no leaf: {node}.grad stays None."),
        "line": _("Line {line}, {text}:"),
        "computed": _("{call} gives {tensors} and records {node}."),
        "made": _("It gives {tensors} and records {node}."),
        "unnamed": _("unnamed"),
    }


def _levels(
    graph: Graph,
    drawn: FigureLayout,
    context: CanvasContext,
    name: str,
    lines: Mapping[int, Link],
    calls: Mapping[int, Link],
    _: Translate,
) -> Iterator[dict[str, object]]:
    """Yield the steps by which a folded drawing opens, each in a file of its own.

    Each file is a script that hands over the SVG.  A page may load a script even when it is opened
    from disk.
    """
    for number, step in enumerate(drawn.steps if context.opens else (), 1):
        file = f"{drawn.prefix}.{number}.js"
        svg = svg_of(
            drawn.diagram(graph, _, step),
            step.layout,
            prefix=f"{drawn.prefix}-level{number}",
            title=name,
            description=drawn.alt,
            lines=lines,
            calls=calls,
        )
        # Without a time stamp, so that equal builds give equal files.
        packed = base64.b64encode(gzip.compress(svg.encode(), mtime=0)).decode()
        url = context.url_of_file(file, f'autogradgraphLevel("{file}","{packed}")\n')
        if url is not None:
            yield {"nodes": len((step.view or graph).nodes), "url": url, "file": file}


def _call_links(graph: Graph, context: CanvasContext, _: Translate) -> dict[int, Link]:
    urls = {
        call: context.url_of_call(call) for call in {node.call for node in graph.nodes if node.call}
    }
    return {
        node.id: Link(url, _("documentation of {call}").format(call=node.call))
        for node in graph.nodes
        if node.call is not None and (url := urls[node.call]) is not None
    }


def _line_links(graph: Graph, anchors: Mapping[int, str], _: Translate) -> dict[int, Link]:
    label = _("made by line {line}")

    @cache  # a loop has few lines and many nodes
    def link(anchor: str, line: int) -> Link:
        return Link(f"#{anchor}", label.format(line=line))

    links = {}
    for id, anchor in anchors.items():
        source = source_of(graph.nodes[id])
        assert source is not None, "a link to a line comes from a source"
        links[id] = link(anchor, source.line)
    return links
