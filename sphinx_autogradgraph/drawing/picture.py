"""What is drawn of a Graph: boxes with their words and sizes, and arrows between them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from sphinx_autogradgraph.drawing.fold import members
from sphinx_autogradgraph.drawing.text import norm_text, shape_text, value_text
from sphinx_autogradgraph.graph import Fold, Gradient, Graph, Node, Saved, TensorMeta

Show = Literal[
    "shape",
    "dtype",
    "device",
    "values",
    "saved",
    "inputs",
    "gradients",
    "modules",
    "calls",
    "order",
]
SHOW: tuple[Show, ...] = get_args(Show)
"""What can be shown: of the tensors that nodes produce and, if they are small, their values; what
nodes saved for backward, the tensors that do not require grad, the gradients that arrived, the
modules and the calls that made nodes, and the order in which backward visits them."""

META: tuple[Show, ...] = ("shape", "dtype", "device")

Direction = Literal["TB", "BT", "LR", "RL"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
"""Where data flows: down, up, right, left."""

FONT_SIZE = 13.0
"""Size of the labels, in the units of the drawing (CSS pixels at 100 %)."""

CLUSTER_FONT_SIZE = 11.0
"""Size of the names of frames."""

CHARACTER = 0.602
"""Width of a character of a monospace font, in its size: that of the widest in use (DejaVu Sans
Mono, Menlo); Courier and Liberation Mono have 0.6, Consolas 0.55."""

PADDING = 9.0
HEIGHT, HEIGHT_OF_TWO = 25.0, 39.0
"""Of a box with one line of words, and with two."""

MAX_LABEL = 60
"""A word of a label with more characters is cut; its whole is in the tooltip."""

Role = Literal["order", "op", "call", "name", "meta", "saved", "gradient"]
Word = tuple[Role, str]
BoxKind = Literal["leaf", "function", "input", "output", "base", "saved", "module", "cut"]
ArrowKind = Literal["use", "saved", "base"]


@dataclass(frozen=True)
class Box:
    """A drawn node: ``nodes`` are the ids of what it shows; sizes are in units of the drawing.

    ``words`` stand on one line, those of ``below`` under them.  A ``shared`` one is one of several
    that show the same tensor.
    """

    key: str
    kind: BoxKind
    nodes: tuple[int, ...]
    words: tuple[Word, ...]
    below: tuple[Word, ...]
    tooltip: str
    width: float
    height: float = HEIGHT
    shared: bool = False


@dataclass(frozen=True)
class Arrow:
    """A drawn edge, from the box of key ``tail`` to that of key ``head``.

    Its ``kind`` is ``use``, or ``saved`` from a tensor to the function that saved it, or ``base``
    from a tensor to a view of it.
    """

    key: str
    tail: str
    head: str
    kind: ArrowKind = "use"


@dataclass(frozen=True)
class Cluster:
    """A frame around the ``boxes``, by their keys, that one call of a module made.

    ``parent`` is the key of the frame that it is in, if any; boxes stand in the innermost.
    """

    key: str
    parent: str | None
    words: tuple[Word, ...]
    boxes: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """Boxes and arrows, frames around boxes, and where data flows."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    clusters: tuple[Cluster, ...] = ()
    direction: Direction = "TB"


