"""Walk through nested containers, with the path of each value: ``out['boxes']``, ``out[1]``.

It serves the search for tensors to draw and the search for names.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeGuard

import torch

MAX_DEPTH = 6
"""Maximum depth of nested containers searched."""

MAX_VALUES = 20_000
"""Maximum number of values searched, so that a data set costs no more than a list."""

AUTHORS_ERRORS = (Exception, SystemExit, GeneratorExit)
"""Exceptions that the author's own methods may raise where they are asked about a value.

:exc:`KeyboardInterrupt` is none of them: it is the Ctrl-C of whoever draws.
"""

LITERALS = frozenset({str, int, bool, float, bytes, type(None)})
"""Types of the keys whose ``repr`` is how Python writes them."""


def is_tensor(value: object) -> TypeGuard[torch.Tensor]:
    """Whether ``value`` is a tensor, by its real type: a proxy's ``__class__`` may run code."""
    return issubclass(type(value), torch.Tensor)


def is_module(value: object) -> TypeGuard[torch.nn.Module]:
    """Whether ``value`` is an ``nn.Module``, by its real type."""
    return issubclass(type(value), torch.nn.Module)


def type_name(value: object) -> str:
    """Return the name of a value's real type, without running code of its metaclass."""
    return _TYPE_NAME(type(value))


def short_type_name(value: object) -> str:
    """Return :func:`type_name` without the names of what the type is defined in."""
    return type_name(value).rpartition(".")[2]


_TYPE_NAME: Callable[[type], str] = type.__dict__["__qualname__"].__get__


def variables(namespace: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Return the author's variables, without those that Python itself keeps there.

    Keys of ``globals()`` that are no names are skipped.
    """
    for name, value in list(namespace.items()):
        if type(name) is str and not (name.startswith("__") and name.endswith("__")):
            yield name, value


def places(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield the values in a container with their paths, in order; ``value`` itself if it is none.

    Containers are tuples, lists, dicts, dataclasses and named tuples (attributes for the last
    two), however nested; one that contains itself is entered once.  Keys that are not written as
    literals (or tuples of them) are skipped, because they have no path that could be written.
    """
    stack: list[tuple[str, object, int]] = [(name, value, 0)]
    entered: set[int] = set()
    seen = 0
    while stack:
        place, item, depth = stack.pop()
        parts = None if depth >= MAX_DEPTH or id(item) in entered else _parts(place, item)
        if parts is None:
            yield place, item
            continue
        entered.add(id(item))
        parts = parts[: MAX_VALUES - seen]
        seen += len(parts)
        stack += [(part, held, depth + 1) for part, held in reversed(parts)]


def tensors_in(name: str, value: object) -> list[tuple[str, torch.Tensor]]:
    """Yield the tensors among :func:`places`."""
    return [(place, item) for place, item in places(name, value) if is_tensor(item)]


def _parts(place: str, value: object) -> list[tuple[str, Any]] | None:
    """Return the keys and values of a container, None for anything else."""
    kind = type(value)
    if is_tensor(value) or is_module(value):
        return None
    if issubclass(kind, tuple):
        fields = getattr(kind, "_fields", None)
        items: list[Any] = list(tuple.__iter__(value))  # type: ignore[arg-type]
        if isinstance(fields, tuple) and len(fields) == len(items):
            return [(f"{place}.{key}", item) for key, item in zip(fields, items, strict=True)]
        return [(f"{place}[{index}]", item) for index, item in enumerate(items)]
    if issubclass(kind, list):
        items = list(list.__iter__(value))  # type: ignore[arg-type]
        return [(f"{place}[{index}]", item) for index, item in enumerate(items)]
    if _is_mapping(kind):
        try:
            return [
                (f"{place}[{key!r}]", item)
                for key, item in value.items()  # type: ignore[attr-defined]
                if _is_literal(key)
            ]
        except AUTHORS_ERRORS:  # the author's own Mapping
            return None
    with suppress(*AUTHORS_ERRORS):  # the author's own metaclass or attributes
        if dataclasses.is_dataclass(kind):
            held = getattr(value, "__dict__", {})
            return [
                (f"{place}.{field.name}", held[field.name])
                for field in dataclasses.fields(kind)
                if field.name in held
            ]
    return None


def has_key_without_path(value: object) -> bool:
    """Whether a value is a mapping with a key that is not written as a literal."""
    with suppress(*AUTHORS_ERRORS):  # the author's own Mapping
        return _is_mapping(type(value)) and not all(map(_is_literal, value))  # type: ignore[call-overload]
    return False


def _is_literal(key: object) -> bool:
    if type(key) is tuple:
        return all(type(part) in LITERALS for part in key)
    return type(key) in LITERALS


def _is_mapping(kind: type) -> bool:
    try:
        return issubclass(kind, Mapping)
    except AUTHORS_ERRORS:  # a metaclass that forbids to hash or to ask
        return False
