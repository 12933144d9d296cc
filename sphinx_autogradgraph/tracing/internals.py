"""Torch's names without a promise of stability, all in this module.

Each function says what is lost where torch lacks the name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.autograd.graph import Node as GradFn

UNNUMBERED = 2**64 - 1
"""The sequence number of ``AccumulateGrad`` and of the nodes that raise when they are reached."""


def sequence_number(fn: GradFn) -> int:
    """The stamp that autograd gave a node when it made it, counted per thread.

    Without ``Node._sequence_nr`` every node is :data:`UNNUMBERED`: nodes are then numbered in
    another, still valid, forward order.
    """
    read = getattr(fn, "_sequence_nr", None)
    return UNNUMBERED if read is None else int(read())


def output_metadata(fn: GradFn) -> Sequence[Any]:
    """Shape, dtype and device of what the forward operation of ``fn`` produced, by output number.

    Without ``Node._input_metadata`` it is empty: shapes, dtypes and devices are then unknown.
    """
    found: Sequence[Any] = getattr(fn, "_input_metadata", ())
    return found


def is_accumulate_grad(fn: GradFn) -> bool:
    """Whether ``fn`` accumulates the gradient of a leaf.

    By type, not by the attribute ``variable``: a custom Function may have set one on its ``ctx``.
    Where torch has no such type, by the type's name.
    """
    if _AccumulateGrad is None:
        return type(fn).__name__ == "AccumulateGrad"
    return type(fn) is _AccumulateGrad


_AccumulateGrad = getattr(torch._C._functions, "AccumulateGrad", None)


def _never() -> int:
    return 0


next_sequence_number: Callable[[], int] = getattr(torch._C._autograd, "_get_sequence_nr", _never)
"""The stamp that the next node made in this thread will get.

Torch's own function, for it is called a lot.  Without ``_get_sequence_nr`` it is always 0: no node
is known to come from anywhere.
"""
