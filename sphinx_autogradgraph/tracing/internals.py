"""Torch's names without a promise of stability, all in this module.

Each function says what is lost where torch lacks the name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import CodeType
from typing import Any

import torch
from torch.autograd.graph import Node as GradFn
from torch.overrides import TorchFunctionMode

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


plain_tensors: Callable[[], AbstractContextManager[object]] = getattr(
    torch._C, "DisableTorchFunction", nullcontext
)
"""A context in which reading attributes of a tensor runs nobody's code, a subclass's or a mode's.

Without ``DisableTorchFunction`` that code runs.
"""


def base_of(tensor: torch.Tensor) -> torch.Tensor | None:
    """The tensor of which this one is a view; None for others.

    Without ``Tensor._base`` no tensor is known to be a view.
    """
    with plain_tensors():
        base: torch.Tensor | None = getattr(tensor, "_base", None)
    return base


def _never() -> int:
    return 0


next_sequence_number: Callable[[], int] = getattr(torch._C._autograd, "_get_sequence_nr", _never)
"""The stamp that the next node made in this thread will get.

Torch's own function, for it is called a lot.  Without ``_get_sequence_nr`` it is always 0: no node
is known to come from anywhere.
"""


FREED = object()
"""What :func:`raw_saved` gives where torch cannot say more than that a backward has freed it."""


def raw_saved(fn: GradFn, name: str) -> Any:
    """Torch's holder of a saved tensor, or a tuple of such; None where there is none.

    It may be used only as long as ``fn`` is held: torch does not keep what it points into alive.
    Without the ``_raw_saved_*`` attributes no saved tensor is known.
    """
    try:
        return getattr(fn, name, None)
    except RuntimeError:  # lists, and what custom Functions saved
        return FREED


def is_packed(raw: Any) -> bool:
    """Whether hooks have packed a saved tensor: unpacking it would run somebody's code.

    Without ``SavedTensor.unpack_hook`` a tensor that hooks have packed as a tensor passes for it.
    """
    return getattr(raw, "unpack_hook", None) is not None or not isinstance(
        raw.data, (torch.Tensor, type(None))
    )


def is_freed(fn: GradFn, name: str) -> bool:
    """Whether a saved tensor of which nothing is held is gone, and not None from the start.

    To be asked only of one that is not packed: reading the attribute would unpack it.
    """
    try:
        getattr(fn, name)
    except RuntimeError:
        return True
    return False


DYNAMO = os.path.join("torch", "_dynamo", "eval_frame.py")
"""The end of the path of the file through which compiled code is entered."""

_ENTRIES = {
    "compile_wrapper",
    "_TorchDynamoContext.__call__.<locals>.compile_wrapper",
    "_TorchDynamoContext.__call__.<locals>._fn",
    "OptimizedModule.__call__",
}


def enters_compiled_code(code: CodeType) -> bool:
    """Whether a function of :data:`DYNAMO` is one that runs what ``torch.compile`` was given.

    Where torch calls these functions otherwise, recorded graphs of compiled code are in pieces.
    """
    return getattr(code, "co_qualname", code.co_name) in _ENTRIES


def set_aside(mode: TorchFunctionMode) -> Callable[[], None]:
    """Take a mode out of the middle of the modes that are on; what is returned puts it back."""
    above: list[TorchFunctionMode] = []
    found = False
    while not found and torch._C._len_torch_function_stack():
        top = torch._C._pop_torch_function_stack()
        found = top is mode
        if not found:
            above.append(top)
    for other in reversed(above):
        torch._C._push_on_torch_function_stack(other)

    def back() -> None:
        if found:  # it is off while it handles a call
            others = [torch._C._pop_torch_function_stack() for _ in above]
            for item in (mode, *reversed(others)):
                torch._C._push_on_torch_function_stack(item)

    return back


def op_name(fn: GradFn) -> str:
    """The name of a node's operation as torch prints it: ``MmBackward0``.

    By the type, because an attribute ``name`` of a custom Function's ``ctx`` hides the method;
    for nodes that torch knows in C++ only, by the method, without the namespace.
    """
    name = type(fn).__name__
    if name == "CppFunction":
        name = fn.name()
    return name.rpartition("::")[2]
