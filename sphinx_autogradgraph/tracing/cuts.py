"""The cuts that a program made: which nodes and leaves the cut tensors were computed from.

The graph behind a cut is gone when nothing else holds it.  So its edges are kept, as numbers.
"""

from __future__ import annotations

import weakref

# Held here: the recorder works while the program runs, which may replace the built-in ones.
from builtins import id, len  # noqa: A004
from collections.abc import Iterable

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.tracing.causes import Cause, Cut
from sphinx_autogradgraph.tracing.internals import (
    UNNUMBERED,
    is_accumulate_grad,
    op_name,
    own_grad_fn,
    plain_tensors,
    sequence_number,
)

Key = tuple[int, str]
"""A node by its sequence number and op, or a leaf by its id (:func:`id`) and «»."""

MAX_NODES, MAX_CUTS = 20_000, 4096
"""Maximum number of nodes whose edges are kept, and of cuts."""


def key_of(tensor: torch.Tensor) -> Key:
    """Return the key of the node that made a tensor, or of the tensor if it is a leaf."""
    with plain_tensors():
        grad_fn = own_grad_fn(tensor)
    return (id(tensor), "") if grad_fn is None else (sequence_number(grad_fn), op_name(grad_fn))


def _origin(cut: Cut) -> Key:
    return (cut.number, cut.op) if cut.leaf is None else (id(cut.leaf()), "")


class Cuts:
    """The cuts of a program in order, and the history behind each."""

    def __init__(self) -> None:
        self._made: list[tuple[Key, Cause]] = []
        self._seen: set[Key] = set()
        self._used: dict[Key, list[Key]] = {}
        self._leaves: dict[int, weakref.ref[torch.Tensor]] = {}

    def note(self, tensor: torch.Tensor, cause: Cause) -> None:
        """Record that something was cut from a tensor, and what that was computed from."""
        with plain_tensors():
            grad_fn = own_grad_fn(tensor)
            key = self._leaf(tensor) if grad_fn is None else key_of(tensor)
            if key not in self._seen and len(self._made) < MAX_CUTS:
                self._seen.add(key)
                self._made.append((key, cause))
            if grad_fn is not None:
                self._walk(grad_fn)

    def _leaf(self, leaf: torch.Tensor) -> Key:
        self._leaves[id(leaf)] = weakref.ref(leaf)
        return id(leaf), ""

    def _walk(self, grad_fn: GradFn) -> None:
        """Keep the edges of a graph, but for the parts whose edges are kept already."""
        edges = self._used
        stack = [grad_fn]
        while stack and len(edges) < MAX_NODES:
            fn = stack.pop()
            number = sequence_number(fn)
            key = number, op_name(fn)
            if number == UNNUMBERED or key in edges:
                continue
            edges[key] = used = []
            for before, _ in fn.next_functions:
                if before is None:
                    continue
                if is_accumulate_grad(before):
                    used.append(self._leaf(before.variable))  # type: ignore[attr-defined]
                else:
                    used.append((sequence_number(before), op_name(before)))
                    stack.append(before)

    # --- answers ---

    def of(self, tensor: torch.Tensor) -> Cause | None:
        """Return the first cut from a tensor itself."""
        key = key_of(tensor)
        return next((cause for cut, cause in self._made if cut == key), None)

    def behind(self, causes: Iterable[Cause] | None = None) -> Behind:
        """Return what is behind the cuts with those causes, or else behind any."""
        cuts = self._made
        if causes is not None:
            cuts = [(_origin(cause.of), cause) for cause in causes if cause.of is not None]
        found: dict[Key, Cause] = {}
        for cut, cause in cuts:
            stack = [cut]
            while stack:
                key = stack.pop()
                if key not in found:
                    found[key] = cause
                    stack += self._used.get(key, ())
        return Behind(found, self._leaves)


class Behind:
    """Tensors behind cuts, each with the cause of the first one."""

    def __init__(
        self, found: dict[Key, Cause], leaves: dict[int, weakref.ref[torch.Tensor]]
    ) -> None:
        self._found = found
        self._leaves = leaves

    def of(self, tensor: torch.Tensor) -> Cause | None:
        """Return the cause of the first cut that a tensor is behind; None if it is behind none."""
        key = key_of(tensor)
        if not key[1]:  # another leaf may have had the id
            leaf = self._leaves.get(id(tensor))
            if leaf is None or leaf() is not tensor:
                return None
        return self._found.get(key)
