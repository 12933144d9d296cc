"""Diagram + layout → a vector PDF with text, by reportlab (extra ``[pdf]``)."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.render.arrow_heads import arrow_head
from sphinx_autogradgraph.render.candidates import MARGIN
from sphinx_autogradgraph.render.columns import crossing
from sphinx_autogradgraph.render.diagram import LINE, Box, Cluster, Diagram
from sphinx_autogradgraph.render.edge_labels import LABEL_FONT_SIZE, edge_labels
from sphinx_autogradgraph.render.framed import label_width
from sphinx_autogradgraph.render.labels import Word
from sphinx_autogradgraph.render.layout import Frame, Layout, Route
from sphinx_autogradgraph.render.legend import with_legend
from sphinx_autogradgraph.render.lettering import CLUSTER_FONT_SIZE, FONT_SIZE, text_width
from sphinx_autogradgraph.render.palette import BOXES, CLUSTER, CLUSTER_FILL, EDGE, WORDS
from sphinx_autogradgraph.render.svg_boxes import BAR, BAR_UP, FOLDED

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDE_FONT = "STSong-Light"
"""Font that every PDF viewer has, for characters that Courier lacks."""


NEEDS = Message("PDF needs reportlab: pip install 'sphinx-autogradgraph[pdf]'")


GUTTER, TURN = 36.0, 26.0
"""Space between columns and at their ends, for the lines from one to the next."""

LANE = 6.0
"""Distance of these lines from each other."""


def columns_size(layout: Layout, cuts: Sequence[float]) -> tuple[float, float]:
    """Return the width and height of the page of a drawing that is cut into columns."""
    count = len(cuts) + 1
    width = (layout.width + 2 * MARGIN) * count + GUTTER * (count - 1)
    turns = 2 * TURN if cuts else 0.0
    return width, max(bottom - top for top, bottom in _spans(layout, cuts)) + turns


def pdf_of(diagram: Diagram, layout: Layout, title: str, cuts: Sequence[float] = ()) -> bytes:
    """Return the drawing as a PDF of one page of its size, one point for each unit.

    It is cut at the heights ``cuts`` (see :func:`.cuts_of`) into columns that stand side by side.
    Raises :exc:`ImportError` with advice if reportlab is not installed.
    """
    try:
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont
        from reportlab.pdfgen.canvas import Canvas
    except ImportError:
        raise ImportError(NEEDS.sentence()) from None
    pdfmetrics.registerFont(UnicodeCIDFont(WIDE_FONT))
    layout = with_legend(layout, diagram.legend)
    size = columns_size(layout, cuts)
    file = BytesIO()
    canvas = Canvas(file, pagesize=size, bottomup=1, invariant=1)
    canvas.setTitle(title)
    down = TURN if cuts else 0.0
    step = layout.width + 2 * MARGIN + GUTTER
    for number, (top, bottom) in enumerate(_spans(layout, cuts)):
        canvas.saveState()
        # The y axis of drawings points down.
        canvas.transform(1, 0, 0, -1, MARGIN + number * step, size[1] - down + top)
        if number < len(cuts):
            _to_next_column(canvas, layout, bottom, bottom - top)
        if cuts:
            path = canvas.beginPath()
            path.rect(-MARGIN, top, layout.width + 2 * MARGIN, bottom - top)
            canvas.clipPath(path, stroke=0, fill=0)
        _draw(canvas, diagram, layout, top, bottom)
        canvas.restoreState()
    canvas.save()
    return file.getvalue()


def _spans(layout: Layout, cuts: Sequence[float]) -> list[tuple[float, float]]:
    """Return the top and the bottom of each column."""
    return list(pairwise((-MARGIN, *cuts, layout.height + MARGIN)))


def _draw(canvas: Any, diagram: Diagram, layout: Layout, top: float, bottom: float) -> None:
    """Draw what stands between two heights; what only passes is clipped by the caller."""
    for cluster in diagram.clusters:
        _frame(canvas, layout.frames[cluster.key])
    for arrow in diagram.arrows:
        _arrow(canvas, layout.routes[arrow.key], dotted=arrow.kind != "use")
    for cluster in diagram.clusters:  # above the arrows
        frame = layout.frames[cluster.key]
        if top <= frame.label[1] < bottom:
            _title(canvas, cluster, frame)
    for label in edge_labels(diagram, layout):
        if top <= label.y < bottom:
            _words(canvas, [("gradient", label.text)], label.x, label.y, LABEL_FONT_SIZE)
    for box in (*diagram.boxes, *diagram.legend):
        if top <= layout.boxes[box.key][1] < bottom:
            _box(canvas, box, *layout.boxes[box.key])
            _level(canvas, box, *layout.boxes[box.key])


def _to_next_column(canvas: Any, layout: Layout, bottom: float, height: float) -> None:
    """Draw dashed lines from where arrows leave a column to where they enter the next one.

    ``height`` is that of the column.
    """
    canvas.setStrokeColor(EDGE)
    canvas.setLineWidth(1)
    canvas.setDash([3, 2])
    gutter, step = layout.width + MARGIN + 4, layout.width + 2 * MARGIN + GUTTER
    for lane, x in enumerate(sorted(crossing(layout, bottom), reverse=True)):
        turn = 5 + LANE * lane
        path = canvas.beginPath()
        path.moveTo(x, bottom)
        path.lineTo(x, bottom + turn)
        path.lineTo(gutter + turn, bottom + turn)
        path.lineTo(gutter + turn, bottom - height - turn)
        path.lineTo(x + step, bottom - height - turn)
        path.lineTo(x + step, bottom - height)
        canvas.drawPath(path, stroke=1, fill=0)
    canvas.setDash([])


def _frame(canvas: Any, frame: Frame) -> None:
    canvas.setStrokeColor(CLUSTER)
    canvas.setFillColor(CLUSTER_FILL)
    canvas.setLineWidth(1)
    canvas.roundRect(*frame[:4], 6, stroke=1, fill=1)


def _title(canvas: Any, cluster: Cluster, frame: Frame) -> None:
    """Draw the words of a frame, on its colour."""
    (x, y), width = frame.label, label_width(cluster) + 4
    canvas.setFillColor(CLUSTER_FILL)
    canvas.rect(
        x - width / 2, y - CLUSTER_FONT_SIZE / 2, width, CLUSTER_FONT_SIZE, stroke=0, fill=1
    )
    _words(canvas, cluster.words, x, y, CLUSTER_FONT_SIZE)


def _arrow(canvas: Any, route: Route, *, dotted: bool) -> None:
    canvas.setStrokeColor(EDGE)
    canvas.setFillColor(EDGE)
    canvas.setLineWidth(1.2)
    canvas.setDash([1.2, 3] if dotted else [])
    path = canvas.beginPath()
    path.moveTo(*route.points[0])
    for place in range(1, len(route.points) - 2, 3):
        path.curveTo(*(number for point in route.points[place : place + 3] for number in point))
    neck, corners = arrow_head(route)
    if corners:
        path.lineTo(*neck)
    canvas.drawPath(path, stroke=1, fill=0)
    canvas.setDash([])
    if corners:
        head = canvas.beginPath()
        head.moveTo(*corners[0])
        for corner in corners[1:]:
            head.lineTo(*corner)
        head.close()
        canvas.drawPath(head, stroke=0, fill=1)


def _level(canvas: Any, box: Box, x: float, y: float) -> None:
    """Draw the bar of a gradient, if there is a scale of gradients."""
    if box.level is None:
        return
    left, down = x - BAR / 2, y + box.height / 2 - BAR_UP
    canvas.setDash([])
    for colour, width, length in ((EDGE, 0.5, BAR), (WORDS["gradient"], 2.5, BAR * box.level)):
        canvas.setStrokeColor(colour)
        canvas.setLineWidth(width)
        canvas.line(left, down, left + length, down)


def _box(canvas: Any, box: Box, x: float, y: float) -> None:
    colours = BOXES[box.kind]
    canvas.setStrokeColor(colours.stroke)
    canvas.setFillColor(colours.fill)
    canvas.setLineWidth(1 if box.kind == "function" else 1.5)
    canvas.setDash(
        [4, 3] if box.kind in ("input", "cut") else [1.2, 3] if box.kind == "base" else []
    )
    left, top = x - box.width / 2, y - box.height / 2
    if box.kind == "saved":
        note = canvas.beginPath()
        right, bottom = left + box.width, top + box.height
        note.moveTo(left, top)
        for corner in (
            (right - FOLDED, top), (right, top + FOLDED), (right, bottom), (left, bottom)
        ):  # fmt: skip
            note.lineTo(*corner)
        note.close()
        canvas.drawPath(note, stroke=1, fill=1)
    else:
        canvas.roundRect(left, top, box.width, box.height, box.corner_radius, stroke=1, fill=1)
    canvas.setDash([])
    if box.kind == "output":
        canvas.setLineWidth(0.75)
        canvas.roundRect(
            left + 2.5, top + 2.5, box.width - 5, box.height - 5, 1.5, stroke=1, fill=0
        )
    for place, line in enumerate(box.lines):
        _words(canvas, line, x, y + (place - (len(box.lines) - 1) / 2) * LINE)


def _words(canvas: Any, words: Sequence[Word], x: float, y: float, size: float = FONT_SIZE) -> None:
    """Draw the words side by side, centred; turned, as text follows the inverted y axis."""
    label = " ".join(word for _, word in words)
    at = x - text_width(label) * size / 2
    for role, word in words:
        canvas.setFillColor(WORDS[role])
        bold = role in ("name", "order")
        for font, piece in _pieces(word, "Courier-Bold" if bold else "Courier"):
            canvas.saveState()
            canvas.transform(1, 0, 0, -1, at, y + size * 0.3)
            canvas.setFont(font, size)
            canvas.drawString(0, 0, piece)
            canvas.restoreState()
            at += text_width(piece) * size
        at += text_width(" ") * size


def _pieces(word: str, font: str) -> Sequence[tuple[str, str]]:
    """Split a word into pieces, each with a font that has its characters."""
    pieces: list[tuple[str, str]] = []
    for char in word.replace("⋯", "…"):
        needed = font if _is_western(char) else _FONT_OF_SIGNS.get(char, WIDE_FONT)
        if pieces and pieces[-1][0] == needed:
            pieces[-1] = (needed, pieces[-1][1] + char)
        else:
            pieces.append((needed, char))
    return pieces


_FONT_OF_SIGNS = {**dict.fromkeys("≡→←↑↓−Σ", "Symbol"), **dict.fromkeys("✂▲▼", "ZapfDingbats")}
"""Font of each sign that the fonts of words lack; every PDF viewer has both."""


def _is_western(char: str) -> bool:
    """Whether Courier has the character, as the fonts of PDF are encoded."""
    try:
        char.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
