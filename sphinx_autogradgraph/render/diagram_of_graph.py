"""From a Graph to its diagram: boxes with words and sizes, and arrows between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.core.show import Show
from sphinx_autogradgraph.graph.model import Graph, Node, Saved, TensorMeta
from sphinx_autogradgraph.graph.order import main_chain
from sphinx_autogradgraph.render.clusters import clusters_of
from sphinx_autogradgraph.render.diagram import (
    PLUS,
    Arrow,
    Box,
    BoxKind,
    Diagram,
    Direction,
    box_of,
)
from sphinx_autogradgraph.render.gradient_scale import GradientScale
from sphinx_autogradgraph.render.labels import Labels, Lines, Word
from sphinx_autogradgraph.render.legend import legend_of
from sphinx_autogradgraph.views.module_folds import members

BAR_ROOM = 5.0
"""Height that a bar needs, so that it does not look like an underline of the words above it."""


def diagram_of(
    graph: Graph,
    show: Sequence[Show] = ("shape",),
    direction: Direction = "TB",
    translate: Translate = untranslated,
    lines: Lines = 1,
) -> Diagram:
    """Make the diagram of a Graph: a box for each node and output, an arrow for each edge.

    A leaf or input that is used in places far apart has a box at each: long arrows from one box
    across the whole drawing would hide what it shows, and take the layout engine minutes.  With
    ``saved``, what a function saved is said on the box of the leaf or input that it is, else it has
    a box beside the function.  With two ``lines``, an operation stands above the name and the shape
    of what it made.
    """
    labels = Labels(tuple(show), translate, lines)
    uses = _uses_apart(graph)
    saved = _saved_by_boxes(graph, uses) if "saved" in show else {}
    order = graph.backward_order if "order" in show else {}
    scale = GradientScale.of(graph) if "gradients" in show else None
    # What the box of an output says is not said twice, right beside it.
    outputs = {(output.node, output.name) for output in graph.outputs}
    boxes = []
    for node in graph.nodes:
        kind: BoxKind = "cut" if node.fold and node.fold.kind == "cut" else node.kind
        twice = kind != "leaf" and (node.id, node.name) in outputs
        words, below = labels.of_node(graph, node, twice=twice)
        gradient = node.gradient if "gradients" in show else None
        place = order.get(node.id) if gradient is None else gradient.order
        if place is not None:
            words.insert(0, ("order", f"{place}."))
        if node.id in uses:
            words.append(("meta", SAME))
        if "saved" in show:
            words += labels.of_arguments(node)
        if "memory" in show:
            words += labels.of_memory(node)
        words += labels.of_reason(node) + labels.of_hooks(node)
        measured = [] if gradient is None else labels.of_gradient(graph, node, gradient, scale)
        more = [*labels.of_flags(node), *labels.of_formulas(graph, node)]
        for key in uses.get(node.id, {None: f"n{node.id}"}).values():
            roles = labels.saved_as(saved.get(key, ()))
            said = labels.broken([*words, *roles], below, measured, *more)
            box = box_of(key, kind, members(node), *said)
            tooltip = _tooltip(node, labels)
            if tooltip or node.id in uses:
                box = box.replace(tooltip=tooltip or box.tooltip, shared=node.id in uses)
            if scale is not None and (level := scale.level(node)) is not None:
                box = box.replace(level=level, height=box.height + BAR_ROOM)
            boxes.append(box)
    arrows = [*_arrows(graph, labels, uses), *_cuts(graph)]
    if "saved" in show:
        _add_saved(graph, labels, boxes, arrows, beside="modules" not in show)
    clusters = clusters_of(graph, boxes, arrows) if "modules" in show else ()
    _add_outputs(graph, labels, boxes, arrows)
    legend = legend_of(boxes, translate) if "legend" in show else ()
    chain = tuple(_chain(graph, uses))
    return Diagram(tuple(boxes), tuple(arrows), tuple(clusters), legend, direction, chain, lines)


def _cuts(graph: Graph) -> Iterator[Arrow]:
    """Yield a dotted line from each node to the inputs that were cut from it."""
    for node in graph.nodes:
        if node.reason is not None and node.reason.of is not None:
            yield Arrow(f"c{node.id}", f"n{node.reason.of}", f"n{node.id}", "cut")


def _tooltip(node: Node, labels: Labels) -> str:
    """Return the names of a node's hooks, and the code of a custom Function's ``backward``."""
    parts = []
    if len(node.hooks) > 1:
        parts.append(labels.translate("hooks: {names}").format(names=", ".join(node.hooks)))
    if node.backward is not None and "formulas" in labels.show:
        parts.append(node.backward)
    return "\n".join(parts)


def _arrows(
    graph: Graph, labels: Labels, uses: Mapping[int, Mapping[int | None, str]]
) -> Iterator[Arrow]:
    """Make an arrow for each edge; of several between two boxes the first has the words of all."""
    carried: dict[tuple[str, str], list[Word]] = {}
    ends = []
    for edge in graph.edges:
        keys = uses.get(edge.from_)
        tail = keys[edge.to] if keys else f"n{edge.from_}"
        ends.append((tail, f"n{edge.to}"))
        for word in labels.of_edge(graph, edge):
            carried.setdefault(ends[-1], []).extend((PLUS, word))
    for index, (tail, head) in enumerate(ends):
        words = carried.pop((tail, head), [])[1:]
        yield Arrow(f"e{index}", tail, head, words=tuple(words))


def _chain(graph: Graph, uses: Mapping[int, Mapping[int | None, str]]) -> Iterator[str]:
    """Return the boxes of the main chain, from that of the output on."""
    if graph.outputs:
        yield "o0"
    user: int | None = None
    for id in main_chain(graph):
        yield uses.get(id, {}).get(user, f"n{id}")
        user = id


def _add_outputs(graph: Graph, labels: Labels, boxes: list[Box], arrows: list[Arrow]) -> None:
    """Add a box for each output, and for the tensor that it is a view of, if that is no leaf."""
    for index, output in enumerate(graph.outputs):
        words = [labels.name(output.name), *labels.of_tensors([graph.tensor(output)])]
        shown = members(graph.nodes[output.node])
        boxes.append(box_of(f"o{index}", "output", shown, *labels.broken(words)))
        seed = labels.of_seed(graph, index)
        arrows.append(Arrow(f"r{index}", f"n{output.node}", f"o{index}", words=seed))
        base = output.base
        if base is None:
            continue
        tail = f"n{base.node}"
        if graph.nodes[base.node].kind in ("function", "module"):
            words = [("meta", labels.translate("base")), labels.name(base.name)]
            words += labels.of_tensors([graph.tensor(base)])
            tail = f"b{index}"
            shown = members(graph.nodes[base.node])
            boxes.append(box_of(tail, "base", shown, *labels.broken(words)))
            arrows.append(Arrow(f"p{index}", f"n{base.node}", tail))
        arrows.append(Arrow(f"v{index}", tail, f"o{index}", "base"))


def _saved_by_boxes(
    graph: Graph, uses: Mapping[int, Mapping[int | None, str]]
) -> dict[str, list[str]]:
    """Return, for boxes of leaves and inputs, the names under which functions there save them."""
    roles: dict[str, list[str]] = {}
    for node in graph.nodes:
        for saved in node.saved or ():
            if saved.node is not None and graph.nodes[saved.node].kind in ("leaf", "input"):
                key = uses.get(saved.node, {}).get(node.id, f"n{saved.node}")
                if saved.role not in roles.setdefault(key, []):
                    roles[key].append(saved.role)
    return roles


def _add_saved(
    graph: Graph, labels: Labels, boxes: list[Box], arrows: list[Arrow], *, beside: bool
) -> None:
    """Add boxes for saved tensors, ``beside`` the functions that saved them, and dotted lines."""
    used = {(edge.from_, edge.to) for edge in graph.edges}
    count = Counter(
        saved.node
        for node in graph.nodes
        for saved in {item.node: item for item in node.saved or ()}.values()
    )
    for node in graph.nodes:
        kept: dict[object, list[Saved]] = {}
        for place, saved in enumerate(node.saved or ()):
            if saved.value is not None or saved.freed:
                continue
            source = None if saved.node is None else graph.nodes[saved.node]
            if source is None or source.kind in ("function", "module"):
                key = saved.name or place if source is None else (source.id, saved.shape)
                kept.setdefault(key, []).append(saved)
            elif (source.id, node.id) not in used:
                arrows.append(Arrow(f"s{node.id}_{place}", f"n{source.id}", f"n{node.id}", "saved"))
        for place, several in enumerate(kept.values()):
            box = _saved_box(graph, node, several, labels, f"s{node.id}_{place}")
            same = several[0].node is not None and count[several[0].node] > 1
            boxes.append(box.replace(shared=same))
            ends = box.key, f"n{node.id}"
            arrows.append(Arrow(f"t{node.id}_{place}", *ends, "saved", beside=beside))


def _saved_box(graph: Graph, node: Node, several: Sequence[Saved], labels: Labels, key: str) -> Box:
    """Make the box of a tensor that a function saved, under one or several names."""
    saved = several[0]
    words: list[Word] = [("saved", ", ".join(item.role for item in several))]
    name = saved.name
    if saved.node is not None and len(graph.nodes[saved.node].outputs) == 1:
        name = graph.nodes[saved.node].name
    if name is not None:
        words.append(("name", name))
    words += labels.of_tensors([TensorMeta(saved.shape, saved.dtype, None)])
    shown = node if saved.node is None else graph.nodes[saved.node]
    box = box_of(key, "saved", members(shown), *labels.broken(words))
    if name is None and saved.node is not None:
        said = labels.translate("{name}: what {operation} made")
        return box.replace(tooltip=said.format(name=saved.role, operation=shown.op))
    return box


FAR = 3
"""Largest distance in ranks between the uses of a leaf with one box; else each use has its own."""

SAME = "≡"
"""Sign of a tensor that is drawn in several places."""


def _uses_apart(graph: Graph) -> dict[int, dict[int | None, str]]:
    """Return the boxes of each leaf and input that is drawn at each use: keys by their users."""
    users: dict[int, dict[int | None, str]] = {}
    for edge in graph.edges:
        if graph.nodes[edge.from_].kind in ("leaf", "input"):
            keys = users.setdefault(edge.from_, {})
            place = f"_{len(keys)}" if keys else ""
            keys.setdefault(edge.to, f"n{edge.from_}{place}")
    shared = {id: keys for id, keys in users.items() if len(keys) > 1}
    if not shared:
        return {}
    rank = _ranks(graph)
    return {
        id: keys
        for id, keys in shared.items()
        if max(ranks := [rank[to] for to in keys if to is not None]) - min(ranks) > FAR
    }


def _ranks(graph: Graph) -> dict[int, int]:
    """Return the ranks of nodes with edges, placed as close as possible to the nodes that use them.

    So a transposed weight counts where it is used, and not at the top where it could be made.
    """
    early = [1] * len(graph.nodes)
    for edge in graph.edges:  # sorted by the nodes that they go to
        early[edge.to] = max(early[edge.to], early[edge.from_] + 1)
    late: dict[int, int] = {}
    for edge in reversed(graph.edges):
        before = late.setdefault(edge.to, early[edge.to]) - 1
        late[edge.from_] = min(late.get(edge.from_, before), before)
    return late
