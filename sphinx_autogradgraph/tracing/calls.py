"""Recording of calls of torch functions, the nodes that each made and its operands."""

from __future__ import annotations

import weakref
from bisect import bisect_right

# Held here: the recorder works while the program runs, which may replace the built-in ones.
from builtins import bool, id, int, isinstance, str, type  # noqa: A004, UP029
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from sys import gettrace, settrace, version_info
from typing import Any, NamedTuple

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from sphinx_autogradgraph.graph.model import TensorMeta, Values
from sphinx_autogradgraph.tracing.causes import Cause
from sphinx_autogradgraph.tracing.changes import FAILED, Changes, Conflict, changed_by, conflict_of
from sphinx_autogradgraph.tracing.functions_that_cut import SWITCHES
from sphinx_autogradgraph.tracing.internals import (
    WeakStorage,
    base_of,
    jit_tracing,
    next_sequence_number,
    plain_tensors,
    sequence_number,
)
from sphinx_autogradgraph.tracing.memory import storage_of
from sphinx_autogradgraph.tracing.pytree import AUTHORS_ERRORS
from sphinx_autogradgraph.tracing.reasons import Reasons, tensors_among
from sphinx_autogradgraph.tracing.tensor_metadata import describe, small_values


class Operand(NamedTuple):
    """An operand of a call that did not require grad; its tensor is not kept alive.

    ``differentiable`` says whether a tensor of its dtype could require grad, ``cause`` why this one
    does not, ``storage`` the address of its memory.  ``memory`` refers to that without keeping the
    elements alive, so that the address is not given again.
    """

    tensor: weakref.ref[torch.Tensor]
    base: weakref.ref[torch.Tensor] | None
    meta: TensorMeta
    differentiable: bool
    cause: Cause
    storage: int
    memory: WeakStorage | None


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
        self._asked = inputs or values
        self.values: dict[tuple[int, int], Values] = {}
        # The fields of the calls that made nodes.  Lists of numbers are cheaper than one of calls,
        # which Python's garbage collector would look through again and again.
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._functions: list[Callable[..., Any]] = []
        self._operands: dict[int, tuple[Operand, ...]] = {}  # by the first number of the call

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        # This runs with every call of a torch function: it calls nothing without need.
        if jit_tracing() is not None:  # it would trace what we read, and name values by our frames
            return func(*args, **(kwargs or _NOTHING))
        start = next_sequence_number()
        if func in SWITCHES:
            self._note_before(func, args[0])
        try:
            result = func(*args, **kwargs) if kwargs else func(*args)
        except RuntimeError as error:
            self._note_conflict(error, args)
            raise
        kind = type(result)
        if kind in _PLAIN and func is not _TO_INT:
            return result
        trace = gettrace() if SUSPENDS_TRACING else None
        if trace is not None:
            settrace(None)
        # What changes a tensor gives back that tensor, or nothing, or was given it as ``out``.
        named = kwargs or _NOTHING
        changes = result is None or (bool(args) and result is args[0]) or "out" in named
        end = next_sequence_number()
        if end > start:
            self._starts.append(start)
            self._ends.append(end)
            self._functions.append(func)
            done = kind is torch.Tensor and not self._asked and result.requires_grad
        else:
            done = kind is torch.Tensor and result.requires_grad
        if changes or not done:
            # An odd tensor of the program may raise when it is read; suppress() takes longer than
            # most notes.
            try:  # noqa: SIM105
                self._note(start if end > start else None, changes, func, args, named, result)
            except AUTHORS_ERRORS:
                pass
        if trace is not None:
            settrace(trace)
        return result

    def _note(
        self,
        start: int | None,
        changes: bool,
        func: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        result: Any,
    ) -> None:
        """Record more of a call: of one that made nodes, those from ``start``, its operands."""
        try:
            if start is not None and self._inputs:
                self._operands[start] = self._operands_of(args, kwargs)
            if start is not None and self._keeps:
                self._keep(result)
            self._reasons.note(func, args, kwargs, result)
        finally:
            changed = changed_by(func, args, kwargs, result) if changes else ()
            if changed:
                self._changes.note(func, changed)
                self._reasons.written(changed[0], func, args, kwargs)

    def _note_conflict(self, error: RuntimeError, args: tuple[Any, ...]) -> None:
        with suppress(*AUTHORS_ERRORS):  # the author's own error, or an odd tensor
            if FAILED in str(error):
                self.conflict = conflict_of(tensors_among(args, _NOTHING), self._changes)

    def _note_before(self, func: Callable[..., Any], tensor: torch.Tensor) -> None:
        with suppress(*AUTHORS_ERRORS):
            self._reasons.before(func, tensor)

    def keep_values(self) -> None:
        """Keep the elements of small tensors from now on."""
        self._keeps = self._asked = True

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
        return {operand.storage for operands in self._operands.values() for operand in operands}

    def of(self, number: int) -> Call | None:
        """Return the call that made the node with that sequence number."""
        at = bisect_right(self._starts, number) - 1
        if at < 0 or number >= self._ends[at]:
            return None
        start = self._starts[at]
        return Call(start, self._ends[at], self._functions[at], self._operands.get(start, ()))

    def _operands_of(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Operand, ...]:
        found = []
        with plain_tensors():
            for item in tensors_among(args, kwargs):
                if item.requires_grad:
                    self.used.add(id(item))
                    continue
                base = base_of(item)
                found.append(
                    Operand(
                        weakref.ref(item),
                        None if base is None else weakref.ref(base),
                        describe(item),
                        item.dtype.is_floating_point or item.dtype.is_complex,
                        self._reasons.of(item),
                        storage_of(item)[0],
                        _memory_of(item),
                    )
                )
        return tuple(found)


def _memory_of(tensor: torch.Tensor) -> WeakStorage | None:
    """Return a reference to the memory of a tensor; None for one that has no storage of its own."""
    try:
        return WeakStorage(tensor)
    except (RuntimeError, NotImplementedError):
        return None


SUSPENDS_TRACING = version_info < (3, 12)
"""Whether line tracing is off while the recorder itself works, which makes it twice as fast.

Since Python 3.12 turning it off and on prepares all code anew, and costs more than it saves.
"""

_TO_INT = torch.Tensor.__int__

_NOTHING: Mapping[str, Any] = {}

_PLAIN = {bool, int, str, torch.Size, torch.dtype, torch.device, torch.layout}
"""Types of results of functions that ask a tensor for something, which make no node."""

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
