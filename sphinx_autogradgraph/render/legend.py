"""Legend of a drawing, which explains its kinds of boxes and lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sphinx_autogradgraph.core.messages import Translate
from sphinx_autogradgraph.render.diagram import Box, BoxKind, box_of
from sphinx_autogradgraph.render.labels import Word
from sphinx_autogradgraph.render.layout import Layout, Point

GAP, SPACE = 10.0, 24.0
"""Distances between the boxes of a legend, and between the legend and the drawing."""

NARROW = 480.0
"""Minimum width of a line of a legend before another begins."""


def legend_of(boxes: Sequence[Box], translate: Translate) -> tuple[Box, ...]:
    """Make a box that explains it for each kind of box in the drawing."""
    kinds = {box.kind for box in boxes}
    samples = [
        box_of(f"l{number}", kind, (), [word])
        for number, (kind, word) in enumerate(_meanings(translate))
        if kind in kinds
    ]
    if any(box.shared for box in boxes):
        text = translate("≡ the same tensor, drawn at each use")
        samples.append(box_of("l_same", "leaf", (), [("meta", text)]))
    return tuple(samples)


def _meanings(translate: Translate) -> Iterator[tuple[BoxKind, Word]]:
    yield "leaf", ("name", translate("leaf: requires grad"))
    yield "input", ("name", translate("input: requires no grad"))
    yield "function", ("op", translate("operation: its grad_fn"))
    yield "module", ("name", translate("folded operations"))
    yield "cut", ("op", translate("⋯ cut off here"))
    yield "saved", ("saved", translate("saved for backward"))
    yield "base", ("name", translate("base of a view"))
    yield "output", ("name", translate("output"))


def with_legend(layout: Layout, legend: Sequence[Box]) -> Layout:
    """Return the layout with the legend below, in lines as wide as the drawing."""
    if not legend:
        return layout
    width = max(layout.width, NARROW, *(box.width for box in legend))
    places: dict[str, Point] = {}
    x, y, widest = 0.0, layout.height + SPACE, 0.0
    for box in legend:
        if x and x + box.width > width:
            x, y = 0.0, y + box.height + GAP
        places[box.key] = (round(x + box.width / 2, 1), round(y + box.height / 2, 1))
        x += box.width + GAP
        widest = max(widest, x - GAP)
    return replace(
        layout,
        width=round(max(layout.width, widest), 1),
        height=round(y + legend[0].height, 1),
        boxes={**layout.boxes, **places},
    )
