"""How many bytes each node keeps alive for backward."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.tracing.internals import plain_tensors
from sphinx_autogradgraph.tracing.saved import tensors_saved_by


def saved_bytes(
    functions: Sequence[GradFn],
    leaves: Iterable[torch.Tensor],
    inputs: Iterable[int] | None,
) -> Mapping[GradFn, int]:
    """The bytes of the storages that each node keeps, where it keeps any.

    A storage counts whole, and once: at the first node in forward order.  Those of leaves do not,
    nor those of ``inputs``, by their addresses; where these are not known, every tensor without
    history that the node did not produce itself passes for one.
    """
    counted = {storage_of(leaf)[0] for leaf in leaves}
    counted.update(inputs or ())
    found: dict[GradFn, int] = {}
    for fn in functions:
        total = 0
        for tensor, own in tensors_saved_by(fn):
            address, size = storage_of(tensor)
            with plain_tensors():
                is_input = inputs is None and not own and tensor.grad_fn is None
            if address in counted or is_input:
                continue
            counted.add(address)
            total += size
        if total:
            found[fn] = total
    return found


def storage_of(tensor: torch.Tensor) -> tuple[int, int]:
    """The address of a tensor's storage, and its bytes; of a sparse one, those of its values."""
    try:
        storage = tensor.untyped_storage()
        return storage._cdata, storage.nbytes()
    except (RuntimeError, NotImplementedError):
        parts = _parts(tensor)
        return id(tensor), sum(part.untyped_storage().nbytes() for part in parts)


def _parts(tensor: torch.Tensor) -> list[torch.Tensor]:
    if tensor.layout == torch.sparse_coo:
        return [tensor._indices(), tensor._values()]
    return []
