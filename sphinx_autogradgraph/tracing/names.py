"""What a program calls its tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.tracing.internals import plain_tensors
from sphinx_autogradgraph.tracing.pytree import is_module, is_tensor, places


class Names:
    """The names of tensors in a namespace: for leaves by identity, else by ``(grad_fn, output)``.

    Plain variables come before parameters (and buffers) of modules, and these before what lists,
    dicts and objects hold; among equals the first bound wins.  The objects whose identity is
    used are held, so that an id cannot be given to another object meanwhile.
    """

    def __init__(self, *namespaces: Mapping[str, object]) -> None:
        self._leaves: dict[int, str] = {}
        self._outputs: dict[tuple[GradFn, int], str] = {}
        self._held: list[torch.Tensor] = []
        for source in (_variables, parameters, _contents):
            for namespace in namespaces:
                for name, tensor in source(namespace):
                    self.add(name, tensor)

    def add(self, name: str, tensor: torch.Tensor) -> None:
        """Call ``tensor`` by ``name`` unless it has a name already."""
        self._held.append(tensor)
        with plain_tensors():
            grad_fn = tensor.grad_fn
            if grad_fn is None:
                self._leaves.setdefault(id(tensor), name)
            else:
                self._outputs.setdefault((grad_fn, tensor.output_nr), name)

    def retaining(self) -> list[torch.Tensor]:
        """The tensors that keep their gradient though they are no leaves."""
        return [tensor for tensor in self.intermediates() if tensor.retains_grad]

    def intermediates(self) -> list[torch.Tensor]:
        """The tensors that have a grad_fn."""
        return [tensor for tensor in self._held if tensor.grad_fn is not None]

    def of_leaf(self, tensor: torch.Tensor) -> str | None:
        """The name of a tensor without a grad_fn."""
        return self._leaves.get(id(tensor))

    def of_output(self, grad_fn: GradFn, output: int) -> str | None:
        """The name of the tensor that is output number ``output`` of ``grad_fn``'s operation."""
        return self._outputs.get((grad_fn, output))


def variables(namespace: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The author's variables: without those that Python keeps there itself."""
    for name, value in list(namespace.items()):
        if not (name.startswith("__") and name.endswith("__")):
            yield name, value


def _variables(namespace: Mapping[str, object]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in variables(namespace):
        if is_tensor(value):
            yield name, value  # type: ignore[misc]


def parameters(namespace: Mapping[str, object]) -> Iterator[tuple[str, torch.Tensor]]:
    """The parameters and buffers of the modules that the variables hold, by their paths."""
    for name, value in variables(namespace):
        for prefix, module in modules(name, value):
            for held in (module.named_parameters, module.named_buffers):
                # One that stands in the module twice has both names.
                yield from held(prefix, recurse=False, remove_duplicate=False)


def modules(name: str, value: object) -> Iterator[tuple[str, torch.nn.Module]]:
    """The module that a variable holds and its parts, or those of the modules in a container."""
    for place, module in places(name, value):
        if is_module(module):
            for path, part in module.named_modules():  # type: ignore[attr-defined]
                yield (f"{place}.{path}" if path else place), part


def _contents(namespace: Mapping[str, object]) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors in containers, and those that modules and plain objects hold as attributes."""
    for name, value in variables(namespace):
        for place, item in places(name, value):
            if is_tensor(item):
                yield place, item  # type: ignore[misc]
            else:
                yield from _attributes(place, item)


def _attributes(name: str, value: object) -> Iterator[tuple[str, torch.Tensor]]:
    owners = modules(name, value) if is_module(value) else [(name, value)]
    for prefix, owner in owners:
        if isinstance(owner, (type, ModuleType, FunctionType)):
            continue
        try:
            attributes = dict(object.__getattribute__(owner, "__dict__"))
        except (AttributeError, TypeError, ValueError):
            continue
        for key, attribute in attributes.items():
            if isinstance(key, str) and key.isidentifier():
                for place, item in places(f"{prefix}.{key}", attribute):
                    if is_tensor(item):
                        yield place, item  # type: ignore[misc]
