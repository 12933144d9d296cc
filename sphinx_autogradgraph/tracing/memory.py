"""Number of bytes that each node keeps alive for backward."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.tracing.internals import own_attribute, plain_tensors
from sphinx_autogradgraph.tracing.saved import tensors_saved_by


def saved_bytes(
    functions: Sequence[GradFn],
    leaves: Iterable[torch.Tensor],
    inputs: Iterable[int],
    recorded: Collection[GradFn],
) -> Mapping[GradFn, int]:
    """Return the bytes of the storages that each node keeps, for nodes that keep any.

    A storage counts as a whole and once: at the first node in forward order.  Storages of leaves do
    not count, nor those at the addresses ``inputs``, which are known of the ``recorded`` nodes.
    Of others, every tensor without history that the node did not produce itself is taken for an
    input.
    """
    counted = {storage_of(leaf)[0] for leaf in leaves}
    counted.update(inputs)
    found: dict[GradFn, int] = {}
    for fn in functions:
        total = 0
        for tensor, own in tensors_saved_by(fn):
            address, size = storage_of(tensor)
            no_history = own_attribute(tensor, "grad_fn") is None
            is_input = fn not in recorded and not own and no_history
            if address in counted or is_input:
                continue
            counted.add(address)
            total += size
        if total:
            found[fn] = total
    return found


def storage_of(tensor: torch.Tensor) -> tuple[int, int]:
    """Return the address and bytes of a tensor's storage; of a sparse one, its parts' bytes."""
    try:
        with plain_tensors():
            storage = torch.Tensor.untyped_storage(tensor)
        return storage._cdata, storage.nbytes()
    except (RuntimeError, NotImplementedError):
        parts = _parts(tensor)
        return id(tensor), sum(part.untyped_storage().nbytes() for part in parts)


def _parts(tensor: torch.Tensor) -> list[torch.Tensor]:
    if own_attribute(tensor, "layout") == torch.sparse_coo:
        return [tensor._indices(), tensor._values()]
    return []
