"""Hooks of the program on tensors and nodes, as far as torch tells of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import torch
from torch.autograd.graph import Node as GradFn
from torch.utils.hooks import BackwardHook, RemovableHandle

from sphinx_autogradgraph.tracing.internals import is_accumulate_grad, own_attribute
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.pytree import AUTHORS_ERRORS, type_name


def hooks_of(fn: GradFn, names: Names, *, on_nodes: bool) -> tuple[str, ...]:
    """Return the names of the hooks of a node and of its tensors, in the order in which they run.

    Hooks of a tensor are known while it is alive.  Those that were registered on the node itself
    are looked for with ``on_nodes`` only: torch tells of them to whoever registers another.
    """
    tensors = [fn.variable] if is_accumulate_grad(fn) else names.tensors_of(fn)  # type: ignore[attr-defined]
    found = [name for tensor in tensors for name in _of_tensor(tensor, "_backward_hooks")]
    if on_nodes:
        found += _of_node(fn.register_prehook)
    for tensor in tensors:
        found += _of_tensor(tensor, "_post_accumulate_grad_hooks")
    if on_nodes:
        found += _of_node(fn.register_hook)
    return tuple(found)


def handles_made() -> int:
    """Return the number of hooks that were registered in this process so far, on anything."""
    return RemovableHandle.next_id


def _of_tensor(tensor: torch.Tensor, attribute: str) -> Iterator[str]:
    hooks: Mapping[int, object] | None = own_attribute(tensor, attribute)
    for hook in list((hooks or {}).values()):
        yield from _names_of(hook)


def _of_node(register: Callable[[Any], RemovableHandle]) -> list[str]:
    """Return the names of a node's hooks, by a hook that is removed at once."""
    found: list[str] = []
    with suppress(RuntimeError):  # not every node takes hooks
        handle = register(_does_nothing)
        hooks: Mapping[int, object] = handle.hooks_dict_ref() or {}
        for hook in list(hooks.values()):
            if hook is not _does_nothing:
                found += _names_of(hook)
        handle.remove()
    return found


def _does_nothing(*_gradients: object) -> None:
    """Stand for a hook."""


def _names_of(hook: object) -> Iterator[str]:
    """Yield the name of a hook; of what torch registers for the hooks of a module, theirs.

    A hook that raises when it is looked at has the name of its type.
    """
    try:
        found = list(_own_names_of(hook))
    except AUTHORS_ERRORS:
        found = [type_name(hook)]
    yield from found


def _own_names_of(hook: object) -> Iterator[str]:
    for cell in getattr(hook, "__closure__", None) or ():
        if isinstance(cell.cell_contents, BackwardHook):
            for users in cell.cell_contents.user_hooks:
                yield _name_of(users)
            return
    yield _name_of(hook)


def _name_of(hook: object) -> str:
    """Return the name of a function: that of a method with its class, of a partial its own."""
    while hasattr(hook, "func"):
        hook = hook.func
    name = getattr(hook, "__qualname__", None)
    text = name if isinstance(name, str) else type_name(hook)
    return text.rpartition("<locals>.")[2]
