"""The gradients on the edges of a graph, against the nodes' own and torch.autograd.grad's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.tracing.gradients import run_backward
from sphinx_autogradgraph.tracing.internals import is_accumulate_grad
from tests.tracing.formula_samples import nodes_of


def adds_up(example: str, loss: Tensor) -> bool:
    """Check a graph; False if its program has freed it, or no backward can pass it."""
    functions = nodes_of(loss)
    leaves = [used for fn in functions for used, _ in fn.next_functions if used is not None]
    leaves = [fn for fn in dict.fromkeys(leaves) if is_accumulate_grad(fn)]
    arrived: dict[GradFn, Sequence[Tensor | None]] = {}
    sent: dict[GradFn, Sequence[Tensor | None]] = {}
    seed = torch.ones_like(loss)
    variables = [leaf.variable for leaf in leaves]  # type: ignore[attr-defined]
    try:
        real = torch.autograd.grad(loss, variables, seed, allow_unused=True, retain_graph=True)
    except RuntimeError:
        return False
    run_backward([loss], functions, leaves, arrived.__setitem__, sent.__setitem__)
    assert loss.grad_fn is not None
    total: dict[tuple[GradFn, int], Tensor] = {(loss.grad_fn, loss.output_nr): seed}
    for fn in functions:
        for (used, output), gradient in zip(fn.next_functions, sent.get(fn, ()), strict=False):
            if used is not None and gradient is not None:
                total[used, output] = total.get((used, output), 0) + gradient
    for (fn, output), expected in total.items():
        gradient = arrived[fn][output]
        assert gradient is not None, example
        close(gradient, expected, f"{example}: {fn}")
    for leaf, gradient in zip(leaves, real, strict=True):
        if gradient is not None:
            close(arrived[leaf][0], gradient, example)
    return True


def close(found: Tensor | None, wanted: Tensor, where: str) -> None:
    assert found is not None, where
    torch.testing.assert_close(found, wanted, msg=lambda text: f"{where}: {text}", equal_nan=True)
