"""Memory into which values of a graph were written, past the tensors that share it."""

from __future__ import annotations

# Held here: the recorder works while the program runs, which may replace the built-in ones.
from builtins import bool, iter, len, next  # noqa: A004, UP029

import torch

from sphinx_autogradgraph.tracing.causes import Cause
from sphinx_autogradgraph.tracing.internals import WeakStorage
from sphinx_autogradgraph.tracing.memory import storage_of

MAX_STORAGES = 4096
"""Maximum number of storages remembered."""


class WrittenMemory:
    """The storages written into, each with the cause of the cut of the last value."""

    def __init__(self) -> None:
        self._causes: dict[int, tuple[WeakStorage, Cause]] = {}

    def __bool__(self) -> bool:
        return bool(self._causes)

    def add(self, tensor: torch.Tensor, cause: Cause) -> None:
        """Record that a value was written into the memory of a tensor."""
        self._causes[storage_of(tensor)[0]] = WeakStorage(tensor), cause
        if len(self._causes) > MAX_STORAGES:
            del self._causes[next(iter(self._causes))]

    def forget(self, tensor: torch.Tensor) -> None:
        """Record that nothing is left of what was written into the memory of a tensor."""
        if self._causes:
            self._causes.pop(storage_of(tensor)[0], None)

    def of(self, tensor: torch.Tensor) -> Cause | None:
        """Return the cause of what was written into the memory of a tensor, if anything was."""
        found = self._causes.get(storage_of(tensor)[0])
        return found[1] if found is not None and found[0].is_alive else None
