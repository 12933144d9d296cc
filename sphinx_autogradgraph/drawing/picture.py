"""What is drawn of a Graph: boxes with their words and sizes, and arrows between them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sphinx_autogradgraph.drawing.text import norm_text, shape_text
from sphinx_autogradgraph.graph import Graph, Node, TensorMeta

Show = Literal["shape", "dtype", "device", "inputs", "gradients", "calls", "order"]
SHOW: tuple[Show, ...] = get_args(Show)
"""What can be shown: of the tensors that nodes produce, the tensors that do not require grad, the
gradients that arrived, the calls that made nodes, and the order in which backward visits them."""

META: tuple[Show, ...] = ("shape", "dtype", "device")

Direction = Literal["TB", "BT", "LR", "RL"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
"""Where data flows: down, up, right, left."""

FONT_SIZE = 13.0
"""Size of the labels, in the units of the drawing (CSS pixels at 100 %)."""

CHARACTER = 0.602
"""Width of a character of a monospace font, in its size: that of the widest in use (DejaVu Sans
Mono, Menlo); Courier and Liberation Mono have 0.6, Consolas 0.55."""

PADDING = 9.0
HEIGHT = 25.0
MAX_LABEL = 60
"""A word of a label with more characters is cut; its whole is in the tooltip."""

Role = Literal["order", "op", "call", "name", "meta", "gradient"]
Word = tuple[Role, str]
BoxKind = Literal["leaf", "function", "input", "output"]


@dataclass(frozen=True)
class Box:
    """A drawn node: ``node`` is the id of what it shows; sizes are in units of the drawing."""

    key: str
    kind: BoxKind
    node: int
    words: tuple[Word, ...]
    tooltip: str
    width: float
    height: float = HEIGHT


@dataclass(frozen=True)
class Arrow:
    """A drawn edge, from the box of key ``tail`` to that of key ``head``."""

    key: str
    tail: str
    head: str


@dataclass(frozen=True)
class Picture:
    """Boxes and arrows, and where data flows."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    direction: Direction = "TB"


def picture_of(
    graph: Graph, show: Sequence[Show] = ("shape",), direction: Direction = "TB"
) -> Picture:
    """The picture of a Graph: a box a node, a box an output, an arrow an edge."""
    said = {(output.node, output.name) for output in graph.outputs}
    boxes = []
    order = graph.backward_order if "order" in show else {}
    for node in graph.nodes:
        kind: BoxKind = "function" if node.kind == "module" else node.kind
        # A name that the box of the output says right beside it is not said twice.
        named = kind == "leaf" or (node.id, node.name) not in said
        words = _words(node, show, named=named)
        gradient = node.gradient if "gradients" in show else None
        place = order.get(node.id) if gradient is None else gradient.order
        if place is not None:
            words.insert(0, ("order", f"{place}."))
        if gradient is not None:
            words.append(("gradient", f"grad {norm_text(gradient)}"))
        boxes.append(_box(f"n{node.id}", kind, node.id, words))
    arrows = [
        Arrow(f"e{index}", f"n{edge.from_}", f"n{edge.to}")
        for index, edge in enumerate(graph.edges)
    ]
    for index, output in enumerate(graph.outputs):
        words = [("name", output.name or "unnamed")]
        words += _meta_words([graph.tensor(output)], show)
        boxes.append(_box(f"o{index}", "output", output.node, words))
        arrows.append(Arrow(f"r{index}", f"n{output.node}", f"o{index}"))
    return Picture(tuple(boxes), tuple(arrows), direction)


def _words(node: Node, show: Sequence[Show], *, named: bool) -> list[Word]:
    words: list[Word] = [("op", node.op)] if node.kind == "function" else []
    if node.call is not None and "calls" in show:
        words.append(("call", node.call))
    if node.kind in ("leaf", "input"):
        words.append(("name", node.name or "unnamed"))
    elif named and node.name is not None:
        words.append(("name", node.name))
    return words + _meta_words(node.outputs, show)


def _meta_words(metas: Sequence[TensorMeta], show: Sequence[Show]) -> list[Word]:
    """Shape, dtype and device; said once, with a count, of outputs that are alike."""
    said: dict[str, int] = {}
    for meta in metas:
        shown = {"shape": shape_text(meta), "dtype": meta.dtype, "device": meta.device}
        text = " ".join(shown[word] or "" for word in META if word in show).strip()
        if text:
            said[text] = said.get(text, 0) + 1
    texts = [text if count == 1 else f"{count} × {text}" for text, count in said.items()]
    if len(texts) > 3:
        texts = [*texts[:2], "…"]
    return [("meta", ", ".join(texts))] if texts else []


def _box(key: str, kind: BoxKind, node: int, words: Sequence[Word]) -> Box:
    cut = tuple((role, _cut(printable(word))) for role, word in words)
    label = " ".join(word for _, word in cut)
    whole = " ".join(printable(word) for _, word in words)
    width = text_width(label) * FONT_SIZE + 2 * PADDING
    return Box(key, kind, node, cut, whole if whole != label else "", round(width, 1))


def _cut(word: str) -> str:
    return word if len(word) <= MAX_LABEL else f"{word[: MAX_LABEL - 1]}…"


def printable(text: str) -> str:
    """The text on one line, without what XML forbids, what is invisible or what turns the
    direction of writing (which could make a name read as another)."""
    kept = []
    for char in text:
        category = unicodedata.category(char)
        if char.isspace():
            kept.append(" ")
        elif category in ("Cc", "Cs", "Cn", "Co") or char in _BIDI or char in "\ufffe\uffff":
            kept.append("\N{REPLACEMENT CHARACTER}")
        else:
            kept.append(char)
    return "".join(kept)


_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def text_width(text: str) -> float:
    """The width of a text in a monospace font, in its size.

    East Asian wide characters come from another font, where they are 1 em; signs that combine
    with the one before have no width.
    """
    return sum(_character_width(char) for char in text)


def _character_width(char: str) -> float:
    if char.isascii():
        return CHARACTER
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    # Fonts differ on the rest, and a fallback font may be wider: be generous.
    return 0.75 if unicodedata.category(char)[0] == "L" else 0.9
