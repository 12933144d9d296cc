"""Tensors → Graph: a walk over autograd's own nodes that runs, changes and unpacks nothing."""

from __future__ import annotations

import gc
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch.autograd.graph import Node as GradFn
from torch.autograd.graph import get_gradient_edge

from sphinx_autogradgraph.graph import Edge, Graph, Node, Output, TensorMeta
from sphinx_autogradgraph.tracing.gradients import measure
from sphinx_autogradgraph.tracing.inputs import Input, inputs_of
from sphinx_autogradgraph.tracing.internals import (
    is_accumulate_grad,
    output_metadata,
    sequence_number,
)
from sphinx_autogradgraph.tracing.metadata import describe
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.provenance import Origin, Recorder


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: it would look at the many new objects again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_uncollected()
def trace_tensors(
    outputs: Sequence[tuple[str | None, torch.Tensor]],
    names: Names,
    recorder: Recorder | None = None,
    *,
    namespace: Mapping[str, object] | None = None,
    inputs: bool = False,
    gradients: bool = False,
) -> tuple[Graph, str | None]:
    """The Graph of tensors that require grad, given with the names they are asked for by.

    Every node that autograd can reach from them is in it, and an edge for every entry of
    ``next_functions`` that is not None.  A ``recorder`` that was entered while the tensors were
    computed tells where nodes came from, with modules named as in ``namespace``, and with
    ``inputs`` also which tensors that do not require grad went into them.  With ``gradients`` one
    backward is run, and what arrived at each node is in the Graph.  With the Graph comes a note, in
    words, on what was asked for and could not be done.  Raises :exc:`ValueError` for a tensor that
    does not require grad.
    """
    roots: list[tuple[GradFn, int]] = []
    for name, tensor in outputs:
        if not tensor.requires_grad:
            raise ValueError(f"{name or 'a tensor'} does not require grad")
        edge = get_gradient_edge(tensor)
        roots.append((edge.node, edge.output_nr))
    walk = _Walk([node for node, _ in roots])
    functions = walk.functions()
    leaves = walk.leaves(functions)
    found = inputs_of(functions, recorder, names) if recorder is not None and inputs else []
    first = len(leaves) + len(found)
    ids = {fn: id for id, fn in enumerate(leaves)}
    ids.update({fn: first + index for index, fn in enumerate(functions)})
    origin = None if recorder is None else recorder.origins(namespace or {})
    nodes = [_leaf(ids[fn], fn, names) for fn in leaves]
    nodes += [_input(len(leaves) + index, input) for index, input in enumerate(found)]
    nodes += [_function(ids[fn], fn, names, origin) for fn in functions]
    edges = [
        Edge(ids[used], ids[fn], output, index)
        for fn in functions
        for index, used, output in walk.uses[fn]
    ]
    if found:
        edges += [
            Edge(len(leaves) + place, ids[fn], 0, index)
            for place, input in enumerate(found)
            for fn, index in input.uses
        ]
        edges.sort(key=lambda edge: (edge.to, edge.input))
    note = None
    if gradients:
        tensors = [tensor for _, tensor in outputs]
        arrived, note = measure(tensors, [*leaves, *functions], names.retaining())
        for fn, gradient in arrived.items():
            nodes[ids[fn]] = nodes[ids[fn]]._replace(gradient=gradient)
    _widen(nodes, edges, [(ids[fn], index) for fn, index in roots])
    graph = Graph(
        outputs=tuple(
            Output(name, ids[fn], index)
            for (name, _), (fn, index) in zip(outputs, roots, strict=True)
        ),
        nodes=tuple(nodes),
        edges=tuple(edges),
    )
    return graph, note


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

    def leaves(self, functions: Sequence[GradFn]) -> list[GradFn]:
        """The AccumulateGrad nodes, in order of first use by the functions."""
        leaves: dict[GradFn, None] = {}
        for fn in functions:
            for _, used, _ in self.uses[fn]:
                if is_accumulate_grad(used):
                    leaves.setdefault(used)
        for fn in self.uses:  # an output that is itself a leaf
            if is_accumulate_grad(fn):
                leaves.setdefault(fn)
        return list(leaves)

    def functions(self) -> list[GradFn]:
        """The function nodes, each after all that it used, else by sequence number.

        The sequence numbers alone will not do: they are counted per thread, and some nodes have
        none of their own.  Among equals the order of discovery decides, which the program fixes.
        """
        rank = {
            fn: (sequence_number(fn), found)
            for found, fn in enumerate(self.uses)
            if not is_accumulate_grad(fn)
        }
        ordered = sorted(rank, key=rank.__getitem__)
        place = {fn: index for index, fn in enumerate(ordered)}
        if all(
            place.get(used, -1) < index
            for index, fn in enumerate(ordered)
            for _, used, _ in self.uses[fn]
        ):
            return ordered
        return self._after_what_they_used(rank)

    def _after_what_they_used(self, rank: Mapping[GradFn, tuple[int, int]]) -> list[GradFn]:
        """The function nodes, each after all that it used, else by rank."""
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
    meta = describe(tensor)
    return Node(id, "leaf", "AccumulateGrad", names.of_leaf(tensor), (meta,))


def _input(id: int, input: Input) -> Node:
    return Node(id, "input", "Input", input.name, (input.meta,))


def _function(id: int, fn: GradFn, names: Names, origin: Callable[[int], Origin] | None) -> Node:
    found = output_metadata(fn)
    if len(found) == 1:
        name = names.of_output(fn, 0)
        outputs: tuple[TensorMeta, ...] = (describe(found[0]),)
    else:
        named = [names.of_output(fn, output) for output in range(max(1, len(found)))]
        name = next((name for name in named if name is not None), None)
        outputs = tuple(describe(meta, named[index]) for index, meta in enumerate(found))
    if origin is None:
        return Node(id, "function", op_name(fn), name, outputs)
    made = origin(sequence_number(fn))
    return Node(id, "function", op_name(fn), name, outputs, made.source, made.module, made.call)


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
        nodes[id] = node._replace(outputs=outputs)
