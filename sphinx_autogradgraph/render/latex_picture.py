"""Diagram + layout → LaTeX that needs no package and no file: its own ``picture`` environment.

For notebooks, whose outputs reach LaTeX as texts.  Where colours are to be had, they are used.
"""

from __future__ import annotations

from collections.abc import Sequence

from sphinx_autogradgraph.render.arrow_heads import arrow_head
from sphinx_autogradgraph.render.diagram import LINE, Box, Cluster, Diagram
from sphinx_autogradgraph.render.edge_labels import LABEL_FONT_SIZE, edge_labels
from sphinx_autogradgraph.render.labels import Word
from sphinx_autogradgraph.render.layout import Frame, Layout, Point, Route
from sphinx_autogradgraph.render.legend import with_legend
from sphinx_autogradgraph.render.lettering import CLUSTER_FONT_SIZE, FONT_SIZE
from sphinx_autogradgraph.render.palette import BOXES, CLUSTER, EDGE, WORDS

UNIT = 0.7
"""Points of print per unit of the drawing."""

MAX_BOXES = 80
"""Maximum number of boxes that are drawn: TeX makes curves of dots, and keeps all in memory."""

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "_": r"\_", "%": r"\%", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "…": r"\ldots{}", "⋯": r"\ldots{}", "≡": r"$\equiv$", "→": r"$\to$", "×": r"$\times$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "←": r"$\leftarrow$", "−": r"$-$",
    "Σ": r"$\Sigma$", "≈": r"$\approx$", "·": r"$\cdot$",
    "▲": r"$\bigtriangleup$", "▼": r"$\bigtriangledown$",
    "✂": "",  # needs a package; the word behind it says the same
}  # fmt: skip


def escape_latex(text: str) -> str:
    """Escape a text for LaTeX, and put it on one line."""
    return "".join(_ESCAPES.get(char, char) for char in text if char.isprintable())


def latex_of(diagram: Diagram, layout: Layout, caption: str) -> str:
    """Return the drawing and its caption in LaTeX; the caption alone if the drawing is large."""
    below = f"\\par\\smallskip\\parbox{{0.9\\linewidth}}{{\\small {escape_latex(caption)}}}"
    if len(diagram.boxes) > MAX_BOXES:
        return f"\\begin{{center}}\n{below}\n\\end{{center}}\n"
    layout = with_legend(layout, diagram.legend)
    height = layout.height
    frames = [(cluster, layout.frames[cluster.key]) for cluster in diagram.clusters]
    parts = [_frame(frame, height) for _, frame in frames]
    parts += [_arrow(layout.routes[arrow.key], height) for arrow in diagram.arrows]
    parts += [_title(cluster, frame, height) for cluster, frame in frames]
    for label in edge_labels(diagram, layout):
        words = _text([("gradient", label.text)], LABEL_FONT_SIZE)
        parts.append(_put(label.x, label.y, height, words))
    parts += [_box(box, layout.boxes[box.key], height) for box in diagram.boxes]
    parts += [_box(box, layout.boxes[box.key], height) for box in diagram.legend]
    body = "%\n".join(parts)
    return (
        f"\\begin{{center}}\n{{\\setlength{{\\unitlength}}{{{UNIT}bp}}%\n"
        f"\\begin{{picture}}({layout.width:.1f},{height:.1f})%\n{body}%\n\\end{{picture}}}}\n"
        f"{below}\n\\end{{center}}\n"
    )


def _coloured(colour: str, body: str) -> str:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    numbers = ",".join(f"{part:.2f}" for part in parts)
    return f"{{\\ifdefined\\color\\color[rgb]{{{numbers}}}\\fi{{}}{body}}}"


def _put(x: float, y: float, height: float, body: str) -> str:
    """Put LaTeX at a place: a drawing's y axis points down, and that of LaTeX up."""
    return f"\\put({x:.1f},{height - y:.1f}){{{body}}}"


def _text(words: Sequence[Word], size: float = FONT_SIZE) -> str:
    points = size * UNIT
    text = "\\ ".join(_coloured(WORDS[role], escape_latex(word)) for role, word in words)
    font = f"\\fontsize{{{points:.1f}}}{{{points:.1f}}}\\selectfont\\ttfamily"
    return f"\\makebox(0,0){{{font} {text}}}"


def _frame(frame: Frame, height: float) -> str:
    outline = f"\\dashbox{{3}}({frame.width:.1f},{frame.height:.1f}){{}}"
    return _put(frame.left, frame.top + frame.height, height, _coloured(CLUSTER, outline))


def _title(cluster: Cluster, frame: Frame, height: float) -> str:
    return _put(*frame.label, height, _text(cluster.words, CLUSTER_FONT_SIZE))


def _box(box: Box, centre: Point, height: float) -> str:
    x, y = centre
    if box.kind in ("function", "cut"):
        outline = _put(x, y, height, f"\\oval({box.width:.1f},{box.height:.1f})")
    else:
        bottom, left = y + box.height / 2, x - box.width / 2
        outline = _put(left, bottom, height, f"\\framebox({box.width:.1f},{box.height:.1f}){{}}")
        if box.kind == "output":
            outline += _put(
                left + 2.5, bottom - 2.5, height,
                f"\\framebox({box.width - 5:.1f},{box.height - 5:.1f}){{}}",
            )  # fmt: skip
    words = [
        _put(x, y + (place - (len(box.lines) - 1) / 2) * LINE, height, _text(line))
        for place, line in enumerate(box.lines)
    ]
    return _coloured(BOXES[box.kind].stroke, outline) + "".join(words)


def _arrow(route: Route, height: float) -> str:
    """Draw a route as quadratic curves, two for each cubic one, with a head of two lines."""
    drawn = []
    neck, corners = arrow_head(route)
    points = list(route.points)
    for at in range(0, len(points) - 3, 3):
        first, one, two, last = points[at : at + 4]
        middle = _mean(first, one, one, one, two, two, two, last)
        drawn.append(_curve(first, _mean(first, one, one, one), middle, height))
        drawn.append(_curve(middle, _mean(last, two, two, two), last, height))
    if corners:
        tip, left, right = corners
        drawn.append(_curve(points[-1], _mean(points[-1], neck), neck, height))
        drawn += [_curve(side, _mean(side, tip), tip, height) for side in (left, right)]
        drawn.append(_curve(left, _mean(left, right), right, height))
    return _coloured(EDGE, "".join(drawn))


def _mean(*points: Point) -> Point:
    return (
        sum(x for x, _ in points) / len(points),
        sum(y for _, y in points) / len(points),
    )


def _curve(start: Point, control: Point, end: Point, height: float) -> str:
    return "\\qbezier" + "".join(f"({x:.1f},{height - y:.1f})" for x, y in (start, control, end))
