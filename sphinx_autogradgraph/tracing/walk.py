"""Walk over autograd's own nodes, from tensors to a Graph.

Nothing is run, changed or unpacked.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.core.garbage import uncollected
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph.model import (
    Edge,
    Extra,
    Graph,
    ModuleCall,
    Node,
    Output,
    TensorMeta,
)
from sphinx_autogradgraph.tracing.extras import Extras
from sphinx_autogradgraph.tracing.hooks import hooks_of
from sphinx_autogradgraph.tracing.inputs import Input, inputs_of
from sphinx_autogradgraph.tracing.internals import (
    base_of,
    gradient_edge,
    is_accumulate_grad,
    op_name,
    output_metadata,
    requires_grad,
    sequence_number,
)
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.origins import Origin, Visit
from sphinx_autogradgraph.tracing.provenance import Recorder
from sphinx_autogradgraph.tracing.tensor_metadata import describe


@uncollected()
def trace_tensors(
    outputs: Sequence[tuple[str | None, torch.Tensor]],
    names: Names,
    recorder: Recorder | None = None,
    *,
    extras: Collection[Extra] = (),
) -> tuple[Graph, Message | None]:
    """Return the Graph of tensors that require grad, each given with its name.

    Every node that autograd can reach from them is in it, and an edge for every entry of
    ``next_functions`` that is not None.  A ``recorder`` that was entered while the tensors were
    computed adds provenance, with modules named as ``names`` has them, and, if the ``extras`` ask
    for ``inputs``, the tensors without grad that went into operations.  :class:`.Extras` adds what
    else is asked for.  The second of the pair is a note on what could not be added.  Raises
    :exc:`ValueError` for a tensor that does not require grad.
    """
    roots: list[tuple[GradFn, int]] = []
    for name, tensor in outputs:
        if not requires_grad(tensor):
            raise ValueError(f"{name or 'a tensor'} does not require grad")
        roots.append(gradient_edge(tensor))
    walk = Walk([node for node, _ in roots])
    names.nodes = len(walk.uses)
    functions = walk.functions()
    leaves = walk.leaves(functions)
    found = inputs_of(functions, recorder, names) if recorder and "inputs" in extras else []
    first = len(leaves) + len(found)
    ids = {fn: id for id, fn in enumerate(leaves)}
    ids.update({fn: first + index for index, fn in enumerate(functions)})
    origin = None if recorder is None else recorder.origins(names.module_paths())
    nodes = [_leaf(ids[fn], fn, names) for fn in leaves]
    nodes += [_input(len(leaves) + index, input) for index, input in enumerate(found)]
    nowhere = Origin()
    origins = [nowhere if origin is None else origin(sequence_number(fn)) for fn in functions]
    nodes += [
        _function(ids[fn], fn, names, made) for fn, made in zip(functions, origins, strict=True)
    ]
    _add_hooks(nodes, ids, names, on_nodes=recorder is not None and recorder.saw_hooks)
    edges = _edges(walk, functions, ids, found, len(leaves))
    _widen(nodes, edges, [(ids[fn], index) for fn, index in roots])
    made_as = [(tensor, fn, index) for (_, tensor), (fn, index) in zip(outputs, roots, strict=True)]
    extra = Extras(names, ids, walk.uses, leaves, functions, found, made_as, recorder)
    note = extra.add(extras, nodes, edges)
    graph = Graph(
        outputs=tuple(
            Output(name, ids[fn], index, _base_of(tensor, names, ids))
            for (name, tensor), (fn, index) in zip(outputs, roots, strict=True)
        ),
        nodes=tuple(nodes),
        edges=tuple(edges),
        modules=_module_calls(first, [made.visit for made in origins]) if origin else (),
    )
    return graph, note


class Walk:
    """The nodes that can be reached from some roots, and the nodes that each of them used.

    ``uses`` maps a node to the entries of its ``next_functions`` that are not None, each as
    (input number, node, output number).  It is in order of discovery, depth first, and holds
    every node: torch makes the Python object of a node anew when nobody holds it, and another
    node may then get the same id.
    """

    def __init__(self, roots: Sequence[GradFn]) -> None:
        self.uses: dict[GradFn, list[tuple[int, GradFn, int]]] = {}
        self._leaves: set[GradFn] = set()
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
            if uses:
                stack += [used for _, used, _ in reversed(uses) if used not in self.uses]
            elif is_accumulate_grad(fn):
                self._leaves.add(fn)

    def leaves(self, functions: Sequence[GradFn]) -> list[GradFn]:
        """Return the AccumulateGrad nodes, in order of first use by the functions."""
        leaves: dict[GradFn, None] = {}
        for fn in functions:
            for _, used, _ in self.uses[fn]:
                if used in self._leaves:
                    leaves.setdefault(used)
        for fn in self.uses:  # an output that is itself a leaf
            if fn in self._leaves:
                leaves.setdefault(fn)
        return list(leaves)

    def functions(self) -> list[GradFn]:
        """Return the function nodes: each after all that it used, else by sequence number.

        The sequence numbers alone will not do: they are counted per thread, and some nodes have
        none of their own.  Among equals the order of discovery decides, which the program fixes.
        """
        rank = {
            fn: (sequence_number(fn), found)
            for found, fn in enumerate(self.uses)
            if fn not in self._leaves
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
        """Return the function nodes: each after all that it used, else by rank."""
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


def _function(id: int, fn: GradFn, names: Names, made: Origin) -> Node:
    found = output_metadata(fn)
    if len(found) == 1:
        name = names.of_output(fn, 0)
        outputs: tuple[TensorMeta, ...] = (describe(found[0]),)
    else:
        named = [names.of_output(fn, output) for output in range(max(1, len(found)))]
        name = next((name for name in named if name is not None), None)
        outputs = tuple(describe(meta, named[index]) for index, meta in enumerate(found))
    return Node(id, "function", op_name(fn), name, outputs, made.source, made.module, made.call)


def _add_hooks(
    nodes: list[Node], ids: Mapping[GradFn, int], names: Names, *, on_nodes: bool
) -> None:
    """Add the names of hooks to the nodes that have some."""
    for fn, id in ids.items():
        # Most nodes are no leaf and have no tensor that is known.
        if on_nodes or nodes[id].kind == "leaf" or names.knows(fn):
            hooks = hooks_of(fn, names, on_nodes=on_nodes)
            if hooks:
                nodes[id] = nodes[id].replace(hooks=hooks)


def _edges(
    walk: Walk,
    functions: Sequence[GradFn],
    ids: Mapping[GradFn, int],
    inputs: Sequence[Input],
    first_input: int,
) -> list[Edge]:
    """Return the edges into the functions, by node and input; ``first_input`` is an input's id."""
    edges = [
        Edge(ids[used], ids[fn], output, index)
        for fn in functions
        for index, used, output in walk.uses[fn]
    ]
    if inputs:
        edges += [
            Edge(id, ids[fn], 0, index)
            for id, input in enumerate(inputs, first_input)
            for fn, index in input.uses
        ]
        edges.sort(key=lambda edge: (edge.to, edge.input))
    return edges


