"""Torch's private names, all in this module, since they may change without notice.

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
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode

UNNUMBERED = 2**64 - 1
"""Sequence number of ``AccumulateGrad``, and of nodes that raise when a backward reaches them."""


def sequence_number(fn: GradFn) -> int:
    """Return the sequence number that autograd gave a node when it made it, counted per thread.

    Without ``Node._sequence_nr`` every node is :data:`UNNUMBERED`: nodes are then numbered in
    another, still valid, forward order.
    """
    read = getattr(fn, "_sequence_nr", None)
    return UNNUMBERED if read is None else int(read())


def output_metadata(fn: GradFn) -> Sequence[Any]:
    """Return shape, dtype and device of the outputs of ``fn``'s operation, by output number.

    Without ``Node._input_metadata`` it is empty: shapes, dtypes and devices are then unknown.
    """
    found: Sequence[Any] = getattr(fn, "_input_metadata", ())
    return found


def is_accumulate_grad(fn: GradFn) -> bool:
    """Whether ``fn`` accumulates the gradient of a leaf.

    The type decides, not the attribute ``variable``, which a custom Function may have on its
    ``ctx``.
    Where torch has no such type, the type's name decides.
    """
    if _AccumulateGrad is None:
        return type(fn).__name__ == "AccumulateGrad"
    return type(fn) is _AccumulateGrad


_AccumulateGrad = getattr(torch._C._functions, "AccumulateGrad", None)


plain_tensors: Callable[[], AbstractContextManager[object]] = getattr(
    torch._C, "DisableTorchFunction", nullcontext
)
"""A context in which reading a tensor's attributes runs no code of subclasses or modes.

Without ``DisableTorchFunction`` that code runs.
"""


_ATTRIBUTES: Any = torch.Tensor  # whose attributes are getters, not values


def own_attribute(tensor: torch.Tensor, name: str) -> Any:
    """Return an attribute as torch has it, also where a subclass has another of that name."""
    with plain_tensors():
        return getattr(_ATTRIBUTES, name).__get__(tensor)


own_grad_fn: Callable[[torch.Tensor], GradFn | None] = _ATTRIBUTES.grad_fn.__get__
"""Return a tensor's ``grad_fn`` as torch has it; for use under :data:`plain_tensors`.

It is torch's own function, for speed: it is called often."""


def requires_grad(tensor: torch.Tensor) -> bool:
    """Whether a tensor requires grad, as torch has it."""
    return bool(own_attribute(tensor, "requires_grad"))


def gradient_edge(tensor: torch.Tensor) -> tuple[GradFn, int]:
    """Return the node and output number that a tensor which requires grad comes from.

    It is what :func:`torch.autograd.graph.get_gradient_edge` gives, also for a tensor whose
    subclass has other attributes of these names.
    """
    fn: GradFn | None = own_attribute(tensor, "grad_fn")
    if fn is not None:
        return fn, own_attribute(tensor, "output_nr")
    with plain_tensors(), torch.enable_grad():
        view: Any = torch.Tensor.view_as(tensor, tensor)
    accumulates: GradFn = view.grad_fn.next_functions[0][0]
    return accumulates, 0


def base_of(tensor: torch.Tensor) -> torch.Tensor | None:
    """Return the tensor that this one is a view of, None for others.

    Without ``Tensor._base`` no tensor is known to be a view.
    """
    base: torch.Tensor | None = own_attribute(tensor, "_base") if _HAS_BASE else None
    return base


_HAS_BASE = hasattr(_ATTRIBUTES, "_base")


def is_inference(tensor: torch.Tensor) -> bool:
    """Whether a tensor was made in inference mode."""
    with plain_tensors():
        return torch.Tensor.is_inference(tensor)


def version_of(tensor: torch.Tensor) -> int | None:
    """Return how often a tensor was changed in place; None where torch does not count.

    Without ``Tensor._version`` no change is known.
    """
    if not hasattr(_ATTRIBUTES, "_version") or is_inference(tensor):
        return None
    version: int = own_attribute(tensor, "_version")
    return version


def _never() -> int:
    return 0


next_sequence_number: Callable[[], int] = getattr(torch._C._autograd, "_get_sequence_nr", _never)
"""Return the sequence number that the next node made in this thread will get.

It is torch's own function, for speed: it is called often.  Without ``_get_sequence_nr`` it is
always 0: no node is known to come from anywhere.
"""


jit_tracing: Callable[[], object] = getattr(torch._C, "_get_tracing_state", lambda: None)
"""Return the state of ``torch.jit.trace`` while it runs in this thread, else None."""


FREED = object()
"""The result of :func:`raw_saved` for what torch only tells a backward has freed."""


def raw_saved(fn: GradFn, name: str) -> Any:
    """Return torch's holder of a saved tensor, or a tuple of holders; None where there is none.

    It may be used only while ``fn`` is held, because torch does not keep its target alive.
    Without the ``_raw_saved_*`` attributes no saved tensor is known.
    """
    try:
        return getattr(fn, name, None)
    except RuntimeError:  # lists, and what custom Functions saved
        return FREED


def is_packed(raw: Any) -> bool:
    """Whether hooks have packed a saved tensor, so that unpacking it would run the program's code.

    Without ``SavedTensor.unpack_hook`` a tensor that hooks packed as a tensor is taken for it.
    """
    return getattr(raw, "unpack_hook", None) is not None or not isinstance(
        raw.data, (torch.Tensor, type(None))
    )


def is_freed(fn: GradFn, name: str) -> bool:
    """Whether an empty holder's tensor was freed, instead of being None from the start.

    Call it only for a tensor that is not packed: reading the attribute would unpack it.
    """
    try:
        getattr(fn, name)
    except RuntimeError:
        return True
    return False


class WeakStorage:
    """A weak reference to the storage of a tensor, whose address is not given again meanwhile."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self._reference: Any = StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]

    @property
    def is_alive(self) -> bool:
        """Whether a tensor still has the storage."""
        return not self._reference.expired()


DYNAMO = os.path.join("torch", "_dynamo", "eval_frame.py")
"""End of the path of the file through which compiled code is entered."""

PARAMETER_FILE = os.path.join("torch", "nn", "parameter.py")
"""End of the path of the file whose functions ``__new__`` make Parameters of their ``data``."""

_ENTRIES = {
    "compile_wrapper",
    "_TorchDynamoContext.__call__.<locals>.compile_wrapper",
    "_TorchDynamoContext.__call__.<locals>._fn",
    "OptimizedModule.__call__",
}


def enters_compiled_code(code: CodeType) -> bool:
    """Whether a function of the file :data:`DYNAMO` runs what ``torch.compile`` was given.

    Where torch names these functions otherwise, recorded graphs of compiled code are in pieces.
    """
    return getattr(code, "co_qualname", code.co_name) in _ENTRIES


def set_aside(mode: TorchFunctionMode) -> Callable[[], None]:
    """Disable a mode in the middle of the stack of modes; return a function that restores it."""
    # Torch has only the top of the stack to take off: what is above is put back.
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
    """Return the name of a node's operation as torch prints it: ``MmBackward0``.

    It is the type's name, because an attribute ``name`` of a custom Function's ``ctx`` hides the
    method.  For nodes that torch knows in C++ only it is the method's, without the namespace.
    """
    name = type(fn).__name__
    if name == "CppFunction":
        name = fn.name()
    return name.rpartition("::")[2]
