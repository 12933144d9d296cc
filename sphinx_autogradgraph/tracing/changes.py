"""Recording of in-place changes of tensors, and of those that break a later backward."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.tracing.causes import Place
from sphinx_autogradgraph.tracing.internals import plain_tensors, sequence_number
from sphinx_autogradgraph.tracing.memory import storage_of
from sphinx_autogradgraph.tracing.saved import versions_of_changed

Call = Callable[..., Any]
"""A torch function that was called."""


class Change(NamedTuple):
    """A change in place: its line, the name of its operation, and the tensor it was called on."""

    place: Place | None
    by: str
    tensor: weakref.ref[torch.Tensor]


MAX_TENSORS, MAX_CHANGES = 4096, 64
"""Maximum number of storages remembered, and of changes of each."""


def changes_in_place(function: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether a call that returned its first argument, or nothing, changed it in place."""
    name = name_of(function)
    if not args:
        return False
    if name.startswith("__"):
        return name == "__setitem__" or name.startswith("__i")
    if name.endswith("_"):
        return name != "requires_grad_"
    # such as relu(x, inplace=True)
    return kwargs.get("inplace") is True or args[-1] is True


def changed_by(
    function: Call, args: Sequence[Any], kwargs: Mapping[str, Any], result: object
) -> list[torch.Tensor]:
    """Return the tensors that a call changed in place."""
    changed = kwargs.get("out")
    if changed is None:
        if result is not None and (not args or result is not args[0]):
            return []
        if not changes_in_place(function, args, kwargs):
            return []
        if result is None and not name_of(function).endswith("_"):
            return []
        changed = args[0]
    tensors = changed if isinstance(changed, (list, tuple)) else (changed,)
    return [tensor for tensor in tensors if isinstance(tensor, torch.Tensor)]


def name_of(function: Call) -> str:
    """Return the name of a torch function, without its namespace."""
    name: str = getattr(function, "__name__", "")
    return name


class Changes:
    """In-place changes of tensors, by their storage and the version that each made.

    A view shares both with its base.
    """

    def __init__(self, place: Callable[[], Place | None]) -> None:
        self._place = place
        self._changes: dict[int, dict[int, Change]] = {}

    def note(self, function: Call, tensors: Sequence[torch.Tensor]) -> None:
        """Record that a call changed tensors in place."""
        name = name_of(function)
        for tensor in tensors:
            versions = self._changes.setdefault(storage_of(tensor)[0], {})
            change = Change(self._place(), name, weakref.ref(tensor))
            versions.setdefault(tensor._version, change)
            if len(versions) > MAX_CHANGES:
                del versions[next(iter(versions))]
            if len(self._changes) > MAX_TENSORS:
                del self._changes[next(iter(self._changes))]

    def after(self, tensor: torch.Tensor, version: int) -> Change | None:
        """Return the first change of a tensor after it had that version, if it was recorded."""
        versions = self._changes.get(storage_of(tensor)[0], {})
        return versions.get(version + 1)


@dataclass(frozen=True)
class Conflict:
    """A tensor that was changed in place after a node had saved it for backward."""

    fn: GradFn
    tensor: torch.Tensor
    change: Change | None


FAILED = "modified by an inplace operation"
"""Part of torch's error for a backward that meets a changed tensor."""


def conflict_of(outputs: Sequence[torch.Tensor], changes: Changes) -> Conflict | None:
    """Return the first changed tensor that a backward from these outputs meets."""
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
