"""Functions of torch that say why a tensor does not require grad, by what they do."""

from __future__ import annotations

from typing import Any

import torch

from sphinx_autogradgraph.tracing.changes import Call

_TORCH: Any = torch  # some of whose functions have no types
_DESCRIPTORS: Any = torch.Tensor  # whose attributes are getters and setters, not values
DATA = _DESCRIPTORS.data.__get__
SETS_DATA = _DESCRIPTORS.data.__set__
READS_GRADIENT = _DESCRIPTORS.grad.__get__
SETS_REQUIRES_GRAD = _DESCRIPTORS.requires_grad.__set__

COPIES: set[Call] = {torch.tensor, torch.asarray, torch.as_tensor, torch.Tensor.new_tensor}
"""Functions that make tensors of numbers, and copy given tensors without their history."""

IGNORES_VALUES: set[Call] = {
    getattr(owner, name)
    for owner, names in (
        (torch, [name for name in dir(torch) if name.endswith("_like")]),
        (torch.Tensor, [name for name in dir(torch.Tensor) if name.startswith("new_")]),
    )
    for name in names
} - {torch.Tensor.new_tensor}
"""Functions whose results depend on the shapes of their operands only."""

NOTED_ELSEWHERE: set[Call] = {torch.Tensor.detach_, READS_GRADIENT, torch.autograd.grad}
"""Functions whose results are not made of the values of their operands."""

OVERWRITES: set[Call] = {
    torch.Tensor.copy_,
    torch.Tensor.zero_,
    torch.Tensor.fill_,
    torch.Tensor.normal_,
    torch.Tensor.uniform_,
}
"""Functions after which nothing is left of what a tensor held before."""

FROM_ELSEWHERE: set[Call] = {
    torch.Tensor.set_,
    torch.frombuffer,
    _TORCH.from_dlpack,
    torch.from_file,
}
"""Functions that take memory, of which it is not known how it got its numbers."""

SWITCHES: set[Call] = {
    torch.Tensor.detach_,
    torch.Tensor.requires_grad_,
    SETS_REQUIRES_GRAD,
}
"""Functions that change requires_grad of a tensor itself."""

PARAMETER = "Parameter"
"""The function of causes of cuts by :class:`torch.nn.Parameter`."""

BACKWARDS: set[Call] = {torch.Tensor.backward, torch.autograd.backward}
"""Functions that compute gradients, which :data:`READS_GRADIENT` reads later."""

DETACHES: dict[Call, str] = {
    torch.Tensor.detach: "detach",
    torch.Tensor.detach_: "detach_",
    torch.detach: "detach",
    DATA: "data",
    torch.Tensor.numpy: "numpy",
    torch.Tensor.__array__: "numpy",
    torch.Tensor.item: "item",
    torch.Tensor.tolist: "tolist",
    torch.Tensor.__float__: "float",
    torch.Tensor.__int__: "int",
    **{function: getattr(function, "__name__", "tensor") for function in COPIES},
}
"""Functions whose results are cut from the graph, with their common names."""
