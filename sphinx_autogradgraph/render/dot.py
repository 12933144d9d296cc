"""Diagram → DOT, by the graphviz package."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import graphviz

from sphinx_autogradgraph.render.diagram import (
    STACK,
    Arrow,
    Box,
    Cluster,
    Diagram,
    Direction,
    twins_of,
)
from sphinx_autogradgraph.render.edge_labels import KNOT, LABEL_FONT_SIZE, label_width, lines_of
from sphinx_autogradgraph.render.labels import Lines, Word
from sphinx_autogradgraph.render.lettering import CLUSTER_FONT_SIZE, FONT_SIZE, text_width
from sphinx_autogradgraph.render.palette import BOXES, CLUSTER, EDGE, MUTED, TEXT

POINTS = 72.0
"""Points of the drawing in an inch of Graphviz."""

SIMPLEX_LIMIT = 1_500
"""With more boxes than this the last phase of placing is kept short (``nslimit=0``): it takes
nearly all of the time and gains little (measured: 102 s → 5 s for a chain of 10,000)."""


class Hints(NamedTuple):
    """Hints for the engine on the places of boxes.

    ``free`` are the boxes whose arguments may stand in any order; None for all.  ``below`` are
    pairs of boxes of which the second is to stand below the first.  ``longer`` are arrows
    that are to span more ranks, so that a rank has fewer boxes: by their keys, how many more.
    ``tight`` puts boxes and lines side by side nearer together.
    """

    free: frozenset[str] | None = frozenset()
    below: tuple[tuple[str, str], ...] = ()
    longer: Mapping[str, int] = MappingProxyType({})
    tight: bool = False


PLAIN = Hints()

NEAR: dict[Lines, float] = {1: 0.2, 2: 0.15}
"""Inches between boxes side by side; less for words on two lines, which are used in narrow
columns."""

TIGHT = 0.1
"""Inches between boxes side by side in a drawing that fits no other way.  A line that passes boxes
takes twice as much."""


def gap_of(diagram: Diagram, hints: Hints) -> float:
    """Return the distance of boxes side by side, in pixels."""
    return POINTS * (TIGHT if hints.tight else NEAR[diagram.lines])


WEIGHT = 60
"""Weight of the edges of the main chain, for which the engine keeps them short and straight."""


def layout_dot(diagram: Diagram, hints: Hints = PLAIN) -> str:
    """Return the DOT text by which the engine places the diagram, and draws nothing.

    The sizes of boxes are fixed and there are no labels: Graphviz would measure text with fonts
    that the reader's browser does not have.
    """
    free = hints.free
    ordered = {arrow.head for arrow in diagram.arrows} - free if free else set()
    # What most boxes have is said once: the engine takes time to read it at each.
    sizes = Counter([_room(box) for box in diagram.boxes])
    usual = max(sizes, key=sizes.__getitem__, default=(0.0, 0.0))
    lines = ["digraph {", *_defaults(diagram, hints), f"node [{_size(*usual)}]"]
    for box in diagram.boxes:  # keys are plain identifiers
        size = _room(box)
        own = f" [{_size(*size)}]" if size != usual else ""
        order = " [ordering=in]" if box.key in ordered else ""
        lines.append(f"{box.key}{own}{order}")
    lines += _frames(diagram, _frame_placeholder)
    for number, (one, other) in enumerate(hints.below):
        lines.append(f"{one} -> {other} [weight=0 id=i{number}]")
    steps = set(zip(diagram.chain[1:], diagram.chain, strict=False))
    twins = twins_of(diagram)
    for arrow in diagram.arrows:
        if arrow.key in twins:
            continue
        if arrow.beside:
            # Boxes side by side stand in the order of their arrow, whose line has no head.
            lines.append(f"{{rank=same {arrow.head} -> {arrow.tail} [id={arrow.key} dir=none]}}")
            continue
        weight = f" weight={WEIGHT}" if (arrow.tail, arrow.head) in steps else ""
        lines += _lines(arrow, diagram, weight, hints.longer.get(arrow.key, 0))
    return "\n".join([*lines, "}\n"])


def _defaults(diagram: Diagram, hints: Hints) -> Iterator[str]:
    """Yield lines of DOT for what holds for the whole diagram."""
    gap = gap_of(diagram, hints) / POINTS
    yield f"graph [rankdir={diagram.direction} nodesep={gap:g} ranksep=0.22]"
    if len(diagram.boxes) > SIMPLEX_LIMIT:
        yield "graph [nslimit=0]"
    if hints.free is not None and not hints.free:
        yield "graph [ordering=in]"
    yield 'node [shape=box fixedsize=true label=""]'
    yield "edge [arrowsize=0.6 style=invis]"
    if any(arrow.words for arrow in diagram.arrows):  # the engine says it again at each
        yield f"edge [fontname=Courier fontsize={LABEL_FONT_SIZE:g}]"


def _room(box: Box) -> tuple[float, float]:
    """Return the width and height that a box takes, with the second card that a fold shows.

    Below a box there is room for it already.
    """
    return box.width + 2 * STACK * (box.kind == "module"), box.height


def _size(width: float, height: float) -> str:
    """Return the DOT text of the size of a box, given in pixels."""
    return f"width={width / POINTS:.4f} height={height / POINTS:.4f}"


def _lines(arrow: Arrow, diagram: Diagram, weight: str, longer: int) -> Iterator[str]:
    """Yield lines of DOT for an arrow that spans ``longer`` ranks more than it must.

    The engine puts words in the middle of an arrow, where those of a long one would need room among
    the boxes of other ranks.  A knot takes them to its tail.
    """
    kind, tail, words = _HEADS[arrow.kind], arrow.tail, ""
    if arrow.words:
        width = label_width(arrow, diagram)
        lines = [_placeholder(width, LABEL_FONT_SIZE)] * len(lines_of(arrow, diagram))
        words = f' label="{BREAK.join(lines)}"' if lines[1:] else f" label={lines[0]}"
    if words and longer and not diagram.clusters:
        coming, leaving = _SIDES[diagram.direction]
        knot = f"{KNOT}{arrow.key}"
        yield f"{knot} [shape=point width=0.01]"
        yield f"{tail} -> {knot}:{coming} [id={knot} dir=none{weight}{words}]"
        tail, words, longer = f"{knot}:{leaving}", "", longer - 1
    length = f" minlen={1 + longer}" if longer else ""
    yield f"{tail} -> {arrow.head} [id={arrow.key}{kind}{weight}{length}{words}]"


_SIDES: dict[Direction, tuple[str, str]] = {
    "TB": ("n", "s"),
    "BT": ("s", "n"),
    "LR": ("w", "e"),
    "RL": ("e", "w"),
}
"""Sides of a knot at which the line from the tail comes and the one to the head leaves."""


def _frames(diagram: Diagram, label_of: Callable[[Cluster], str]) -> Iterator[str]:
    """Yield lines of DOT for the frames as nested clusters, with the labels of ``label_of``."""
    inside: list[str] = []
    for cluster in diagram.clusters:
        while inside and inside[-1] != cluster.parent:
            inside.pop()
            yield "}"
        inside.append(cluster.key)
        yield (
            f"subgraph cluster_{cluster.key} {{ label={label_of(cluster)} labeljust=l "
            f"fontname=Courier fontsize={CLUSTER_FONT_SIZE:g} margin=8 style=rounded "
            f'color="{CLUSTER}" fontcolor="{MUTED}"'
        )
        if cluster.boxes:
            yield " ".join(cluster.boxes)
    yield from "}" * len(inside)


BREAK = r"\n"
"""End of a line in the engine's labels."""


