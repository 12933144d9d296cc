"""Names that a program gives its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.tracing.internals import own_attribute, plain_tensors
from sphinx_autogradgraph.tracing.reach import STEPS, Found, Reach


class Names:
    """The names of tensors in namespaces: of leaves by identity, else by ``(grad_fn, output)``.

    The ``given`` names come first, then parameters and buffers of modules in reach, then plain
    variables, then what lists, dicts and objects hold.  Among equals the first found wins.  The
    objects are kept alive, so that no other object can get the id of one.
    """

    def __init__(
        self,
        *namespaces: Mapping[str, object],
        given: Mapping[str, torch.Tensor] | None = None,
    ) -> None:
        self._namespaces = namespaces
        self._given = given
        self.nodes = 0
        """Number of nodes to name, which limits how long the search may take."""

    @cached_property
    def reach(self) -> Reach:
        """All that the variables reach."""
        return Reach(self._namespaces, self._given, steps=STEPS + self.nodes)

    @cached_property
    def _found(self) -> tuple[dict[int, Found], dict[GradFn, dict[int, Found]]]:
        leaves: dict[int, Found] = {}
        outputs: dict[GradFn, dict[int, Found]] = {}
        with plain_tensors():
            for found in sorted(self.reach.tensors, key=lambda found: found.rank.value):
                grad_fn = own_attribute(found.tensor, "grad_fn")
                if grad_fn is None:
                    leaves.setdefault(id(found.tensor), found)
                else:
                    output = own_attribute(found.tensor, "output_nr")
                    outputs.setdefault(grad_fn, {}).setdefault(output, found)
        return leaves, outputs

    def intermediates(self) -> list[torch.Tensor]:
        """Return the tensors that have a grad_fn."""
        return [found.tensor for several in self._found[1].values() for found in several.values()]

    def knows(self, grad_fn: GradFn) -> bool:
        """Whether a tensor with that ``grad_fn`` was found."""
        return grad_fn in self._found[1]

    def tensors_of(self, grad_fn: GradFn) -> list[torch.Tensor]:
        """Return the tensors with that ``grad_fn``."""
        several = self._found[1].get(grad_fn)
        return [] if several is None else [found.tensor for found in several.values()]

    def of_leaf(self, tensor: torch.Tensor) -> str | None:
        """Return the name of a tensor without a grad_fn."""
        found = self._found[0].get(id(tensor))
        return None if found is None else str(found.path)

    def of_output(self, grad_fn: GradFn, output: int) -> str | None:
        """Return the name of the tensor with that ``grad_fn`` and output number."""
        several = self._found[1].get(grad_fn)
        found = None if several is None else several.get(output)
        return None if found is None else str(found.path)

    def module_paths(self) -> dict[int, str]:
        """Return the paths of the program's modules, by their ids: ``net``, ``net.0``."""
        return {id: str(found.path) for id, found in self.reach.modules.items()}
