"""Shape, dtype and device of tensors, as far as torch can tell them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import torch

from sphinx_autogradgraph.graph.model import Flags, TensorMeta, Values
from sphinx_autogradgraph.tracing.internals import own_attribute, plain_tensors, requires_grad
from sphinx_autogradgraph.tracing.pytree import AUTHORS_ERRORS, is_tensor

T = TypeVar("T")


def describe(tensor: object, name: str | None = None) -> TensorMeta:
    """Return shape, dtype and device of a tensor, or of autograd's metadata on one.

    Of a tensor they are read as torch has them, also where its class has others of these names.
    What torch cannot tell is None.  A nested tensor has no single shape, for example, and torch
    raises exceptions of many kinds for it.
    """
    read: Callable[[Any, str], Any] = own_attribute if is_tensor(tensor) else getattr
    try:
        dtype, device = read(tensor, "dtype"), read(tensor, "device")
        shape = tuple(map(int, read(tensor, "shape")))
        return _meta(shape, dtype, device, name)
    except AUTHORS_ERRORS:
        return TensorMeta(
            _known(lambda: tuple(map(int, read(tensor, "shape")))),
            _known(lambda: _dtype_name(read(tensor, "dtype"))),
            _known(lambda: _device_name(read(tensor, "device"))),
            name,
        )


@lru_cache(maxsize=1024)
def _meta(
    shape: tuple[int, ...], dtype: torch.dtype, device: torch.device, name: str | None
) -> TensorMeta:
    # Kept for the next: a graph has many tensors of few kinds.
    return TensorMeta(shape, _dtype_name(dtype), _device_name(device), name)


def _dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _device_name(device: torch.device) -> str:
    return str(device)


def _known(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except AUTHORS_ERRORS:
        return None


def flags_of(tensor: torch.Tensor) -> Flags:
    """Return a tensor's is_leaf, requires_grad, retains_grad and the shape of its grad."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns who asks a tensor that keeps none
        grad = own_attribute(tensor, "grad")
        return Flags(
            own_attribute(tensor, "is_leaf"),
            own_attribute(tensor, "requires_grad"),
            own_attribute(tensor, "retains_grad"),
            None if grad is None else describe(grad).shape,
        )


def number_of(tensor: torch.Tensor) -> int | float | None:
    """Return the number that autograd turned into this tensor: the 2 of ``x / 2``; else None.

    A float32 that needs many digits is taken for a computed value, which no author wrote.
    """
    with plain_tensors():
        device: torch.device = own_attribute(tensor, "device")
        if torch.Tensor.dim(tensor) or requires_grad(tensor) or device.type != "cpu":
            return None
        value = torch.Tensor.item(tensor)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    exact = own_attribute(tensor, "dtype") in (torch.int64, torch.float64)
    if not exact and float(f"{value:.6g}") != value:
        return None
    return value


SMALL = 6
"""Maximum number of elements of a tensor whose values are shown."""


def small_values(tensor: torch.Tensor) -> Values:
    """Return the elements of a tensor with at most :data:`SMALL` of them, None for others.

    They are rounded to four digits, because more would differ from machine to machine.
    """
    try:
        with plain_tensors():
            if torch.Tensor.numel(tensor) > SMALL or own_attribute(tensor, "is_meta"):
                return None
            dense = torch.Tensor.to_dense(torch.Tensor.detach(tensor))
            return _rounded(torch.Tensor.tolist(dense))
    except AUTHORS_ERRORS:  # nested, batched and other tensors that have no values of their own
        return None


def _rounded(value: Any) -> Values:
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else str(value)
    if isinstance(value, complex):
        return f"{value:.4g}"
    number: bool | int = value
    return number