def picture_of(
    graph: Graph, show: Sequence[Show] = ("shape",), direction: Direction = "TB"
) -> Picture:
    """The picture of a Graph: a box a node, a box an output, an arrow an edge.

    A leaf or input that is used in places far apart has a box at each: long arrows from one box
    across the whole drawing would hide what it shows, and take the layout engine minutes.  With
    ``saved``, what a function saved is said on the box of the leaf or input that it is, else it has
    a box beside the function.
    """
    uses = _uses_apart(graph)
    saved = _saved_by_boxes(graph, uses) if "saved" in show else {}
    order = graph.backward_order if "order" in show else {}
    # What the box of an output says is not said twice, right beside it.
    outputs = {(output.node, output.name) for output in graph.outputs}
    boxes = []
    for node in graph.nodes:
        kind: BoxKind = "cut" if node.fold and node.fold.kind == "cut" else node.kind
        twice = kind != "leaf" and (node.id, node.name) in outputs
        words, below = _words(graph, node, show, twice=twice)
        gradient = node.gradient if "gradients" in show else None
        place = order.get(node.id) if gradient is None else gradient.order
        if place is not None:
            words.insert(0, ("order", f"{place}."))
        if gradient is not None:
            (below or words).append(("gradient", _gradient_text(gradient, show)))
        if node.id in uses:
            words.append(("meta", SAME))
        if "saved" in show:
            words += _kept_words(node)
        for key in uses.get(node.id, {None: f"n{node.id}"}).values():
            text = f"saved as {', '.join(saved[key])}" if key in saved else ""
            roles: list[Word] = [("saved", text)] if text else []
            box = _box(key, kind, members(node), [*words, *roles], below)
            boxes.append(replace(box, shared=node.id in uses))
    arrows = [
        Arrow(f"e{index}", uses.get(edge.from_, {}).get(edge.to, f"n{edge.from_}"), f"n{edge.to}")
        for index, edge in enumerate(graph.edges)
    ]
    if "saved" in show:
        _add_saved(graph, show, boxes, arrows)
    clusters = _clusters(graph, boxes, arrows) if "modules" in show else ()
    _add_outputs(graph, show, boxes, arrows)
    return Picture(tuple(boxes), tuple(arrows), tuple(clusters), direction)


def _clusters(graph: Graph, boxes: Sequence[Box], arrows: Sequence[Arrow]) -> Iterator[Cluster]:
    """A frame for each call of a module.

    A leaf, or what a function saved, is in the frame of what uses it if that frame is of its module
    or it has no name.
    """
    inside: list[int] = []
    parents: list[int | None] = []
    home: dict[str, int] = {}  # of a box, the number of the innermost frame
    for number, call in enumerate(graph.modules):
        while inside and graph.modules[inside[-1]].last < call.first:
            inside.pop()
        parents.append(inside[-1] if inside else None)
        inside.append(number)
        home.update({f"n{id}": number for id in range(call.first, call.last + 1)})
    home.update(_homes_of_tensors(graph, boxes, arrows, home, parents))
    held: dict[int, list[str]] = {}
    for box in boxes:
        if box.key in home:
            held.setdefault(home[box.key], []).append(box.key)
    for number, call in enumerate(graph.modules):
        parent = parents[number]
        yield Cluster(
            key=f"c{number}",
            parent=None if parent is None else f"c{parent}",
            words=(("name", _cut(printable(call.path))), ("op", _cut(printable(call.type)))),
            boxes=tuple(held.get(number, ())),
        )


def _homes_of_tensors(
    graph: Graph,
    boxes: Sequence[Box],
    arrows: Sequence[Arrow],
    home: Mapping[str, int],
    parents: Sequence[int | None],
) -> Iterator[tuple[str, int]]:
    """The innermost frames of leaves, inputs and saved tensors, by their keys."""
    users: dict[str, list[str]] = {}
    for arrow in arrows:
        users.setdefault(arrow.tail, []).append(arrow.head)
    for box in boxes:
        if box.kind not in ("leaf", "input", "saved"):
            continue
        name = next((word for role, word in box.words if role == "name"), "")
        frames = [_outwards(home.get(user), parents) for user in users.get(box.key, ())]
        for frame in frames[0] if frames else ():
            path = graph.modules[frame].path
            own = box.kind == "saved" or name == "unnamed" or name.startswith(f"{path}.")
            if own and all(frame in others for others in frames):
                yield box.key, frame
                break


def _outwards(frame: int | None, parents: Sequence[int | None]) -> list[int]:
    """A frame and those that it is in, from the inside."""
    found = []
    while frame is not None:
        found.append(frame)
        frame = parents[frame]
    return found


