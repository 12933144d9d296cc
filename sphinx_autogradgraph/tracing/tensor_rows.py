"""Rows of a table of tensors: is_leaf, requires_grad and grad_fn of each tensor of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from sphinx_autogradgraph.graph.model import TensorRow
from sphinx_autogradgraph.tracing.internals import op_name, own_attribute
from sphinx_autogradgraph.tracing.pytree import is_tensor, variables
from sphinx_autogradgraph.tracing.reach import Rank, Reach
from sphinx_autogradgraph.tracing.tensor_metadata import describe, flags_of


def tensor_rows(
    namespace: Mapping[str, object], outputs: Sequence[tuple[str, torch.Tensor]]
) -> tuple[TensorRow, ...]:
    """Return a row for each variable that is a tensor, each parameter of a module, and each output.

    Rows are in the order of binding.  A tensor with two names has a row for each variable, and none
    in addition for being a parameter or an output.
    """
    rows: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for name, value in variables(namespace):
        if is_tensor(value):
            rows[name] = value
            seen.add(id(value))
    held = [
        (str(found.path), found.tensor)
        for found in Reach([namespace]).tensors
        if found.rank is Rank.MODULE
    ]
    for name, tensor in [*held, *outputs]:
        if id(tensor) not in seen:
            rows.setdefault(name, tensor)
            seen.add(id(tensor))
    return tuple(_row(name, tensor) for name, tensor in rows.items())


def _row(name: str, tensor: torch.Tensor) -> TensorRow:
    meta = describe(tensor)
    grad_fn = own_attribute(tensor, "grad_fn")
    flags = flags_of(tensor)
    return TensorRow(
        name=name,
        shape=meta.shape,
        dtype=meta.dtype,
        is_leaf=flags.is_leaf,
        requires_grad=flags.requires_grad,
        grad_fn=None if grad_fn is None else op_name(grad_fn),
        retains_grad=flags.retains_grad,
        grad=flags.grad,
    )
