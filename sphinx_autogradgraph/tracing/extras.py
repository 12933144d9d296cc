"""Extras of a Graph, which it has on request only: added to its nodes and edges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph.model import Edge, Extra, Node, Reason, TensorMeta
from sphinx_autogradgraph.tracing.causes import Cut
from sphinx_autogradgraph.tracing.derivatives.formulas import backward_of, derivatives_of
from sphinx_autogradgraph.tracing.gradients import measure
from sphinx_autogradgraph.tracing.inputs import Input
from sphinx_autogradgraph.tracing.internals import (
    gradient_edge,
    is_accumulate_grad,
    op_name,
    own_attribute,
    sequence_number,
)
from sphinx_autogradgraph.tracing.memory import saved_bytes
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.provenance import Recorder
from sphinx_autogradgraph.tracing.saved import saved_by
from sphinx_autogradgraph.tracing.tensor_metadata import flags_of, small_values


@dataclass
class Extras:
    """Adds extras to the nodes and edges of a graph.

    They come from autograd's nodes and the program's tensors.
    ``ids`` are the ids of autograd's nodes, ``uses`` what each of them used, ``outputs`` the
    tensors that were traced, with the node and output number of each.
    """

    names: Names
    ids: Mapping[GradFn, int]
    uses: Mapping[GradFn, Sequence[tuple[int, GradFn, int]]]
    leaves: Sequence[GradFn]
    functions: Sequence[GradFn]
    inputs: Sequence[Input]
    outputs: Sequence[tuple[torch.Tensor, GradFn, int]]
    recorder: Recorder | None

    def add(
        self, wanted: Collection[Extra], nodes: list[Node], edges: list[Edge]
    ) -> Message | None:
        """Add the wanted extras to nodes and edges; return a note, in words, on what failed."""
        note = None
        if self.recorder is not None and self.inputs:
            self._add_reasons(nodes, self.recorder)
        if "saved" in wanted:
            self._add_saved(nodes)
        if "memory" in wanted:
            self._add_memory(nodes)
        if "formulas" in wanted:
            self._add_formulas(nodes)
        if "gradients" in wanted:
            note = self._add_gradients(nodes, edges)
        if "values" in wanted:
            self._add_values(nodes)
        if "flags" in wanted:
            self._add_flags(nodes)
        return note

    def _add_reasons(self, nodes: list[Node], recorder: Recorder) -> None:
        producer = cut_from(self.ids)
        for id, input in enumerate(self.inputs, len(self.leaves)):
            cause = input.cause
            source = recorder.files.source_of(cause, input.name)
            reason = Reason(cause.why, source, producer(cause.of))
            nodes[id] = nodes[id].replace(reason=reason)

    def _add_saved(self, nodes: list[Node]) -> None:
        producer = self._producers()
        for fn in self.functions:
            id = self.ids[fn]
            nodes[id] = nodes[id].replace(saved=saved_by(fn, self.names, producer, id))

    def _add_memory(self, nodes: list[Node]) -> None:
        leaves = [fn.variable for fn in self.leaves]  # type: ignore[attr-defined]
        inputs: set[int] = set()
        recorded: set[GradFn] = set()
        if self.recorder is not None and self.recorder.input_storages is not None:
            inputs = self.recorder.input_storages
            moment = self.recorder.moment
            recorded = {fn for fn in self.functions if moment(sequence_number(fn)) is not None}
        for fn, size in saved_bytes(self.functions, leaves, inputs, recorded).items():
            nodes[self.ids[fn]] = nodes[self.ids[fn]].replace(saved_bytes=size)

    def _add_formulas(self, nodes: list[Node]) -> None:
        arriving: dict[GradFn, set[int]] = {}
        for fn in self.functions:
            for _, used, output in self.uses[fn]:
                arriving.setdefault(used, set()).add(output)
        for _, fn, output in self.outputs:
            arriving.setdefault(fn, set()).add(output)
        for fn in self.functions:
            found = derivatives_of(fn, self.names, arriving[fn])
            id = self.ids[fn]
            nodes[id] = nodes[id].replace(derivatives=found or None, backward=backward_of(fn))

    def _add_gradients(self, nodes: list[Node], edges: list[Edge]) -> Message | None:
        tensors = [tensor for tensor, _, _ in self.outputs]
        arrived, sent, note = measure(tensors, self.functions, self.leaves)
        for fn, gradient in arrived.items():
            id = self.ids[fn]
            nodes[id] = nodes[id].replace(gradient=gradient)
        passed = {(self.ids[fn], input): gradient for (fn, input), gradient in sent.items()}
        for place, edge in enumerate(edges):
            carried = passed.get((edge.to, edge.input))
            if carried is not None and nodes[edge.from_].kind != "input":
                edges[place] = edge.replace(gradient=carried)
        return note

    def _add_values(self, nodes: list[Node]) -> None:
        if self.recorder is not None:
            for fn in self.functions:
                for output in range(len(nodes[self.ids[fn]].outputs)):
                    values = self.recorder.values_of(sequence_number(fn), output)
                    if values is not None:
                        _put(nodes, self.ids[fn], output, values=values)
        for id, output, tensor in self._alive():
            values = small_values(tensor)
            if values is not None:
                _put(nodes, id, output, values=values)

    def _add_flags(self, nodes: list[Node]) -> None:
        for id, output, tensor in self._alive():
            _put(nodes, id, output, flags=flags_of(tensor))

    def _alive(self) -> Iterator[tuple[int, int, torch.Tensor]]:
        """Yield the living tensors of the graph, each with the node and output that produced it.

        These are leaves, inputs, outputs and the tensors that the program has names for.
        """
        for fn in self.leaves:
            yield self.ids[fn], 0, fn.variable  # type: ignore[attr-defined]
        for place, input in enumerate(self.inputs):
            tensor = input.tensor()
            if tensor is not None:
                yield len(self.leaves) + place, 0, tensor
        outputs = [tensor for tensor, _, _ in self.outputs]
        for tensor in [*self.names.intermediates(), *outputs]:
            fn, output = gradient_edge(tensor)
            if fn in self.ids:
                yield self.ids[fn], output, tensor

    def _producers(self) -> Callable[[torch.Tensor], int | None]:
        """Return a function from a tensor to the id of the node that produced it, or None."""
        held = [fn.variable for fn in self.leaves]  # type: ignore[attr-defined]
        by_id = {id(tensor): place for place, tensor in enumerate(held)}
        for place, input in enumerate(self.inputs):
            by_id.setdefault(id(input.tensor()), len(self.leaves) + place)

        def producer(tensor: torch.Tensor) -> int | None:
            grad_fn = own_attribute(tensor, "grad_fn")
            return by_id.get(id(tensor)) if grad_fn is None else self.ids.get(grad_fn)

        return producer


def cut_from(ids: Mapping[GradFn, int]) -> Callable[[Cut | None], int | None]:
    """Return a function from a cut to the id of the node that the tensor was cut from, or None."""
    numbered: dict[tuple[int, str], int] = {}
    leaves: dict[int, tuple[torch.Tensor, int]] = {}
    for fn, place in ids.items():
        if is_accumulate_grad(fn):
            leaves[id(fn.variable)] = fn.variable, place  # type: ignore[attr-defined]
        else:
            numbered[sequence_number(fn), op_name(fn)] = place

    def producer(cut: Cut | None) -> int | None:
        if cut is None:
            return None
        if cut.leaf is None:
            return numbered.get((cut.number, cut.op))
        tensor = cut.leaf()
        found = leaves.get(id(tensor))
        return None if found is None or found[0] is not tensor else found[1]

    return producer


def _put(nodes: list[Node], id: int, output: int, **known: object) -> None:
    """Set fields of the metadata of a node's output."""
    outputs: list[TensorMeta] = list(nodes[id].outputs)
    outputs[output] = outputs[output].replace(**known)
    nodes[id] = nodes[id].replace(outputs=tuple(outputs))
