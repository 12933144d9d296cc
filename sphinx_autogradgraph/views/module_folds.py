"""Folds: views of a Graph in which one node stands for many.

All folds contract *runs*: nodes that follow each other in forward order.  Whatever uses a node of
a run comes after it, so contracting runs never makes a cycle, and every path between nodes that
are kept stays one.  Folds are pure functions, and a view can be folded again.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sphinx_autogradgraph.graph.model import (
    Edge,
    Fold,
    FoldKind,
    Graph,
    ModuleCall,
    Node,
    Output,
    TensorMeta,
)


@dataclass(frozen=True)
class Run:
    """Nodes from ``first`` to ``last`` that are to become one node, with its words.

    ``takes`` tells of a leaf that only this run and others like it use, by its name, whether it
    is folded with them.
    """

    first: int
    last: int
    kind: FoldKind
    op: str
    name: str | None = None
    times: int = 1
    takes: Callable[[str | None], bool] = lambda _: True


def members(node: Node) -> tuple[int, ...]:
    """Return the ids, in the whole graph, of all nodes that a node of a view shows."""
    return node.members or (node.id,)


def operations(node: Node) -> int:
    """Return the number of function nodes that a node stands for."""
    return node.fold.operations if node.fold else int(node.kind == "function")


def contract(graph: Graph, runs: Sequence[Run]) -> Graph:
    """Return the view in which each of the runs, in order and without overlap, is one node.

    A leaf or input that nothing but runs use is folded with them if they take it; outputs never.
    """
    if not runs:
        return graph
    run_of = {id: run for run in runs for id in range(run.first, run.last + 1)}
    taken = _taken(graph, run_of)
    ids: dict[int, int] = {}
    groups: list[list[Node]] = []  # what each node of the view shows
    for node in graph.nodes:
        run = run_of.get(node.id)
        if run is not None and node.id != run.first:
            ids[node.id] = len(groups) - 1
            groups[-1].append(node)
        elif node.id not in taken:
            ids[node.id] = len(groups)
            groups.append([node])
    by_run: dict[int, list[Node]] = {}
    for id, homes in taken.items():
        for home in homes:
            by_run.setdefault(ids[home.first], []).append(graph.nodes[id])
    runs_at = {ids[run.first]: run for run in runs}
    crossing = _crossing(graph, ids, runs_at)
    nodes = [
        _folded(graph, runs_at[id], id, by_run.get(id, ()), group, list(crossing.get(id, ())))
        if id in runs_at
        else renumbered(group[0], ids)
        for id, group in enumerate(groups)
    ]
    return Graph(
        outputs=tuple(_moved(output, ids, crossing) for output in graph.outputs),
        nodes=tuple(nodes),
        edges=tuple(_edges(graph, ids, runs_at, crossing)),
        modules=tuple(_calls(graph, ids, run_of)),
    )


Tensor = tuple[int, int]
"""A tensor: the node that produced it, and the number of that node's output."""


def _taken(graph: Graph, run_of: Mapping[int, Run]) -> dict[int, list[Run]]:
    """Return the leaves and inputs that are folded, each with the runs that use it."""
    users: dict[int, dict[int, Run | None]] = {}
    for edge in graph.edges:
        if graph.nodes[edge.from_].kind in ("leaf", "input"):
            run = run_of.get(edge.to)
            users.setdefault(edge.from_, {})[-1 if run is None else run.first] = run
    wanted = {output.node for output in _ends(graph)}
    taken = {}
    for id, by_first in users.items():
        runs = [run for run in by_first.values() if run is not None]
        name = graph.nodes[id].name
        alike = len(runs) == 1 or all(run.name == runs[0].name and run.name for run in runs)
        if len(runs) == len(by_first) and id not in wanted and alike and runs[0].takes(name):
            taken[id] = runs
    return taken


def _ends(graph: Graph) -> Iterator[Output]:
    for output in graph.outputs:
        yield output
        if output.base is not None:
            yield output.base


def _crossing(
    graph: Graph, ids: Mapping[int, int], runs_at: Mapping[int, Run]
) -> dict[int, dict[Tensor, int]]:
    """Return for each run the tensors that are used outside of it, numbered in forward order."""
    found: dict[int, set[Tensor]] = {id: set() for id in runs_at}
    for edge in graph.edges:
        id = ids.get(edge.from_)
        if id in found and id != ids[edge.to]:
            found[id].add((edge.from_, edge.output))
    for output in _ends(graph):
        if ids[output.node] in found:
            found[ids[output.node]].add((output.node, output.index))
    return {
        id: {tensor: number for number, tensor in enumerate(sorted(tensors))}
        for id, tensors in found.items()
    }


def _moved(
    output: Output, ids: Mapping[int, int], crossing: Mapping[int, Mapping[Tensor, int]]
) -> Output:
    id = ids[output.node]
    index = crossing.get(id, {}).get((output.node, output.index), output.index)
    base = None if output.base is None else _moved(output.base, ids, crossing)
    return Output(output.name, id, index, base)


def _edges(
    graph: Graph,
    ids: Mapping[int, int],
    runs_at: Mapping[int, Run],
    crossing: Mapping[int, Mapping[Tensor, int]],
) -> Iterator[Edge]:
    """Yield the edges between the nodes of the view; into a run, one for each tensor."""
    into: dict[int, set[Tensor]] = {}
    uses = Counter((edge.from_, edge.output, ids[edge.to]) for edge in graph.edges)
    for edge in graph.edges:
        from_, to = ids.get(edge.from_), ids[edge.to]
        if from_ is None or from_ == to:
            continue
        output = crossing.get(from_, {}).get((edge.from_, edge.output), edge.output)
        if to not in runs_at:
            yield Edge(from_, to, output, edge.input, edge.gradient)
            continue
        known = into.setdefault(to, set())
        if (from_, output) not in known:
            # Of a tensor that a run uses twice the norm of the sum is not known.
            alone = uses[edge.from_, edge.output, to] == 1
            yield Edge(from_, to, output, len(known), edge.gradient if alone else None)
            known.add((from_, output))


