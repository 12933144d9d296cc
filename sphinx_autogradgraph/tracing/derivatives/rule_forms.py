"""The forms that rules have: a template an input, with what broadcasting and reducing ask for."""

from __future__ import annotations

from collections.abc import Callable

from sphinx_autogradgraph.tracing.derivatives.evidence import MISSING, Evidence, Shape, count

Rule = Callable[[Evidence, int], str | None]
"""From a node and the number of an edge to a formula in terms of what the node saved; None where
there is none.  A name that the node saved an argument under stands for its value."""


def each(*templates: str | None) -> Rule:
    """A template for each input."""

    def rule(at: Evidence, edge: int) -> str | None:
        return templates[edge] if edge < len(templates) else None

    return rule


def broadcasting(*templates: str | None) -> Rule:
    """A template for each input, which was broadcast to the shape of the output."""

    def rule(at: Evidence, edge: int) -> str | None:
        template = templates[edge] if edge < len(templates) else None
        return None if template is None else summed(template, at.out, at.into(edge))

    return rule


def summed(formula: str, out: Shape, into: Shape) -> str:
    """The formula, with the sum that undoes the broadcasting of one shape to another."""
    if out == into:
        return formula
    if into == ():
        return f"({formula}).sum()"
    return f"({formula}).sum_to_size({sizes(into)})"


def sizes(shape: Shape) -> str:
    """A shape as arguments of a function: ``10, 1``; ``()`` of a scalar."""
    return ", ".join(map(str, shape)) or "()"


def zeros(shape: Shape) -> str:
    """Zeros of a shape, of the dtype and on the device of the gradient."""
    return f"grad.new_zeros({sizes(shape)})"


def unreduced(at: Evidence, edge: int, formula: str = "grad") -> str | None:
    """The formula, of the shape of a reduction's result, with the reduced dimensions as ones."""
    into = at.into(edge)
    if at.value("keepdim") is True or at.out == ():
        return formula
    dims = at.dims("dim", len(into))
    if dims is None:
        return None
    return f"({formula})" + "".join(f".unsqueeze({dim})" for dim in dims)


def reduced(at: Evidence, edge: int) -> int:
    """How many elements each element of a reduction's result was made from."""
    return count(at.into(edge)) // max(count(at.out), 1)


def over(at: Evidence, edge: int) -> str:
    """The arguments by which a reduction of the input keeps its dimensions: ``1, keepdim=True``."""
    into = at.into(edge)
    dims = at.dims("dim", len(into)) if at.value("dim") is not MISSING else None
    if dims is None or len(dims) == len(into):
        return ""
    return f"{dims[0] if len(dims) == 1 else tuple(dims)}, keepdim=True"
