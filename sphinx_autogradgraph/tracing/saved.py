"""Tensors and values that nodes saved for backward, read without unpacking or changing anything."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.graph.model import Saved
from sphinx_autogradgraph.tracing.internals import (
    FREED,
    is_accumulate_grad,
    is_freed,
    is_packed,
    output_metadata,
    raw_saved,
    version_of,
)
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.pytree import AUTHORS_ERRORS, is_tensor, short_type_name
from sphinx_autogradgraph.tracing.tensor_metadata import describe, number_of

PREFIX, RAW = "_saved_", "_raw_saved_"

NOISE = re.compile(
    r".+_sym_\w+|(self|input|other|weight|grad_output|tensors?)_"
    r"(sizes|strides|numel|dim|scalar_type|options|layout|requires_grad)"
)
"""Names under which nodes save the sizes, strides and the like of their operands; skipped."""

MAX_ITEMS = 16
"""Maximum number of items of a list; texts may have four times as many characters."""


def saved_by(
    fn: GradFn, names: Names, id_of: Callable[[torch.Tensor], int | None], own: int
) -> tuple[Saved, ...]:
    """Return the tensors and other values that a node saved, by torch's or the author's names.

    ``own`` is the node's id; ``id_of`` finds that of the node that produced a tensor.  Hooks on
    saved tensors, and so checkpoints, are not called.  Arguments that were None are left out, and
    so is :data:`NOISE`.
    """
    found = [*_built_in(fn), *_custom(fn)]
    changed = {id(tensor) for _, tensor, _ in versions_of_changed(fn)}
    result = []
    for role, value in found:
        if type(value) is Saved:
            result.append(value)
            continue
        if not is_tensor(value):
            result.append(Saved(role, value=value))
            continue
        meta = describe(value)
        node = id_of(value)
        name = None
        if node is None:
            name = names.of_leaf(value)
        if node is None and name is None and _is_result(fn, role, value):
            node = own
        number = number_of(value) if node is None and name is None else None
        if number is not None:  # autograd made a tensor of it: the 2 of ``x / 2``
            result.append(Saved(role, value=_plain(number)))
            continue
        item = Saved(role, shape=meta.shape, dtype=meta.dtype, node=node, name=name)
        result.append(item.replace(changed=True) if id(value) in changed else item)
    return tuple(result)


def _built_in(fn: GradFn) -> Iterator[tuple[str, Any]]:
    """Yield what a node of torch's own saved."""
    for role in _roles(type(fn)):
        raw = raw_saved(fn, RAW + role)
        if raw is FREED:
            yield role, Saved(role, freed=True)
        elif raw is None:
            value = _plain(_read(fn, PREFIX + role))
            if value is not None:
                yield role, value
        elif isinstance(raw, (tuple, list)):
            for index, item in enumerate(raw):
                yield from _tensor(fn, f"{role}[{index}]", item, PREFIX + role)
        else:
            yield from _tensor(fn, role, raw, PREFIX + role)


@cache
def _roles(kind: type) -> tuple[str, ...]:
    """Return the names under which nodes of a type save something; cached, because it is slow."""
    names = [name.removeprefix(PREFIX) for name in dir(kind) if name.startswith(PREFIX)]
    return tuple(name for name in names if not NOISE.fullmatch(name))


def _custom(fn: GradFn) -> Iterator[tuple[str, Any]]:
    """Yield what a custom Function saved, and what its ``forward`` kept on ``ctx``."""
    if is_accumulate_grad(fn):
        return
    tensors = raw_saved(fn, f"{RAW}tensors")
    if tensors is FREED:
        yield "saved_tensors", Saved("saved_tensors", freed=True)
    else:
        for index, raw in enumerate(tensors or ()):
            yield from _tensor(fn, f"saved_tensors[{index}]", raw)
    kept: Mapping[str, object] = getattr(fn, "__dict__", {})
    for name, value in list(kept.items()):
        if is_tensor(value):
            yield name, value
        elif value is not None and not name.startswith("_"):
            plain = _plain(value)
            # Not by its repr, which would run the author's code.
            yield name, short_type_name(value) if plain is None else plain


def _tensor(
    fn: GradFn, role: str, raw: Any, attribute: str | None = None
) -> Iterator[tuple[str, Any]]:
    """Yield the saved tensor in torch's holder; nothing where an argument was None.

    ``attribute`` is the name of the attribute that unpacks it, where there is one.
    """
    if raw is None:
        return
    if is_packed(raw):
        yield role, Saved(role)
    elif raw.data is not None:
        yield role, raw.data
    elif attribute is not None and is_freed(fn, attribute):
        yield role, Saved(role, freed=True)


def tensors_saved_by(fn: GradFn) -> Iterator[tuple[torch.Tensor, bool]]:
    """Yield the tensors that a node keeps, and whether each is the node's own result."""
    for role, value in (*_built_in(fn), *_custom(fn)):
        if is_tensor(value):
            yield value, role.startswith("result")


def versions_of_changed(fn: GradFn) -> Iterator[tuple[str, torch.Tensor, int]]:
    """Yield the saved tensors that were changed in place since, with the version that was saved.

    Torch keeps that version private, and tells it only in the error for reading the tensor.
    """
    if is_accumulate_grad(fn):
        return
    for role in (*_roles(type(fn)), "tensors"):
        attribute = "saved_tensors" if role == "tensors" else PREFIX + role
        raws = raw_saved(fn, RAW + role)
        several = raws if isinstance(raws, (tuple, list)) else (raws,)
        tensors = [
            raw.data
            for raw in several
            if raw is not None and raw is not FREED and not is_packed(raw) and raw.data is not None
        ]
        if all(version_of(tensor) in (None, 0) for tensor in tensors):
            continue
        try:
            getattr(fn, attribute)
        except RuntimeError as error:
            found = _VERSIONS.search(str(error))
            if found is not None:
                version = int(found[2])
                changed = [tensor for tensor in tensors if version_of(tensor) == int(found[1])]
                yield role, (changed or tensors)[0], version


_VERSIONS = re.compile(r"is at version (\d+); expected version (\d+)")


def _is_result(fn: GradFn, role: str, value: torch.Tensor) -> bool:
    """Whether a saved tensor is the node's own result, which torch keeps without its history."""
    shapes = [describe(meta).shape for meta in output_metadata(fn)]
    return role.startswith("result") and describe(value).shape in shapes


def _read(fn: GradFn, name: str) -> object:
    try:
        return getattr(fn, name, None)
    except RuntimeError:  # freed
        return None


def _plain(value: object) -> Any:
    """Return a value that is no tensor as data for JSON; None if it cannot be shown."""
    try:
        return _data_of(value)
    except AUTHORS_ERRORS:  # the author's own class
        return None


def _data_of(value: object) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        # Some arguments that may be negative come as unsigned numbers.
        return value - 2**64 if value >= 2**63 else value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return value if len(value) <= 4 * MAX_ITEMS else f"{value[: 4 * MAX_ITEMS]}…"
    if isinstance(value, (complex, torch.dtype, torch.device)):
        return str(value).removeprefix("torch.")
    if isinstance(value, (tuple, list)):
        return _plain_list(value)
    return None


def _plain_list(values: Sequence[object]) -> list[Any] | None:
    found = [_plain(value) for value in values[:MAX_ITEMS] if not isinstance(value, (tuple, list))]
    if not found or None in found:
        return None
    return [*found, "…"] if len(values) > MAX_ITEMS else found
