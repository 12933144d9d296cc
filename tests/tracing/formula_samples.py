"""Formulas against autograd: each is evaluated, and compared with what the node itself returns."""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from typing import Any

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.graph.model import Derivative
from sphinx_autogradgraph.tracing.derivatives.evidence import Evidence
from sphinx_autogradgraph.tracing.derivatives.formulas import derivative_of, slot_of
from sphinx_autogradgraph.tracing.internals import is_accumulate_grad, output_metadata
from sphinx_autogradgraph.tracing.names import Names
from tests.tracing.textbook import textbook


def nodes_of(*tensors: torch.Tensor) -> list[GradFn]:
    """The function nodes that can be reached from some tensors."""
    found: dict[GradFn, None] = {}
    stack = [tensor.grad_fn for tensor in tensors]
    while stack:
        fn = stack.pop()
        if fn is not None and fn not in found and not is_accumulate_grad(fn):
            found[fn] = None
            stack += [used for used, _ in fn.next_functions]
    return list(found)


def evaluated(fn: GradFn, derivative: Derivative, grads: list[torch.Tensor]) -> torch.Tensor:
    """What a formula evaluates to, with each of its names bound to what the node saved."""
    tree: Any = ast.parse(derivative.formula, mode="eval")
    bound: dict[str, Any] = {"grad": grads[0], "grads": grads, "torch": torch}
    for place, (name, role) in enumerate(derivative.names.items()):
        wanted = ast.dump(ast.parse(name, mode="eval").body)

        class Bind(ast.NodeTransformer):
            def visit(self, node: ast.AST, wanted: str = wanted, place: int = place) -> ast.AST:
                if isinstance(node, ast.expr) and ast.dump(node) == wanted:
                    return ast.Name(f"bound_{place}", ast.Load())
                return super().generic_visit(node)

        tree = ast.fix_missing_locations(Bind().visit(tree))
        bound[f"bound_{place}"] = getattr(fn, f"_saved_{role}")
    result = eval(compile(tree, derivative.formula, "eval"), bound)
    assert isinstance(result, torch.Tensor)
    return result


def gradients_for(fn: GradFn, arriving: set[int]) -> list[torch.Tensor]:
    """A gradient for each output of a node: zeros where none arrives."""
    return [
        (torch.randn if output in arriving else torch.zeros)(tuple(meta.shape), dtype=meta.dtype)
        for output, meta in enumerate(output_metadata(fn))
    ]


def passed_on(
    fn: GradFn, grads: list[torch.Tensor], arriving: set[int]
) -> list[torch.Tensor | None]:
    """What a node itself sends along its edges."""
    with torch.no_grad():
        given = [grad if output in arriving else None for output, grad in enumerate(grads)]
        result = fn(*given)  # type: ignore[operator]
    return list(result) if isinstance(result, tuple) else [result]


def same(fn: GradFn, derivative: Derivative, grads: list[torch.Tensor], real: Any) -> str | None:
    """What is wrong with a formula, nothing if it evaluates to what the node itself sent."""
    try:
        found = evaluated(fn, derivative, grads)
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:100]}"
    wanted = Evidence(fn).into(derivative.input)
    if tuple(found.shape) != wanted:
        return f"shape {tuple(found.shape)}, not {wanted}"
    if real is None:
        return None if bool((found == 0).all()) else "not the zeros that are sent"
    # As autograd does with what a node returns before it passes it on.
    real = (real.to_dense() if real.layout != torch.strided else real).sum_to_size(wanted)
    exact = found.dtype == torch.float64
    close = torch.allclose(
        found,
        real.to(found.dtype),
        rtol=1e-7 if exact else 1e-4,
        atol=1e-12 if exact else 1e-6,
        equal_nan=True,
    )
    return None if close else "other values"


def checked(
    tensor: torch.Tensor, names: Names | None = None
) -> Iterator[tuple[str, int, Derivative, str | None]]:
    """Each edge of the graph of a tensor for which a rule is known, and what is wrong with it."""
    names = Names({}) if names is None else names
    nodes = nodes_of(tensor)
    arriving: dict[GradFn, set[int]] = {}
    if tensor.grad_fn is not None:
        arriving[tensor.grad_fn] = {tensor.output_nr}
    for fn in nodes:
        for used, output in fn.next_functions:
            if used is not None:
                arriving.setdefault(used, set()).add(output)
    for fn in nodes:
        at = Evidence(fn, arriving[fn])
        found = [
            derivative_of(at, edge, names)
            for edge, (used, _) in enumerate(fn.next_functions)
            if used is not None
        ]
        if not any(found):
            continue
        grads = gradients_for(fn, arriving[fn])
        try:
            real = passed_on(fn, grads, arriving[fn])
        except Exception:  # not implemented, or not twice
            continue
        for derivative in found:
            if derivative is not None:
                wrong = same(fn, derivative, grads, real[derivative.input])
                yield at.op, slot_of(at, derivative.input), derivative, wrong