def _placeholder(width: float, size: float) -> str:
    """Return a text that is this wide to the engine, which knows the letters of Courier."""
    return "x" * math.ceil(width / size / COURIER)


def _frame_placeholder(cluster: Cluster) -> str:
    return _placeholder(text_width(_label(cluster.words)), 1)


def _label(words: Sequence[Word]) -> str:
    return " ".join(word for _, word in words)


COURIER = 0.6
"""Width of a character of Courier, as a share of the font size."""


_HEADS = {"use": "", "saved": " dir=none", "base": "", "cut": ""}


def labelled_digraph_of(diagram: Diagram) -> graphviz.Digraph:
    """Return the diagram as a Digraph to draw with Graphviz: with labels, shapes and colours."""
    digraph = graphviz.Digraph()
    digraph.attr("graph", rankdir=diagram.direction, nodesep="0.2", ranksep="0.3")
    digraph.attr(
        "node", shape="box", fontname="Courier", fontsize=f"{FONT_SIZE:g}", fontcolor=TEXT,
        height="0.35", margin="0.12,0.04",
    )  # fmt: skip
    digraph.attr("edge", arrowsize="0.6", color=EDGE)
    for box in diagram.boxes:
        colours = BOXES[box.kind]
        lines = [graphviz.escape(_label(line)) for line in box.lines if line]
        styles = {"function": "filled,rounded", "input": "filled,dashed", "base": "filled,dotted"}
        styles["cut"] = "filled,dashed,rounded"
        digraph.node(
            box.key,
            "\\n".join(lines),
            style=styles.get(box.kind, "filled"),
            fillcolor=colours.fill,
            color=colours.stroke,
            shape="note" if box.kind == "saved" else None,
            peripheries="2" if box.kind == "output" else "1",
        )
    frames = _frames(diagram, lambda cluster: graphviz.quoting.quote(_label(cluster.words)))
    digraph.body += [f"\t{line}\n" for line in frames]
    for arrow in diagram.arrows:
        style = None if arrow.kind == "use" else "dotted"
        ends = "none" if arrow.kind == "saved" else None
        digraph.edge(arrow.tail, arrow.head, style=style, dir=ends)
    return digraph
