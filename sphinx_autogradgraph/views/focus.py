"""Focus: a view of a part of a Graph, with stubs where the rest is cut off."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph.model import Edge, Fold, Graph, Node, Output, TensorMeta
from sphinx_autogradgraph.views.module_folds import members, operations, renumbered

REACH = 2
"""Radius of a neighbourhood, in edges."""


def around(graph: Graph, name: str) -> Graph:
    """Return the neighbourhood of a tensor or a module: all within :data:`REACH` edges of it.

    All nodes of a module count, and leaves of what is shown are shown.  Raises
    :exc:`.DiagnosticError` (``option``) when nothing has that name.
    """
    return neighbourhood(graph, set(find(graph, name, "around")))


def neighbourhood(graph: Graph, asked: set[int]) -> Graph:
    """Return the view of all nodes within :data:`REACH` edges of the nodes with these ids."""
    users: dict[int, list[int]] = {}
    for edge in graph.edges:
        users.setdefault(edge.from_, []).append(edge.to)
    kept = border = asked
    for _ in range(REACH):
        used = {edge.from_ for id in border for edge in graph.inputs_of.get(id, ())}
        # Not through leaves: what else uses a weight is no neighbour.
        through = [id for id in border if _is_function(graph, id) or id in asked]
        using = {to for id in through for to in users.get(id, ())}
        border = (used | using) - kept
        kept = kept | border
    return _cut(graph, kept | _leaves_of(graph, kept))


def until(graph: Graph, name: str) -> Graph:
    """Return the graph from the outputs back to a tensor, without that tensor's own history.

    For a module: back to what it made.  Raises
    :exc:`.DiagnosticError` (``option``) when nothing has that name.
    """
    ends = set(find(graph, name, "until"))
    # Of a module the nodes that others use: it is there that one stops.
    inside = {edge.from_ for edge in graph.edges if edge.to in ends}
    outside = {edge.from_ for edge in graph.edges if edge.to not in ends}
    stops = {id for id in ends if id in outside or id not in inside}
    kept: set[int] = set()
    stack = [output.node for output in graph.outputs]
    while stack:
        id = stack.pop()
        if id in kept:
            continue
        kept.add(id)
        if id not in stops:
            stack += [edge.from_ for edge in graph.inputs_of.get(id, ())]
    return _cut(graph, kept, beyond=_made_from(graph, stops) - kept)


def _made_from(graph: Graph, ends: Collection[int]) -> set[int]:
    """Return the ids of all nodes from which the given ones were computed."""
    found: set[int] = set()
    stack = list(ends)
    while stack:
        for edge in graph.inputs_of.get(stack.pop(), ()):
            if edge.from_ not in found:
                found.add(edge.from_)
                stack.append(edge.from_)
    return found


def find(graph: Graph, name: str, option: str) -> list[int]:
    """Find the nodes of the tensor or the module of that name.

    ``layers[0]`` and ``layers.0`` are the same.  Raises
    :exc:`.DiagnosticError` (``option``), with names that are close, when
    nothing has it; ``option`` is what asks.
    """
    wanted = _plain(name)
    for names in (_tensors(graph), _modules(graph)):
        if wanted in names:
            return sorted(set(names[wanted]))
    known = [*_tensors(graph), *_modules(graph)]
    close = get_close_matches(wanted, known, 3) or known[:5]
    raise DiagnosticError(
        Diagnostic(
            "option",
            ":{option}: no tensor or module of this graph is called {name}; there are {names}",
            {
                "option": option,
                "name": repr(name),
                "names": ", ".join(close) or Message("no names"),
            },
        )
    )


def _plain(name: str) -> str:
    return re.sub(r"\[['\"]?(\w+)['\"]?\]", r".\1", name.strip())


def _tensors(graph: Graph) -> dict[str, list[int]]:
    names: dict[str, list[int]] = {}
    for output in graph.outputs:
        if output.name is not None:
            names.setdefault(_plain(output.name), [output.node])
    for node in graph.nodes:
        for name in (node.name, *(meta.name for meta in node.outputs)):
            if name is not None and node.kind != "module":
                names.setdefault(_plain(name), [node.id])
    return names


def _modules(graph: Graph) -> dict[str, list[int]]:
    names: dict[str, list[int]] = {}
    for call in graph.modules:
        names.setdefault(_plain(call.path), []).extend(range(call.first, call.last + 1))
    return names


def _leaves_of(graph: Graph, kept: Collection[int]) -> set[int]:
    return {
        edge.from_
        for id in kept
        for edge in graph.inputs_of.get(id, ())
        if graph.nodes[edge.from_].kind in ("leaf", "input")
    }


def _cut(graph: Graph, kept: Collection[int], beyond: Collection[int] = ()) -> Graph:
    """Return the kept nodes, with a stub for each tensor that enters or leaves them.

    Stubs have no other side: what lies behind one is not shown, not even that it may come back.
    All that came from the nodes ``beyond`` has one stub.
    """
    if len(kept) == len(graph.nodes):
        return graph
    coming: dict[tuple[int, int], None] = {}
    going: dict[int, list[int]] = {}
    for edge in graph.edges:
        if edge.to in kept and edge.from_ not in kept:
            coming.setdefault(_stub_key(edge, beyond))
        elif edge.from_ in kept and edge.to not in kept and _is_function(graph, edge.from_):
            going.setdefault(edge.from_, []).append(edge.to)
    starts = [node for node in graph.nodes if node.id in kept and not _is_function(graph, node.id)]
    rest = [node for node in graph.nodes if node.id in kept and _is_function(graph, node.id)]
    stubs = {key: len(starts) + place for place, key in enumerate(coming)}
    ids = {node.id: place for place, node in enumerate(starts)}
    after = len(starts) + len(stubs)
    ids.update({node.id: after + place for place, node in enumerate(rest)})
    nodes = [renumbered(node, ids) for node in starts]
    for (from_, output), id in stubs.items():
        if from_ == BEYOND:
            nodes.append(_stub(id, [graph.nodes[other] for other in sorted(beyond)], UNKNOWN))
        else:
            meta = graph.nodes[from_].outputs[output]
            nodes.append(_stub(id, [graph.nodes[from_]], meta.replace(name=None)))
    nodes += [renumbered(node, ids) for node in rest]
    edges = [
        Edge(ids[edge.from_], ids[edge.to], edge.output, edge.input, edge.gradient)
        if edge.from_ in kept
        else Edge(stubs[_stub_key(edge, beyond)], ids[edge.to], 0, edge.input)
        for edge in graph.edges
        if edge.to in kept
    ]
    for from_, users in going.items():
        id = len(nodes)
        nodes.append(_stub(id, [graph.nodes[user] for user in sorted(set(users))]))
        edges.append(Edge(ids[from_], id, 0, 0))
    return Graph(
        outputs=tuple(_outputs(graph.outputs, ids)),
        nodes=tuple(nodes),
        edges=tuple(edges),
        modules=tuple(
            call.replace(first=min(inside), last=max(inside))
            for call in graph.modules
            if (inside := [ids[id] for id in range(call.first, call.last + 1) if id in ids])
        ),
    )


BEYOND = -1
"""In place of the node of a tensor, for all that have one stub."""

UNKNOWN = TensorMeta(None, None, None)


def _stub_key(edge: Edge, beyond: Collection[int]) -> tuple[int, int]:
    return (BEYOND, 0) if edge.from_ in beyond else (edge.from_, edge.output)


def _is_function(graph: Graph, id: int) -> bool:
    return graph.nodes[id].kind in ("function", "module")


def _outputs(outputs: Iterable[Output], ids: Mapping[int, int]) -> Iterable[Output]:
    for output in outputs:
        if output.node in ids:
            base = output.base
            if base is not None:
                base = next(iter(_outputs([base], ids)), None)
            yield Output(output.name, ids[output.node], output.index, base)


def _stub(id: int, nodes: Sequence[Node], meta: TensorMeta | None = None) -> Node:
    """Make a stub for nodes that are cut off.  One for several tensors counts their operations."""
    beyond = sorted({member for node in nodes for member in members(node)})
    count = sum(map(operations, nodes)) if meta is UNKNOWN else 0
    metas = () if meta is None else (meta,)
    return Node(id, "module", "", None, metas, fold=Fold("cut", count), members=tuple(beyond))
