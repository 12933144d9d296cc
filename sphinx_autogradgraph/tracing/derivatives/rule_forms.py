"""Forms of rules: a template for each input, adapted to broadcasting and reductions."""

from __future__ import annotations

from collections.abc import Callable

from sphinx_autogradgraph.tracing.derivatives.evidence import MISSING, Evidence, Shape, count

Rule = Callable[[Evidence, int], str | None]
"""A function from a node and the number of an edge to a formula, or None where there is none.

The formula is in terms of what the node saved: the name of a saved argument stands for its value.
"""


def each(*templates: str | None) -> Rule:
    """Make a rule of a template for each input."""

    def rule(at: Evidence, edge: int) -> str | None:
        return templates[edge] if edge < len(templates) else None

    return rule


def broadcasting(*templates: str | None) -> Rule:
    """Make a rule of a template for each input, which was broadcast to the shape of the output."""

    def rule(at: Evidence, edge: int) -> str | None:
        template = templates[edge] if edge < len(templates) else None
        return None if template is None else summed(template, at.out, at.into(edge))

    return rule


def summed(formula: str, out: Shape, into: Shape) -> str:
    """Return the formula with the sum that undoes broadcasting from one shape to another."""
    if out == into:
        return formula
    if into == ():
        return f"({formula}).sum()"
    return f"({formula}).sum_to_size({sizes(into)})"


def sizes(shape: Shape) -> str:
    """Return a shape as arguments of a function: ``10, 1``; ``()`` for a scalar."""
    return ", ".join(map(str, shape)) or "()"


def zeros(shape: Shape) -> str:
    """Return a formula of zeros of a shape, with the dtype and device of the gradient."""
    return f"grad.new_zeros({sizes(shape)})"


def unreduced(at: Evidence, edge: int, formula: str = "grad") -> str | None:
    """Return a formula with the dimensions that a reduction removed put back, of size one."""
    into = at.into(edge)
    if at.value("keepdim") is True or at.out == ():
        return formula
    dims = at.dims(len(into))
    if dims is None:
        return None
    return f"({formula})" + "".join(f".unsqueeze({dim})" for dim in dims)


def reduced(at: Evidence, edge: int) -> int:
    """Return the number of elements that each element of a reduction's result was made from."""
    return count(at.into(edge)) // max(count(at.out), 1)


def over(at: Evidence, edge: int) -> str:
    """Return arguments that make a reduction keep its dimensions: ``1, keepdim=True``."""
    into = at.into(edge)
    dims = at.dims(len(into)) if at.value("dim") is not MISSING else None
    if dims is None or len(dims) == len(into):
        return ""
    return f"{dims[0] if len(dims) == 1 else tuple(dims)}, keepdim=True"
