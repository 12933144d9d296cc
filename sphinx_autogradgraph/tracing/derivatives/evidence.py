"""Evidence about a function node: what it saved, and the shapes of its inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import cached_property
from typing import Any

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.tracing.internals import (
    FREED,
    is_packed,
    output_metadata,
    raw_saved,
)
from sphinx_autogradgraph.tracing.pytree import AUTHORS_ERRORS

MISSING = object()
"""The result of :meth:`Evidence.value` where a node saved nothing of that name."""

Shape = tuple[int, ...]


class Evidence:
    """The saved tensors and arguments of a function node by role, and the shapes around it.

    ``arriving`` are the numbers of the outputs that a gradient arrives at.  No saved tensor is
    unpacked, and nothing is computed.
    """

    def __init__(self, fn: GradFn, arriving: Collection[int] = (0,)) -> None:
        self.fn = fn
        self.arriving = arriving
        self.op = type(fn).__name__

    def has(self, role: str) -> bool:
        """Whether nodes of this type save anything under that name."""
        return hasattr(type(self.fn), f"_saved_{role}")

    def is_tensor(self, role: str) -> bool:
        """Whether nodes of this type save a tensor, or a list of them, under that name."""
        return hasattr(type(self.fn), f"_raw_saved_{role}")

    def tensor(self, role: str) -> torch.Tensor | None:
        """Return the tensor saved under that name, if it can be read without unpacking."""
        raw = raw_saved(self.fn, f"_raw_saved_{role}")
        if raw is None or raw is FREED or isinstance(raw, (tuple, list)) or is_packed(raw):
            return None
        data: torch.Tensor | None = raw.data
        return data

    def is_none(self, role: str) -> bool:
        """Whether the optional tensor of that name was omitted."""
        if raw_saved(self.fn, f"_raw_saved_{role}") is None:
            return True
        try:
            return self.tensor(role) is None and getattr(self.fn, f"_saved_{role}") is None
        except AUTHORS_ERRORS:  # freed, changed in place, or a hook's own: there is one
            return False

    def value(self, role: str) -> Any:
        """Return the saved argument of that name that is no tensor, else :data:`MISSING`."""
        if not self.has(role) or self.is_tensor(role):
            return MISSING
        try:
            return signed(getattr(self.fn, f"_saved_{role}"))
        except RuntimeError:  # freed
            return MISSING

    @cached_property
    def outputs(self) -> list[Shape]:
        """The shapes of the operation's outputs."""
        return [tuple(map(int, meta.shape)) for meta in output_metadata(self.fn)]

    @property
    def out(self) -> Shape:
        """The shape of the operation's first output."""
        return self.outputs[0]

    def into(self, edge: int) -> Shape:
        """Return the shape of the operation's input at an edge."""
        return tuple(map(int, self._meta(edge).shape))

    def dtype_into(self, edge: int) -> torch.dtype:
        """Return the dtype of the operation's input at an edge."""
        dtype: torch.dtype = self._meta(edge).dtype
        return dtype

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the operation's first output."""
        dtype: torch.dtype = output_metadata(self.fn)[0].dtype
        return dtype

    def _meta(self, edge: int) -> Any:
        used, output = self.fn.next_functions[edge]
        if used is None:
            raise LookupError(f"nothing goes along edge {edge}")
        return output_metadata(used)[output]

    def dims(self, count: int) -> list[int] | None:
        """Return the saved ``dim``, a number or several, from 0 and in order.

        All if None or an empty tuple was saved; None if nothing was.
        """
        value = self.value("dim")
        if value is MISSING:
            return None
        if value is None or value == ():
            return list(range(count))
        several = value if isinstance(value, tuple) else (value,)
        return sorted(item % count if count else 0 for item in several) if count else []


def signed(value: Any) -> Any:
    """Return the value with negative numbers restored: torch gives some of them as unsigned."""
    if isinstance(value, (tuple, list)):
        return tuple(signed(item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 2**63:
        return value - 2**64
    return value


def count(shape: Shape) -> int:
    """Return the number of elements of a shape."""
    return math.prod(shape)
