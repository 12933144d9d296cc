"""Tensors → Graph: a walk over autograd's own nodes that runs, changes and unpacks nothing."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import torch
from torch.autograd.graph import Node as GradFn
from torch.autograd.graph import get_gradient_edge

from sphinx_autogradgraph.graph import Edge, Graph, Node, Output, TensorMeta
from sphinx_autogradgraph.tracing.internals import (
    is_accumulate_grad,
    output_metadata,
    sequence_number,
)
from sphinx_autogradgraph.tracing.names import Names


def trace_tensors(outputs: Sequence[tuple[str | None, torch.Tensor]], names: Names) -> Graph:
    """The Graph of tensors that require grad, given with the names they are asked for by.

    Every node that autograd can reach from them is in it, and an edge for every entry of
    ``next_functions`` that is not None.  Raises :exc:`ValueError` for a tensor that does not
    require grad.
    """
    roots: list[tuple[GradFn, int]] = []
    for name, tensor in outputs:
        if not tensor.requires_grad:
            raise ValueError(f"{name or 'a tensor'} does not require grad")
        edge = get_gradient_edge(tensor)
        roots.append((edge.node, edge.output_nr))
    walk = _Walk([node for node, _ in roots])
    ids = walk.ids()
    nodes: list[Node] = []
    for fn, id in sorted(ids.items(), key=lambda item: item[1]):
        nodes.append(_leaf(id, fn, names) if is_accumulate_grad(fn) else _function(id, fn, names))
    edges = [
        Edge(ids[used], ids[fn], output, index)
        for fn, uses in walk.uses.items()
        for index, used, output in uses
    ]
    edges.sort(key=lambda edge: (edge.to, edge.input))
    _widen(nodes, edges, [(ids[fn], index) for fn, index in roots])
    return Graph(
        outputs=tuple(
            Output(name, ids[fn], index)
            for (name, _), (fn, index) in zip(outputs, roots, strict=True)
        ),
        nodes=tuple(nodes),
        edges=tuple(edges),
    )


class _Walk:
    """The nodes that can be reached from some roots, and what each of them used.

    ``uses`` maps a node to the entries of its ``next_functions`` that are not None, each as
    (input number, node, output number).  It is in order of discovery, depth first, and holds
    every node: torch makes the Python object of a node anew when nobody holds it, and another
    may then get the same id.
    """

    def __init__(self, roots: Sequence[GradFn]) -> None:
        self.uses: dict[GradFn, list[tuple[int, GradFn, int]]] = {}
        stack = list(reversed(roots))
        while stack:
            fn = stack.pop()
            if fn in self.uses:
                continue
            uses = [
                (index, used, output)
                for index, (used, output) in enumerate(fn.next_functions)
                if used is not None
            ]
            self.uses[fn] = uses
            stack += [used for _, used, _ in reversed(uses) if used not in self.uses]

    def ids(self) -> dict[GradFn, int]:
        """Number the nodes in forward order: leaves by first use, then functions as made."""
        functions = self._functions_in_order()
        leaves: dict[GradFn, None] = {}
        for fn in functions:
            for _, used, _ in self.uses[fn]:
                if is_accumulate_grad(used):
                    leaves.setdefault(used)
        for fn in self.uses:  # an output that is itself a leaf
            if is_accumulate_grad(fn):
                leaves.setdefault(fn)
        return {fn: id for id, fn in enumerate([*leaves, *functions])}

    def _functions_in_order(self) -> list[GradFn]:
        """The function nodes, each after all that it used, else by sequence number.

        The sequence numbers alone will not do: they are counted per thread, and some nodes have
        none of their own.  Among equals the order of discovery decides, which the program fixes.
        """
        rank = {
            fn: (sequence_number(fn), found)
            for found, fn in enumerate(self.uses)
            if not is_accumulate_grad(fn)
        }
        waiting: dict[GradFn, int] = {}
        users: dict[GradFn, list[GradFn]] = {}
        for fn in rank:
            used = [node for _, node, _ in self.uses[fn] if node in rank]
            waiting[fn] = len(used)
            for node in used:
                users.setdefault(node, []).append(fn)
        by_rank = {key: fn for fn, key in rank.items()}
        ready = [rank[fn] for fn, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        ordered = []
        while ready:
            fn = by_rank[heapq.heappop(ready)]
            ordered.append(fn)
            for user in users.get(fn, ()):
                waiting[user] -= 1
                if waiting[user] == 0:
                    heapq.heappush(ready, rank[user])
        return ordered


def _leaf(id: int, fn: GradFn, names: Names) -> Node:
    tensor: torch.Tensor = fn.variable  # type: ignore[attr-defined]
    meta = TensorMeta(_shape(tensor), _dtype(tensor), _device(tensor))
    return Node(id, "leaf", "AccumulateGrad", names.of_leaf(tensor), (meta,))


def _function(id: int, fn: GradFn, names: Names) -> Node:
    found = output_metadata(fn)
    several = len(found) > 1
    named = [names.of_output(fn, output) for output in range(max(1, len(found)))]
    outputs = tuple(
        TensorMeta(_shape(meta), _dtype(meta), _device(meta), named[index] if several else None)
        for index, meta in enumerate(found)
    )
    name = next((name for name in named if name is not None), None)
    return Node(id, "function", op_name(fn), name, outputs)


def op_name(fn: GradFn) -> str:
    """The name of a node's operation as torch prints it: ``MmBackward0``.

    By the type, because an attribute ``name`` of a custom Function's ``ctx`` hides the method;
    for nodes that torch knows in C++ only, by the method, without the namespace.
    """
    name = type(fn).__name__
    if name == "CppFunction":
        name = fn.name()
    return name.rpartition("::")[2]


def _widen(nodes: list[Node], edges: Sequence[Edge], roots: Sequence[tuple[int, int]]) -> None:
    """Give nodes of unknown metadata as many unknown outputs as are used of them."""
    needed: dict[int, int] = {}
    for id, output in [*((edge.from_, edge.output) for edge in edges), *roots]:
        if output >= len(nodes[id].outputs):
            needed[id] = max(needed.get(id, 0), output + 1)
    for id, count in needed.items():
        node = nodes[id]
        unknown = TensorMeta(None, None, None)
        outputs = node.outputs + (unknown,) * (count - len(node.outputs))
        nodes[id] = Node(node.id, node.kind, node.op, node.name, outputs)


def _shape(tensor: object) -> tuple[int, ...] | None:
    try:
        return tuple(int(size) for size in tensor.shape)  # type: ignore[attr-defined]
    except Exception:  # nested tensors: no single shape, and torch says so in many ways
        return None


def _dtype(tensor: object) -> str | None:
    try:
        return str(tensor.dtype).removeprefix("torch.")  # type: ignore[attr-defined]
    except Exception:
        return None


def _device(tensor: object) -> str | None:
    try:
        return str(tensor.device)  # type: ignore[attr-defined]
    except Exception:
        return None