def _module_calls(first: int, visits: Sequence[Visit | None]) -> tuple[ModuleCall, ...]:
    """List the calls of modules with the nodes that each made.

    ``visits`` has the innermost call that made each function node, from the node ``first`` on.
    A call whose nodes do not stand together, as may be with several threads, counts as several.
    """
    calls: list[ModuleCall] = []
    inside: list[tuple[Visit, int]] = []  # the calls of the last node, with their places in calls
    last: Visit | None = None
    for id, visit in enumerate(visits, first):
        if visit is last:
            here = inside
        else:
            chain = [] if visit is None else visit.chain()
            shared = 0
            while shared < min(len(chain), len(inside)) and chain[shared] is inside[shared][0]:
                shared += 1
            here = inside[:shared]
            for new in chain[shared:]:
                here.append((new, len(calls)))
                calls.append(ModuleCall(new.path, new.type, id, id))
            inside, last = here, visit
        for _, place in here:
            calls[place] = calls[place].replace(last=id)
    return tuple(calls)


def _base_of(view: torch.Tensor, names: Names, ids: Mapping[GradFn, int]) -> Output | None:
    """Return the tensor of the graph that an output is a view of, None if there is none."""
    base = base_of(view)
    if base is None or not requires_grad(base):
        return None
    fn, output = gradient_edge(base)
    if fn not in ids:
        return None
    name = names.of_leaf(base) if is_accumulate_grad(fn) else names.of_output(fn, output)
    return Output(name, ids[fn], output)


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
        nodes[id] = node.replace(outputs=outputs)
