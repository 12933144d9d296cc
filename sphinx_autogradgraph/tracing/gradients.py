"""Gradients that arrive at each node and pass each edge, measured by one real backward."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph.model import EdgeGradient, Gradient
from sphinx_autogradgraph.tracing.internals import own_attribute
from sphinx_autogradgraph.tracing.pytree import AUTHORS_ERRORS
from sphinx_autogradgraph.tracing.tensor_metadata import small_values

FREED = Message(
    "Gradients could not be measured: the program has called backward() already, which freed what "
    "it needs; call backward(retain_graph=True) there, or draw before it."
)

Arrived: TypeAlias = "Callable[[GradFn, Sequence[torch.Tensor | None]], object]"
"""A function called with a node and the gradients of its outputs."""

Sent: TypeAlias = "Callable[[GradFn, Sequence[torch.Tensor | None]], object]"
"""A function called with a node and the gradients of its inputs, by input number."""


def measure(
    outputs: Sequence[torch.Tensor], functions: Sequence[GradFn], leaves: Sequence[GradFn]
) -> tuple[Mapping[GradFn, Gradient], Mapping[tuple[GradFn, int], EdgeGradient], Message | None]:
    """Return the gradients in a backward from the outputs: at each node, and along each edge.

    An edge is given by the node that it goes into and the input number there.  The third value is
    None, or the reason in words why nothing could be measured.
    """
    arrived: dict[GradFn, Gradient] = {}
    sent: dict[tuple[GradFn, int], EdgeGradient] = {}

    def note_arrived(fn: GradFn, gradients: Sequence[torch.Tensor | None]) -> None:
        if fn not in arrived:
            found = [gradient for gradient in gradients if gradient is not None]
            shape, norm = _shape_and_norm(found)
            values = small_values(found[0]) if len(found) == 1 else None
            arrived[fn] = Gradient(shape, norm, len(arrived) + 1, values)

    def note_sent(fn: GradFn, gradients: Sequence[torch.Tensor | None]) -> None:
        for input, gradient in enumerate(gradients):
            if gradient is not None:
                shape, norm = _shape_and_norm([gradient])
                sent.setdefault((fn, input), EdgeGradient(shape, norm, small_values(gradient)))

    try:
        run_backward(outputs, functions, leaves, note_arrived, note_sent)
    except AUTHORS_ERRORS as error:
        first = _first_line(error)
        freed = "backward through the graph a second time" in first
        reason = (
            FREED
            if freed
            else Message(
                "Gradients could not be measured: {error}",
                {"error": f"{type(error).__name__}: {first}"},
            )
        )
        return {}, {}, reason
    return arrived, sent, None


def _first_line(error: BaseException) -> str:
    try:
        return str(error).partition("\n")[0]
    except AUTHORS_ERRORS:  # of the author's own __str__
        return ""


def run_backward(
    outputs: Sequence[torch.Tensor],
    functions: Sequence[GradFn],
    leaves: Sequence[GradFn],
    arrived: Arrived,
    sent: Sent,
) -> None:
    """Run a backward from the outputs, and report the gradients in the order of its visits.

    The gradient of an output that is no scalar is taken as ones.  The graph is retained.  The hooks
    of the program run, except those that wait for a leaf's accumulation: nothing is accumulated.
    Every tensor that retains its gradient keeps the one that it had.
    """
    handles = []
    for fn in functions:
        handles.append(fn.register_prehook(lambda gradients, fn=fn: _tell(arrived, fn, gradients)))
        handles.append(fn.register_hook(lambda found, _, fn=fn: _tell(sent, fn, found)))
    # One that was frozen after its use is still in the graph.
    leaves = [fn for fn in leaves if fn.variable.requires_grad]  # type: ignore[attr-defined]
    variables: list[torch.Tensor] = [fn.variable for fn in leaves]  # type: ignore[attr-defined]
    for fn, variable in zip(leaves, variables, strict=True):
        handles.append(
            variable.register_hook(  # type: ignore[no-untyped-call]
                lambda gradient, fn=fn: _tell(arrived, fn, [gradient])
            )
        )
    try:
        with _untouched(_retaining(set(functions))):
            torch.autograd.grad(
                list(outputs),
                variables,
                [torch.ones_like(output) for output in outputs],
                retain_graph=True,
                allow_unused=True,
            )
    finally:
        for handle in handles:
            handle.remove()


def _tell(
    whom: Callable[[GradFn, Sequence[torch.Tensor | None]], object],
    fn: GradFn,
    gradients: Sequence[torch.Tensor | None],
) -> None:
    whom(fn, [None if gradient is None else gradient.detach() for gradient in gradients])


def _retaining(functions: set[GradFn]) -> list[torch.Tensor]:
    """Return all living tensors that those functions made and that retain their gradient."""
    # Only the garbage collector knows tensors that the program holds in places unknown to us.
    return [
        value
        for value in gc.get_objects()
        if issubclass(type(value), torch.Tensor)
        and own_attribute(value, "retains_grad")
        and own_attribute(value, "grad_fn") in functions
    ]


@contextmanager
def _untouched(tensors: Sequence[torch.Tensor]) -> Iterator[None]:
    """Restore the gradients of tensors at the end of the block."""
    before = [tensor.grad for tensor in tensors]
    for tensor in tensors:
        tensor.grad = None
    try:
        yield
    finally:
        for tensor, gradient in reversed(list(zip(tensors, before, strict=True))):
            tensor.grad = gradient


def _shape_and_norm(
    gradients: Sequence[torch.Tensor],
) -> tuple[tuple[int, ...] | None, float | None]:
    """Return the shape of the first gradient, and the norm of all together."""
    shape = None
    squares = 0.0
    try:
        shape = tuple(int(size) for size in gradients[0].shape)
        squares = sum(float(torch.linalg.vector_norm(_dense(item))) ** 2 for item in gradients)
    except AUTHORS_ERRORS:  # nested tensors and the like
        squares = math.nan
    norm = math.sqrt(squares) if math.isfinite(squares) else math.nan
    # Four digits: more would differ from machine to machine.
    return shape, float(f"{norm:.4g}") if math.isfinite(norm) else None


def _dense(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to_dense() if tensor.layout != torch.strided else tensor
