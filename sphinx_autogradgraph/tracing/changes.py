"""Which line and operation changed a tensor in place, and what had saved it for backward before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.tracing.internals import plain_tensors, sequence_number
from sphinx_autogradgraph.tracing.memory import storage_of
from sphinx_autogradgraph.tracing.reasons import Place
from sphinx_autogradgraph.tracing.saved import versions_of_changed

Change = tuple[Place | None, str]
"""A line, and the name of the operation there that changed a tensor."""

MAX_TENSORS, MAX_CHANGES = 4096, 64
"""How many storages, and how many changes of each, are remembered."""


class Changes:
    """Changes of tensors in place, by their storage and the version that each made.

    Views share both with what they are views of.
    """

    def __init__(self, place: Callable[[], Place | None]) -> None:
        self._place = place
        self._changes: dict[int, dict[int, Change]] = {}

    def note(self, function: Callable[..., Any], args: Sequence[Any], result: object) -> None:
        """Note a call that gave back its first argument, or nothing, if it changed tensors."""
        name: str = getattr(function, "__name__", "")
        if not args or not (name.endswith("_") and name != "requires_grad_"):
            return
        plain = name.startswith("__") and not (name == "__setitem__" or name.startswith("__i"))
        if plain or (result is None and name != "__setitem__" and not name.startswith("_foreach")):
            return
        changed = args[0] if isinstance(args[0], (list, tuple)) else args[:1]
        for tensor in changed:
            if isinstance(tensor, torch.Tensor):
                self._changed(tensor, name)

    def _changed(self, tensor: torch.Tensor, name: str) -> None:
        versions = self._changes.setdefault(storage_of(tensor)[0], {})
        versions.setdefault(tensor._version, (self._place(), name))
        if len(versions) > MAX_CHANGES:
            del versions[next(iter(versions))]
        if len(self._changes) > MAX_TENSORS:
            del self._changes[next(iter(self._changes))]

    def after(self, tensor: torch.Tensor, version: int) -> Change | None:
        """The first change of a tensor after it had that version, if it was noted."""
        versions = self._changes.get(storage_of(tensor)[0], {})
        return versions.get(version + 1)


@dataclass(frozen=True)
class Conflict:
    """A tensor that a node has saved for backward, and that was changed in place since."""

    fn: GradFn
    tensor: torch.Tensor
    change: Change | None


FAILED = "modified by an inplace operation"
"""What torch says where a backward meets such a tensor."""


def conflict_of(outputs: Sequence[torch.Tensor], changes: Changes) -> Conflict | None:
    """The changed tensor that a backward from these outputs meets first."""
    seen: set[GradFn] = set()
    stack: list[GradFn | None] = [tensor.grad_fn for tensor in outputs]
    while stack:
        fn = stack.pop()
        if fn is None or fn in seen:
            continue
        seen.add(fn)
        stack += [used for used, _ in fn.next_functions]
    for fn in sorted(seen, key=sequence_number, reverse=True):
        for _, tensor, version in versions_of_changed(fn):
            with plain_tensors():
                return Conflict(fn, tensor, changes.after(tensor, version))
    return None