def _add_outputs(graph: Graph, show: Sequence[Show], boxes: list[Box], arrows: list[Arrow]) -> None:
    """A box for each output, and for the tensor that it is a view of, if that is no leaf."""
    for index, output in enumerate(graph.outputs):
        words: list[Word] = [("name", output.name or "unnamed")]
        words += _meta_words([graph.tensor(output)], show)
        shown = members(graph.nodes[output.node])
        boxes.append(_box(f"o{index}", "output", shown, words))
        arrows.append(Arrow(f"r{index}", f"n{output.node}", f"o{index}"))
        base = output.base
        if base is None:
            continue
        tail = f"n{base.node}"
        if graph.nodes[base.node].kind in ("function", "module"):
            words = [("meta", "base"), ("name", base.name or "unnamed")]
            words += _meta_words([graph.tensor(base)], show)
            tail = f"b{index}"
            boxes.append(_box(tail, "base", members(graph.nodes[base.node]), words))
            arrows.append(Arrow(f"p{index}", f"n{base.node}", tail))
        arrows.append(Arrow(f"v{index}", tail, f"o{index}", "base"))


def _saved_by_boxes(
    graph: Graph, uses: Mapping[int, Mapping[int | None, str]]
) -> dict[str, list[str]]:
    """For the boxes of leaves and inputs, the names under which the functions there save them."""
    roles: dict[str, list[str]] = {}
    for node in graph.nodes:
        for saved in node.saved or ():
            if saved.node is not None and graph.nodes[saved.node].kind in ("leaf", "input"):
                key = uses.get(saved.node, {}).get(node.id, f"n{saved.node}")
                if saved.role not in roles.setdefault(key, []):
                    roles[key].append(saved.role)
    return roles


def _kept_words(node: Node) -> list[Word]:
    """What a function saved that is no tensor, and what is gone: ``exponent=2 self freed``."""
    words: list[Word] = []
    for saved in node.saved or ():
        if saved.value is not None:
            words.append(("saved", f"{saved.role}={value_text(saved.value)}"))
        elif saved.freed:
            words.append(("saved", f"{saved.role} freed"))
    return words


def _add_saved(graph: Graph, show: Sequence[Show], boxes: list[Box], arrows: list[Arrow]) -> None:
    """Boxes beside functions for the tensors that they saved; dotted lines from all of those."""
    used = {(edge.from_, edge.to) for edge in graph.edges}
    count = Counter(
        saved.node
        for node in graph.nodes
        for saved in {item.node: item for item in node.saved or ()}.values()
    )
    for node in graph.nodes:
        beside: dict[object, list[Saved]] = {}
        for place, saved in enumerate(node.saved or ()):
            if saved.value is not None or saved.freed:
                continue
            source = None if saved.node is None else graph.nodes[saved.node]
            if source is None or source.kind in ("function", "module"):
                key = saved.name or place if source is None else (source.id, saved.shape)
                beside.setdefault(key, []).append(saved)
            elif (source.id, node.id) not in used:
                arrows.append(Arrow(f"s{node.id}_{place}", f"n{source.id}", f"n{node.id}", "saved"))
        for place, several in enumerate(beside.values()):
            box = _saved_box(graph, node, several, show, f"s{node.id}_{place}")
            same = several[0].node is not None and count[several[0].node] > 1
            boxes.append(replace(box, shared=same))
            arrows.append(Arrow(f"t{node.id}_{place}", box.key, f"n{node.id}", "saved"))


def _saved_box(
    graph: Graph, node: Node, several: Sequence[Saved], show: Sequence[Show], key: str
) -> Box:
    """The box of a tensor that a function saved, once or under several names."""
    saved = several[0]
    words: list[Word] = [("saved", ", ".join(item.role for item in several))]
    name = saved.name
    if saved.node is not None and len(graph.nodes[saved.node].outputs) == 1:
        name = graph.nodes[saved.node].name
    if name is not None:
        words.append(("name", name))
    words += _meta_words([TensorMeta(saved.shape, saved.dtype, None)], show)
    shown = node if saved.node is None else graph.nodes[saved.node]
    return _box(key, "saved", members(shown), words)


FAR = 3
"""A leaf that is used by nodes more ranks apart than this has a box at each use."""

SAME = "≡"
"""The sign of a tensor that is drawn in several places."""


def _uses_apart(graph: Graph) -> dict[int, dict[int | None, str]]:
    """For each leaf and input that is drawn at each use, the keys of its boxes by who uses it."""
    rank = _ranks(graph)
    users: dict[int, dict[int | None, str]] = {}
    for edge in graph.edges:
        if graph.nodes[edge.from_].kind in ("leaf", "input"):
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


