"""Recording of calls of torch functions, the nodes that each made and its operands."""

from __future__ import annotations

import weakref
from bisect import bisect_right

# Held here: the recorder works while the program runs, which may replace the built-in ones.
from builtins import bool, id, int, isinstance, str, type  # noqa: A004, UP029
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from sphinx_autogradgraph.graph.model import TensorMeta, Values
from sphinx_autogradgraph.tracing.causes import Cause
from sphinx_autogradgraph.tracing.changes import FAILED, Changes, Conflict, conflict_of
from sphinx_autogradgraph.tracing.internals import (
    base_of,
    next_sequence_number,
    plain_tensors,
    sequence_number,
)
from sphinx_autogradgraph.tracing.memory import storage_of
from sphinx_autogradgraph.tracing.reasons import Reasons, tensors_among
from sphinx_autogradgraph.tracing.tensor_metadata import describe, small_values


@dataclass(frozen=True)
class Operand:
    """An operand of a call that did not require grad; its tensor is not kept alive.

    ``differentiable`` says whether a tensor of its dtype could require grad, ``cause`` why this one
    does not, ``storage`` the address of its memory.
    """

    tensor: weakref.ref[torch.Tensor]
    base: weakref.ref[torch.Tensor] | None
    meta: TensorMeta
    differentiable: bool
    cause: Cause
    storage: int


class Call(NamedTuple):
    """A call of a torch function that made the nodes with numbers from ``start`` below ``end``."""

    start: int
    end: int
    function: Callable[..., Any]
    operands: tuple[Operand, ...]


class Calls(TorchFunctionMode):
    """Records which call of a torch function made which nodes, and its operands."""

    def __init__(
        self, reasons: Reasons, changes: Changes, *, inputs: bool = False, values: bool = False
    ) -> None:
        super().__init__()
        self._reasons = reasons
        self._changes = changes
        self.conflict: Conflict | None = None
        self._inputs = inputs
        self.used: set[int] = set()
        """The ids of tensors that require grad and went into calls that made nodes."""
        self._keeps = values
        self.values: dict[tuple[int, int], Values] = {}
        self._starts: list[int] = []
        self._calls: list[Call] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        start = next_sequence_number()
        if func == _DETACHES_IN_PLACE:
            self._note(self._reasons.detached_in_place, *args)
        try:
            result = func(*args, **kwargs) if kwargs else func(*args)
        except RuntimeError as error:
            if FAILED in str(error):
                self.conflict = conflict_of(list(tensors_among(args, {})), self._changes)
            raise
        end = next_sequence_number()
        kind = type(result)
        if end > start:
            operands = self._operands(args, kwargs or {}) if self._inputs else ()
            self._starts.append(start)
            self._calls.append(Call(start, end, func, operands))
            if self._keeps:
                self._keep(result)
            if kind is not torch.Tensor and isinstance(result, (tuple, list)):
                self._note(self._reasons.note_parts, func, args, kwargs or {}, result)
        elif kind not in _PLAIN and not (kind is torch.Tensor and result.requires_grad):
            self._note(self._reasons.note, func, args, kwargs or {}, result)
        # What changes a tensor gives back that tensor, or nothing.
        if result is None or (args and result is args[0]):
            self._note(self._changes.note, func, args, kwargs or {}, result)
        return result

    def _note(self, note: Callable[..., None], *call: object) -> None:
        """Record a call, and suppress errors: an odd tensor of the program may raise when read."""
        with suppress(Exception):
            note(*call)

    def _keep(self, result: object) -> None:
        """Record the elements of the small tensors that a call returned, by the nodes' numbers.

        Tensors and nodes themselves are not kept, since that would extend their lives.
        """
        found = [result]
        while found:
            tensor = found.pop()
            if isinstance(tensor, (tuple, list)):
                found += tensor
            elif isinstance(tensor, torch.Tensor):
                with plain_tensors():
                    grad_fn, output = tensor.grad_fn, tensor.output_nr
                values = None if grad_fn is None else small_values(tensor)
                if grad_fn is not None and values is not None:
                    self.values.setdefault((sequence_number(grad_fn), output), values)

    @property
    def storages(self) -> set[int] | None:
        """The addresses of operands that do not require grad; None if operands are not recorded."""
        if not self._inputs:
            return None
        return {operand.storage for call in self._calls for operand in call.operands}

    def of(self, number: int) -> Call | None:
        """Return the call that made the node with that sequence number."""
        at = bisect_right(self._starts, number) - 1
        if at < 0 or number >= self._calls[at].end:
            return None
        return self._calls[at]

    def _operands(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Operand, ...]:
        found = []
        for item in tensors_among(args, kwargs):
            if item.requires_grad:
                self.used.add(id(item))
            else:
                with plain_tensors():
                    base = base_of(item)
                    found.append(
                        Operand(
                            weakref.ref(item),
                            None if base is None else weakref.ref(base),
                            describe(item),
                            item.dtype.is_floating_point or item.dtype.is_complex,
                            self._reasons.of(item),
                            storage_of(item)[0],
                        )
                    )
        return tuple(found)


_DETACHES_IN_PLACE = torch.Tensor.detach_

_PLAIN = {bool, int, str, torch.Size, torch.dtype, torch.device, torch.layout}
"""Types of results that hold no tensor, and are ignored."""

_NAMESPACES = (torch, functional, torch.special, torch.linalg, torch.fft)


def call_name(function: Callable[..., Any]) -> str | None:
    """Return the name of a torch function: ``torch.mm``, ``torch.Tensor.add``.

    :func:`torch.overrides.resolve_name` will not do: it gives ``torch.spmm`` for ``torch.mm``, and
    is slow, since it lists all functions there are.
    """
    name = getattr(function, "__name__", "")
    if name == "__get__":  # a property: Tensor.T
        name = getattr(getattr(function, "__self__", None), "__name__", "")
        return f"torch.Tensor.{name}" if name else None
    for namespace in _NAMESPACES:
        short = name.removeprefix(f"{namespace.__name__.rpartition('.')[2]}_")
        for candidate in (name, short):
            if getattr(namespace, candidate, None) is function:
                return f"{namespace.__name__}.{candidate}"
    qualified = getattr(function, "__qualname__", name)
    if hasattr(function, "__objclass__") or qualified.startswith(("Tensor.", "TensorBase.")):
        return f"torch.Tensor.{name}"
    module = getattr(function, "__module__", None)
    return f"{module}.{qualified}" if module and name else None