def differentiable(value: Any) -> Any:
    """A sample's argument with floating point tensors as leaves that require grad."""
    if isinstance(value, torch.Tensor):
        if value.dtype.is_floating_point:
            return value.detach().clone().requires_grad_()
        return value
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(differentiable(item) for item in value)
    if type(value) is dict:
        return {key: differentiable(item) for key, item in value.items()}
    return value


def tensors_of(value: Any) -> Iterator[torch.Tensor]:
    """The tensors with a graph in what an operation returned."""
    if isinstance(value, torch.Tensor):
        if value.requires_grad and not value.dtype.is_complex:
            yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors_of(item)


def op_results(op: Any, most: int) -> Iterator[torch.Tensor]:
    """The results of an operation of torch's database on its samples."""
    torch.manual_seed(0)
    random.seed(0)
    samples = op.sample_inputs("cpu", torch.float64, requires_grad=True)
    for number, sample in enumerate(samples):
        if number >= most:
            return
        try:
            arguments: Mapping[str, Any] = differentiable(sample.kwargs)
            result = op(
                differentiable(sample.input), *differentiable(tuple(sample.args)), **arguments
            )
            yield from tensors_of(result)
        except Exception:  # a sample that this build of torch cannot do
            continue


def double_backward(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """The gradients of the leaves of a tensor, with graphs of their own."""
    leaves = [
        used.variable  # type: ignore[attr-defined]
        for fn in nodes_of(tensor)
        for used, _ in fn.next_functions
        if used is not None and is_accumulate_grad(used)
    ]
    sent = torch.randn_like(tensor).requires_grad_()
    found = torch.autograd.grad(tensor, leaves, sent, create_graph=True, allow_unused=True)
    for gradient in found:
        if gradient is not None and gradient.requires_grad:
            yield gradient


SAMPLES = 24
"""So many samples of each operation are taken."""

TWICE = 2
"""And so many for the gradients of gradients, which have many more nodes."""


@dataclass
class Sweep:
    """What came out for each edge: how often its formula was right, and what was wrong with it."""

    right: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: dict[tuple[str, int], str] = field(default_factory=dict)

    def check(self, tensor: torch.Tensor) -> None:
        """Check each edge of the graph of a tensor."""
        for op, slot, derivative, problem in checked(tensor):
            if problem is None:
                self.right[op, slot] += 1
            else:
                self.wrong.setdefault((op, slot), f"{derivative.formula}: {problem}")

    def proved(self) -> set[tuple[str, int]]:
        """The edges whose formulas were right each time."""
        return {edge for edge in self.right if edge not in self.wrong}


def swept(ops: Collection[str] | None = None) -> Sweep:
    """All operations of torch's database, or those with some names, and the textbook's examples."""
    from torch.testing._internal.common_methods_invocations import op_db

    sweep = Sweep()
    for op in op_db:
        if torch.float64 not in op.dtypes or not op.supports_autograd:
            continue
        if ops is not None and op.name not in ops:
            continue
        for number, result in enumerate(op_results(op, SAMPLES)):
            sweep.check(result)
            if number < TWICE and op.supports_gradgrad:
                with suppress(RuntimeError):  # not every operation can, whatever is said
                    for gradient in double_backward(result):
                        sweep.check(gradient)
    for loss in textbook().values():
        sweep.check(loss)
    return sweep


def written(proved: Collection[tuple[str, int]]) -> str:
    """Proved edges as the text of ``proved.txt``."""
    edges: dict[str, list[int]] = {}
    for op, edge in sorted(proved):
        edges.setdefault(op, []).append(edge)
    return "".join(f"{op} {' '.join(map(str, found))}\n" for op, found in edges.items())


if __name__ == "__main__":
    result = swept()
    for edge, problem in sorted(result.wrong.items()):
        print(*edge, problem)
    with as_file(files("sphinx_autogradgraph.tracing.derivatives") / "proved.txt") as path:
        path.write_text(written(result.proved()), encoding="utf-8")
