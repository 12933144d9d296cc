"""Inputs: the tensors that do not require grad and went into operations; on request only.

Autograd does not keep them: they leave an entry None in ``next_functions``.  Operands of calls are
recorded while the program runs (:mod:`~sphinx_autogradgraph.tracing.provenance`).  Here they are
matched to those entries.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.graph.model import TensorMeta
from sphinx_autogradgraph.tracing.calls import Call, Operand
from sphinx_autogradgraph.tracing.causes import Cause
from sphinx_autogradgraph.tracing.internals import sequence_number
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.provenance import Recorder


@dataclass
class Input:
    """A tensor that does not require grad: its name, metadata and uses.

    Each use is a function node and the number of the input that it is there.  ``cause`` is why it
    does not require grad.  ``tensor`` is a weak reference to the tensor itself.
    """

    name: str | None
    meta: TensorMeta
    tensor: weakref.ref[torch.Tensor]
    uses: list[tuple[GradFn, int]]
    cause: Cause


def inputs_of(functions: Sequence[GradFn], recorder: Recorder, names: Names) -> list[Input]:
    """Return the inputs of function nodes, which are in forward order, in order of first use."""
    made: dict[int, tuple[Call, list[GradFn]]] = {}
    for fn in functions:
        call = recorder.call(sequence_number(fn))
        if call is not None and call.operands:
            made.setdefault(call.start, (call, []))[1].append(fn)
    found: dict[object, Input] = {}
    for call, nodes in made.values():
        free = {
            fn: [index for index, (used, _) in enumerate(fn.next_functions) if used is None]
            for fn in nodes
        }
        extra = 0
        for operand in call.operands:
            # An entry None is where a tensor went that could have had a gradient.  What cannot
            # (an index, a target) is an input after these, of the last operation of the call.
            taker = next((fn for fn in nodes if free[fn]), None)
            if taker is not None and operand.differentiable:
                fn, index = taker, free[taker].pop(0)
            else:
                fn = nodes[-1]
                index = len(fn.next_functions) + extra
                extra += 1
            key, name = _identity(operand, names)
            input = Input(name, operand.meta, operand.tensor, [], operand.cause)
            found.setdefault(key, input).uses.append((fn, index))
    return list(found.values())


def _identity(operand: Operand, names: Names) -> tuple[object, str | None]:
    """Return a key that identifies an operand's tensor, and its name; a view has its base's."""
    tensor = operand.tensor()
    base = None if operand.base is None else operand.base()
    if tensor is not None and (name := names.of_leaf(tensor)) is not None:
        return id(tensor), name
    if base is not None and (name := names.of_leaf(base)) is not None:
        return (id(base), operand.meta.shape), name
    return (id(operand) if tensor is None else id(tensor)), None