def _words(
    graph: Graph, node: Node, show: Sequence[Show], *, twice: bool
) -> tuple[list[Word], list[Word]]:
    """What the box of a node says, on its first line and on its second.

    ``twice`` if its name and values stand right beside it.
    """
    if node.fold is not None:
        return _fold_words(graph, node, node.fold, show)
    words: list[Word] = [("op", node.op)] if node.kind == "function" else []
    if node.call is not None and "calls" in show:
        words.append(("call", node.call))
    if node.kind in ("leaf", "input"):
        words.append(("name", node.name or "unnamed"))
    elif not twice and node.name is not None:
        words.append(("name", node.name))
    metas = [meta._replace(values=None) for meta in node.outputs] if twice else node.outputs
    return words + _meta_words(metas, show), []


def _fold_words(
    graph: Graph, node: Node, fold: Fold, show: Sequence[Show]
) -> tuple[list[Word], list[Word]]:
    """What the box of a fold says, on its two lines."""
    used = {
        (edge.from_, edge.output): graph.nodes[edge.from_].outputs[edge.output]
        for edge in graph.inputs_of.get(node.id, ())
        if graph.nodes[edge.from_].kind != "leaf"
    }
    before, after = _meta_words(list(used.values()), show), _meta_words(node.outputs, show)
    if fold.kind == "cut":
        beyond = [_count(fold.operations, "op", "ops")] if fold.operations else []
        return [("op", " ".join(["⋯", *beyond])), *after], []
    shapes = [word for _, word in (*before, ("meta", "→"), *after)] if before and after else []
    counts = [_count(fold.operations, "op", "ops")]
    if fold.parameters:
        counts.append(_count(fold.parameters, "parameter", "parameters"))
    below: list[Word] = [("meta", ", ".join(counts))]
    flow: list[Word] = [("meta", " ".join(shapes))] if shapes else after
    if flow:
        below = [("meta", f"{below[0][1]} ·"), *flow]
    words: list[Word] = []
    if fold.kind == "repeats":
        words.append(("name", f"× {fold.times:,} more"))
    if node.name is not None:
        words.append(("name", node.name))
    if node.op:
        words.append(("op", node.op))
    if not words:
        words, below = [("op", counts[0])], flow
    return words, below


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _meta_words(metas: Sequence[TensorMeta], show: Sequence[Show]) -> list[Word]:
    """Shape, dtype, device, values; said once, with a count, of outputs that are alike."""
    said: dict[str, int] = {}
    for meta in metas:
        shown = {"shape": shape_text(meta), "dtype": meta.dtype, "device": meta.device}
        texts = [shown[word] or "" for word in META if word in show]
        if "values" in show and meta.values is not None:
            texts.append(f"= {value_text(meta.values)}")
        text = " ".join(texts).strip()
        if text:
            said[text] = said.get(text, 0) + 1
    texts = [text if count == 1 else f"{count} × {text}" for text, count in said.items()]
    if len(texts) > 3:
        texts = [*texts[:2], "…"]
    return [("meta", ", ".join(texts))] if texts else []


def _gradient_text(gradient: Gradient, show: Sequence[Show]) -> str:
    if "values" in show and gradient.values is not None:
        return f"grad {value_text(gradient.values)} {norm_text(gradient)}"
    return f"grad {norm_text(gradient)}"


def _box(
    key: str,
    kind: BoxKind,
    nodes: tuple[int, ...],
    words: Sequence[Word],
    below: Sequence[Word] = (),
) -> Box:
    lines = [tuple((role, _cut(printable(word))) for role, word in line) for line in (words, below)]
    labels = [" ".join(word for _, word in line) for line in lines]
    whole = " ".join(printable(word) for _, word in (*words, *below))
    width = max(text_width(label) for label in labels) * FONT_SIZE + 2 * PADDING
    return Box(
        key=key,
        kind=kind,
        nodes=nodes,
        words=lines[0],
        below=lines[1],
        tooltip=whole if whole != " ".join(filter(None, labels)) else "",
        width=round(width, 1),
        height=HEIGHT_OF_TWO if below else HEIGHT,
    )


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
