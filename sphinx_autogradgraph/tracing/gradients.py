"""What gradient arrives at each node, measured by one real backward."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph.model import Gradient
from sphinx_autogradgraph.tracing.internals import is_accumulate_grad
from sphinx_autogradgraph.tracing.tensor_metadata import small_values

FREED = Message(
    "Gradients could not be measured: the program has called backward() already, which freed what "
    "it needs; call backward(retain_graph=True) there, or draw before it."
)


def measure(
    outputs: Sequence[torch.Tensor],
    functions: Sequence[GradFn],
    retaining: Sequence[torch.Tensor] = (),
    *,
    values: bool = False,
) -> tuple[Mapping[GradFn, Gradient], Message | None]:
    """The gradient that arrives at each of the nodes in a backward from the outputs.

    The gradient of an output that is no scalar is taken as ones.  With ``values`` the elements of
    small gradients are kept, too.  The graph is retained; leaves,
    and the tensors that are ``retaining`` their gradient, keep the ``grad`` that they have.  With
    the gradients comes, in words, the reason why there are none: None if there are.
    """
    arrived: dict[GradFn, Gradient] = {}

    def note(fn: GradFn, gradients: Sequence[torch.Tensor | None]) -> None:
        arrived.setdefault(fn, _gradient(gradients, len(arrived) + 1, values))

    handles = [
        fn.register_prehook(lambda gradients, fn=fn: note(fn, gradients)) for fn in functions
    ]
    leaves = [fn.variable for fn in functions if is_accumulate_grad(fn)]  # type: ignore[attr-defined]
    try:
        with _untouched([*leaves, *retaining]):
            torch.autograd.backward(
                list(outputs),
                grad_tensors=[torch.ones_like(output) for output in outputs],
                retain_graph=True,
            )
    except Exception as error:
        first = str(error).partition("\n")[0]
        freed = "backward through the graph a second time" in first
        return {}, FREED if freed else Message(
            "Gradients could not be measured: {error}",
            {"error": f"{type(error).__name__}: {first}"},
        )
    finally:
        for handle in handles:
            handle.remove()
    return arrived, None


@contextmanager
def _untouched(tensors: Sequence[torch.Tensor]) -> Iterator[None]:
    """Give tensors back the gradients that they had."""
    before = [tensor.grad for tensor in tensors]
    for tensor in tensors:
        tensor.grad = None
    try:
        yield
    finally:
        for tensor, gradient in reversed(list(zip(tensors, before, strict=True))):
            tensor.grad = gradient


def _gradient(gradients: Sequence[torch.Tensor | None], order: int, values: bool) -> Gradient:
    """Of the gradients of a node's outputs the shape of the first, and the norm of all."""
    found = [gradient.detach() for gradient in gradients if gradient is not None]
    shape = None
    squares = 0.0
    try:
        shape = tuple(int(size) for size in found[0].shape)
        squares = sum(float(torch.linalg.vector_norm(_dense(item))) ** 2 for item in found)
    except Exception:  # nested tensors and the like
        squares = math.nan
    norm = math.sqrt(squares) if math.isfinite(squares) else math.nan
    # Four digits: more would differ from machine to machine.
    return Gradient(
        shape,
        float(f"{norm:.4g}") if math.isfinite(norm) else None,
        order,
        small_values(found[0]) if values and len(found) == 1 else None,
    )


def _dense(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to_dense() if tensor.layout != torch.strided else tensor
