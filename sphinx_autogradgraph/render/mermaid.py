"""Graph or diagram → the text of a Mermaid flowchart, for GitHub, mystmd, Quarto and others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sphinx_autogradgraph.core.show import Show
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.diagram import (
    Arrow,
    ArrowKind,
    Box,
    BoxKind,
    Cluster,
    Diagram,
    Direction,
)
from sphinx_autogradgraph.render.diagram_of_graph import diagram_of
from sphinx_autogradgraph.render.edge_labels import text_of
from sphinx_autogradgraph.render.labels import Word
from sphinx_autogradgraph.render.lettering import printable
from sphinx_autogradgraph.render.palette import BOXES, CLUSTER, TEXT
from sphinx_autogradgraph.render.text import plain, title_of
from sphinx_autogradgraph.views.choice import Scope, views, wanted_view

MAX_EDGES, MAX_CHARACTERS = 500, 50_000
"""Limits above which Mermaid draws nothing, unless its page configures others."""

MAX_LINE = 24
"""Number of characters that fit on a line of Mermaid's in any of its fonts."""

_SHAPES: dict[BoxKind, tuple[str, str]] = {
    "leaf": ("[", "]"),
    "function": ("(", ")"),
    "input": ("[", "]"),
    "output": ("([", "])"),
    "base": ("([", "])"),
    "saved": (">", "]"),
    "module": ("[[", "]]"),
    "cut": ("(", ")"),
}
_DASHES: dict[BoxKind, str] = {"input": "5 3", "cut": "5 3", "base": "2 3"}
_LINES: dict[ArrowKind, str] = {"use": "-->", "saved": "-.-", "base": "-.->", "cut": "-.->"}


def flowchart_of(
    graph: Graph, scope: Scope, show: Sequence[Show], direction: Direction, description: str
) -> str:
    """Return the flowchart of what is drawn of a graph, folded so far that Mermaid draws it."""
    name = plain(title_of(graph))
    for view in views(wanted_view(graph, scope), scope):
        diagram = diagram_of(view, show, direction)
        text = mermaid_of(diagram, name, description)
        if fits(diagram, text):
            break
    return text


def mermaid_of(diagram: Diagram, title: str, description: str) -> str:
    """Return the flowchart of a diagram, with a title and a description for screen readers."""
    lines = [
        f"flowchart {diagram.direction}",
        f"  accTitle: {_coded(title, _IN_PROSE)}",
        f"  accDescr: {_coded(description, _IN_PROSE)}",
        *(f"  {_node(box)}" for box in diagram.boxes),
        *(f"  {line}" for line in _subgraphs(diagram.clusters)),
        *(f"  {_edge(arrow, diagram.direction)}" for arrow in diagram.arrows),
        *(f"  {line}" for line in _classes(diagram.boxes)),
    ]
    return "\n".join(lines) + "\n"


def fits(diagram: Diagram, text: str) -> bool:
    """Whether the text of a diagram is within Mermaid's limits."""
    return len(diagram.arrows) <= MAX_EDGES and len(text) <= MAX_CHARACTERS


def _node(box: Box) -> str:
    first, last = _SHAPES[box.kind]
    lines = [line for words in box.lines for line in _lines(words)]
    label = "<br/>".join(map(_label, lines))
    return f'{box.key}{first}"{label}"{last}:::{box.kind}'


def _edge(arrow: Arrow, direction: Direction) -> str:
    said = f'|"{escaped(text_of(arrow, direction))}"|' if arrow.words else ""
    return f"{arrow.tail} {_LINES[arrow.kind]}{said} {arrow.head}"


def _lines(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Yield the words on one line, or shapes on a second: Mermaid breaks long lines anywhere."""
    metas = [place for place, (role, _) in enumerate(words) if role == "meta" and place]
    if metas and sum(len(word) + 1 for _, word in words) > MAX_LINE:
        yield words[: metas[0]]
        yield words[metas[0] :]
    elif words:
        yield words


def _label(words: Sequence[Word]) -> str:
    return escaped(" ".join(word for _, word in words))


def _subgraphs(clusters: Sequence[Cluster]) -> Iterator[str]:
    """Yield the frames as nested subgraphs, without empty ones: Mermaid draws those as boxes."""
    held = {cluster.key for cluster in clusters if cluster.boxes}
    for cluster in reversed(clusters):  # the inner ones come after those that they are in
        if cluster.key in held and cluster.parent is not None:
            held.add(cluster.parent)
    inside: list[str] = []
    drawn = [cluster for cluster in clusters if cluster.key in held]
    for cluster in drawn:
        while inside and inside[-1] != cluster.parent:
            inside.pop()
            yield "end"
        inside.append(cluster.key)
        yield f'subgraph {cluster.key} ["{_label(cluster.words)}"]'
        yield from cluster.boxes
    yield from ["end"] * len(inside)
    # No fill: what is behind it is light on some pages, and dark on others.
    yield from (f"style {cluster.key} fill:none,stroke:{CLUSTER}" for cluster in drawn)


def _classes(boxes: Sequence[Box]) -> Iterator[str]:
    """Yield the style of each kind of box, in colours that suit light and dark pages."""
    for kind in dict.fromkeys(box.kind for box in boxes):
        colours = BOXES[kind]
        dashes = f",stroke-dasharray:{_DASHES[kind]}" if kind in _DASHES else ""
        width = ",stroke-width:2px" if kind == "output" else ""
        yield (
            f"classDef {kind} fill:{colours.fill},stroke:{colours.stroke},color:{TEXT}"
            f"{width}{dashes}"
        )


def escaped(text: str) -> str:
    """Escape a label in Mermaid's entity codes; characters without a meaning to it stay.

    Inside of a word a full stop, an underscore or a hyphen is itself; at its edge some versions
    take it for Markdown.
    """
    return _coded(text, _IN_LABELS)


def _coded(text: str, meaning: re.Pattern[str]) -> str:
    for own, instead in _OWN:
        text = text.replace(own, instead)
    return meaning.sub(lambda found: f"#{ord(found[0])};", " ".join(printable(text).split()))


_OWN = (("\N{LATIN SMALL LIGATURE FL}", "fl"), ("\xb6\xdf", "\xb6 \xdf"))
"""Characters that Mermaid uses internally for the ends of an entity, and their replacements."""

_IN_LABELS = re.compile(r"(?<![A-Za-z0-9])[._-]|[._-](?![A-Za-z0-9])|[^\w\s(),=→…·._-]")
_IN_PROSE = re.compile(r"[^\w\s(),=→…·.:_-]")
