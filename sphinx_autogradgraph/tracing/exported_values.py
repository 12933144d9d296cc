"""Numbers and arrays that came out of tensors, which torch does not follow."""

from __future__ import annotations

import weakref

# Held here: the recorder works while the program runs, which may replace the built-in ones.
from builtins import float, hasattr, id, len, list, tuple, type  # noqa: A004, UP029
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from sphinx_autogradgraph.tracing.causes import Cause, Doubt
from sphinx_autogradgraph.tracing.internals import plain_tensors

MAX_NUMBERS = 1000
"""Maximum number of elements of a list that are looked at, and of numbers that are kept."""


class ExportedValues:
    """Numbers and arrays that came out of tensors, each with the cause of the cut."""

    def __init__(self) -> None:
        self._numbers: dict[int, tuple[object, Cause]] = {}  # held: an id is given again
        self._arrays: dict[int, tuple[weakref.ref[Any], Cause]] = {}
        self._memory: dict[int, tuple[weakref.ref[Any], Cause]] = {}
        self.last: Cause | None = None
        """The cut of the last tensor that became numbers outside of torch."""

    def add(self, value: object, cause: Cause) -> None:
        """Record that a number, an array or a list of numbers has the value of a cut tensor."""
        self.last = cause
        if type(value) is list:
            for number in _numbers_in(value):
                self.add(number, cause)
        elif type(value) is float:
            self._numbers[id(value)] = value, cause
            if len(self._numbers) > MAX_NUMBERS:
                del self._numbers[next(iter(self._numbers))]
        elif hasattr(value, "__array_interface__"):
            self._arrays[id(value)] = weakref.ref(value), cause
            self._memory[value.__array_interface__["data"][0]] = weakref.ref(value), cause

    def among(self, args: Sequence[Any]) -> list[Cause]:
        """Return the causes of the recorded numbers and arrays among the arguments of a call."""
        found = []
        stack = list(args)
        for _ in range(MAX_NUMBERS):
            if not stack:
                break
            value = stack.pop()
            kind = type(value)
            if kind is float and (number := self._numbers.get(id(value))) is not None:
                found.append(number[1])
            elif kind in (list, tuple):
                stack += value[: MAX_NUMBERS - len(stack)]
            elif (array := self._arrays.get(id(value))) is not None and array[0]() is value:
                found.append(array[1])
        return found

    def in_memory_of(self, tensor: torch.Tensor) -> Cause | None:
        """Return the cause of the recorded array that a tensor shares its memory with, if any."""
        found = self._memory.get(_address(tensor)) if self._memory else None
        return None if found is None or found[0]() is None else found[1]

    def doubt_of(self, tensor: torch.Tensor) -> Doubt:
        """Return what is not known of a tensor that no recorded call made."""
        return "numbers" if self.last is not None and _is_of_other_memory(tensor) else "unrecorded"

    def doubt_about(self, args: Sequence[Any], operands: Sequence[torch.Tensor]) -> Doubt:
        """Return what is not known of the result of a call, of which some arguments are tensors."""
        if any(type(value).__module__ == "numpy" for value in args):
            return "numbers"
        only_numbers = not operands and next(_numbers_in(list(args)), None) is not None
        return "numbers" if only_numbers else ""


def _numbers_in(nested: Any) -> Iterator[float]:
    """Yield the floating point numbers in nested lists."""
    stack = [nested]
    for _ in range(MAX_NUMBERS):
        if not stack:
            return
        value = stack.pop()
        if type(value) is list:
            stack += value[: MAX_NUMBERS - len(stack)]
        elif type(value) is float:
            yield value


def _is_of_other_memory(tensor: torch.Tensor) -> bool:
    """Whether the memory of a tensor is not torch's own, but of an array."""
    try:
        with plain_tensors():
            return not torch.Tensor.untyped_storage(tensor).resizable()
    except (RuntimeError, NotImplementedError):  # no storage
        return False


def _address(tensor: torch.Tensor) -> int:
    try:
        return torch.Tensor.data_ptr(tensor)
    except RuntimeError:  # no storage: meta, sparse, functorch
        return 0