def _calls(graph: Graph, ids: Mapping[int, int], run_of: Mapping[int, Run]) -> Iterator[ModuleCall]:
    """Yield the calls of modules to frame: not folded whole, and no run crosses their ends."""
    for call in graph.modules:
        first, last = run_of.get(call.first), run_of.get(call.last)
        starts = first is None or first.first == call.first
        ends = last is None or last.last == call.last
        folded = first is not None and first is last
        if starts and ends and not folded:
            yield call.replace(first=ids[call.first], last=ids[call.last])


def renumbered(node: Node, ids: Mapping[int, int]) -> Node:
    """Return a node that a view keeps, with the new ``ids`` of the view."""
    saved = node.saved
    if saved is not None:
        saved = tuple(
            item if item.node is None else item.replace(node=ids.get(item.node)) for item in saved
        )
    reason = node.reason
    if reason is not None and reason.of is not None:
        reason = reason.replace(of=ids.get(reason.of))
    return node.replace(id=ids[node.id], members=members(node), saved=saved, reason=reason)


def _folded(
    graph: Graph,
    run: Run,
    id: int,
    leaves: Sequence[Node],
    group: Sequence[Node],
    handed_on: Sequence[Tensor],
) -> Node:
    """Make the node that stands for a run: for the nodes ``group`` and the run's own ``leaves``."""
    sources = list(dict.fromkeys(node.source for node in group if node.source is not None))
    # Of steps of several lines the first says which they are.
    told = len(sources) == 1 or (sources and run.kind == "repeats")
    gradients = [graph.nodes[from_].gradient for from_, _ in handed_on]
    own = {member for node in (*leaves, *group) for member in members(node)}
    return Node(
        id=id,
        kind="module",
        op=run.op,
        name=run.name,
        outputs=tuple(_meta(graph.nodes[from_], output) for from_, output in handed_on),
        source=sources[0] if told else None,
        module=run.name if run.kind == "modules" else None,
        gradient=gradients[0] if len(gradients) == 1 else None,
        fold=Fold(
            kind=run.kind,
            operations=sum(map(operations, group)),
            parameters=_parameters(leaves, group),
            times=run.times,
            digest=_digest(graph, group),
        ),
        members=tuple(sorted(own)),
        saved_bytes=sum(node.saved_bytes or 0 for node in group) or None,
    )


def _meta(node: Node, output: int) -> TensorMeta:
    meta = node.outputs[output]
    name = node.name if len(node.outputs) == 1 and node.fold is None else meta.name
    return meta.replace(name=name)


def _parameters(leaves: Sequence[Node], group: Sequence[Node]) -> int:
    """Count the elements of the leaves in a run; a module that is called again counts once."""
    own = sum(
        math.prod(leaf.outputs[0].shape or ())
        for leaf in leaves
        if leaf.kind == "leaf" and leaf.outputs[0].shape is not None
    )
    inner: dict[object, int] = {}
    for node in group:
        if node.fold is not None:
            key = node.name if node.name is not None else node.id
            inner[key] = max(inner.get(key, 0), node.fold.parameters)
    return own + sum(inner.values())


def _digest(graph: Graph, group: Sequence[Node]) -> int:
    """Return a digest that is equal for groups of the same structure."""
    first = group[0].id
    lines = []
    for node in group:
        used = [
            max(edge.from_ - first, -1)  # what comes from elsewhere may be anything
            for edge in graph.inputs_of.get(node.id, ())
        ]
        fold = node.fold and node.fold.replace(parameters=0)
        lines.append(
            f"{node.op} {[(meta.shape, meta.dtype) for meta in node.outputs]} {used} {fold}"
        )
    return zlib.crc32("\n".join(lines).encode())


# --- modules ---


def fold_modules(graph: Graph, depth: int) -> Graph:
    """Draw each call of a module at that depth, from 1, as one node, with its parameters.

    Those above that call no others stay one, too: opened they would lose their name.
    """
    calls = list(levels(graph))
    ends = [level >= after for (_, level), (_, after) in pairwise([*calls, (None, 0)])]
    return contract(
        graph,
        [
            Run(call.first, call.last, "modules", call.type, call.path, takes=_is_of(call.path))
            for (call, level), is_end in zip(calls, ends, strict=True)
            if level == depth or (is_end and level < depth)
        ],
    )


def levels(graph: Graph) -> Iterator[tuple[ModuleCall, int]]:
    """Yield the calls of modules, each with its depth: 1 for the outermost."""
    inside: list[ModuleCall] = []
    for call in graph.modules:
        while inside and inside[-1].last < call.first:
            inside.pop()
        inside.append(call)
        yield call, len(inside)


def _is_of(path: str) -> Callable[[str | None], bool]:
    """Whether a leaf of that name is a parameter of the module: by its path, or without a name."""
    return lambda name: name is None or name.startswith(f"{path}.")


# --- parts ---


def fold_parts(graph: Graph, most: int) -> Graph:
    """Draw a graph without any structure of its own as at most ``most`` parts of equal size."""
    functions = [node.id for node in graph.nodes if node.kind in ("function", "module")]
    size = -(-len(functions) // most)
    if size < 2:
        return graph
    runs = [
        Run(functions[start], functions[min(start + size, len(functions)) - 1], "parts", "")
        for start in range(0, len(functions), size)
    ]
    return contract(graph, [run for run in runs if run.last > run.first])
