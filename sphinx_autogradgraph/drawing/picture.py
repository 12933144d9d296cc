"""What is drawn of a Graph: boxes with their words and sizes, and arrows between them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    """A drawn node: ``node`` is the id of what it shows; sizes are in units of the drawing.

    A ``shared`` one is one of several that show the same tensor.
    """

    key: str
    kind: BoxKind
    node: int
    words: tuple[Word, ...]
    tooltip: str
    width: float
    height: float = HEIGHT
    shared: bool = False


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
    """The picture of a Graph: a box a node, a box an output, an arrow an edge.

    A leaf or input that is used in places far apart has a box at each: long arrows from one box
    across the whole drawing would hide what it shows, and take the layout engine minutes.
    """
    uses = _uses_apart(graph)
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
        if node.id in uses:
            words.append(("meta", SAME))
        for key in uses.get(node.id, {None: f"n{node.id}"}).values():
            box = _box(key, kind, node.id, words)
            boxes.append(replace(box, shared=node.id in uses))
    arrows = [
        Arrow(f"e{index}", uses.get(edge.from_, {}).get(edge.to, f"n{edge.from_}"), f"n{edge.to}")
        for index, edge in enumerate(graph.edges)
    ]
    for index, output in enumerate(graph.outputs):
        words = [("name", output.name or "unnamed")]
        words += _meta_words([graph.tensor(output)], show)
        boxes.append(_box(f"o{index}", "output", output.node, words))
        arrows.append(Arrow(f"r{index}", f"n{output.node}", f"o{index}"))
    return Picture(tuple(boxes), tuple(arrows), direction)


FAR = 3
"""A leaf that is used by nodes more ranks apart than this has a box at each use."""

SAME = "≡"
"""The sign of a tensor that is drawn in several places."""


def _uses_apart(graph: Graph) -> dict[int, dict[int | None, str]]:
    """For each leaf and input that is drawn at each use, the keys of its boxes by who uses it."""
    rank = _ranks(graph)
    users: dict[int, dict[int | None, str]] = {}
    for edge in graph.edges:
        if graph.nodes[edge.from_].kind != "function":
            keys = users.setdefault(edge.from_, {})
            place = f"_{len(keys)}" if keys else ""
            keys.setdefault(edge.to, f"n{edge.from_}{place}")
    return {
        id: keys
        for id, keys in users.items()
        if len(ranks := {rank[to] for to in keys if to is not None}) > 1
        and max(ranks) - min(ranks) > FAR
    }


def _ranks(graph: Graph) -> list[int]:
    """The rank of each node if it stands as far down as what uses it allows.

    So a transposed weight counts where it is used, and not at the top where it could be made.
    """
    rank: list[int] = []
    for node in graph.nodes:
        used = [rank[edge.from_] for edge in graph.inputs_of.get(node.id, ())]
        rank.append(1 + max(used, default=0))
    late: dict[int, int] = {}
    for node in reversed(graph.nodes):
        own = late.setdefault(node.id, rank[node.id])
        for edge in graph.inputs_of.get(node.id, ()):
            late[edge.from_] = min(late.get(edge.from_, own - 1), own - 1)
    return [late[node.id] for node in graph.nodes]


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
