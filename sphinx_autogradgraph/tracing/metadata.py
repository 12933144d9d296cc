"""Shape, dtype and device of tensors, as far as torch can tell."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import torch

from sphinx_autogradgraph.graph import TensorMeta

T = TypeVar("T")


def describe(tensor: object, name: str | None = None) -> TensorMeta:
    """Shape, dtype and device of a tensor, or of autograd's metadata on one.

    What torch cannot tell is None: a nested tensor has no single shape, and torch says so by
    exceptions of many kinds.
    """
    try:
        dtype, device = tensor.dtype, tensor.device  # type: ignore[attr-defined]
        shape = tuple(map(int, tensor.shape))  # type: ignore[attr-defined]
        return TensorMeta(shape, _dtype_name(dtype), _device_name(device), name)
    except Exception:
        return TensorMeta(
            _known(lambda: tuple(map(int, tensor.shape))),  # type: ignore[attr-defined]
            _known(lambda: _dtype_name(tensor.dtype)),  # type: ignore[attr-defined]
            _known(lambda: _device_name(tensor.device)),  # type: ignore[attr-defined]
            name,
        )


@cache
def _dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


@cache
def _device_name(device: torch.device) -> str:
    return str(device)


def _known(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Exception:
        return None
