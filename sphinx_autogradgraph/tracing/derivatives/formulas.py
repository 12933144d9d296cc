"""Formulas of a node's edges in the program's names, by rules that tests have proved."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.graph.model import Derivative
from sphinx_autogradgraph.tracing.derivatives import (
    elementwise_rules,
    matrix_rules,
    network_rules,
    reduction_rules,
    shape_rules,
)
from sphinx_autogradgraph.tracing.derivatives.evidence import MISSING, Evidence
from sphinx_autogradgraph.tracing.derivatives.expressions import (
    constant,
    folded,
    free_names,
    is_operand,
    parsed,
    program_expression,
    replaced,
    text_of,
)
from sphinx_autogradgraph.tracing.derivatives.rule_forms import Rule
from sphinx_autogradgraph.tracing.derivatives.torch_formulas import torch_formula
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.tensor_metadata import number_of

RULES: Mapping[str, Rule] = {
    **elementwise_rules.RULES,
    **matrix_rules.RULES,
    **shape_rules.RULES,
    **reduction_rules.RULES,
    **network_rules.RULES,
}
"""The rules of this package, by the operation's name in that of its node, without the number."""

_NAME = re.compile(r"(\w+?)Backward\d+")


@cache
def proved() -> frozenset[tuple[str, int]]:
    """Return the edges, as node type and input number, whose formulas a test has proved.

    The test (``tests/tracing/test_derivatives.py``) evaluates them over the samples of torch's
    operator database, and compares what it found with the file that is read here.
    """
    text = resources.files(__package__).joinpath("proved.txt").read_text(encoding="utf-8")
    found: set[tuple[str, int]] = set()
    for line in text.splitlines():
        op, *edges = line.split()
        found.update((op, int(edge)) for edge in edges)
    return frozenset(found)


def derivatives_of(
    fn: GradFn, names: Names, arriving: Collection[int] = (0,)
) -> tuple[Derivative, ...]:
    """Return the formulas of the gradients along a node's edges whose rules are :func:`proved`.

    ``arriving`` are the numbers of the outputs that a gradient arrives at.
    """
    shown = proved()
    at = Evidence(fn, arriving)
    found = []
    for edge, (used, _) in enumerate(fn.next_functions):
        if used is None or (at.op, slot_of(at, edge)) not in shown:
            continue
        derivative = derivative_of(at, edge, names)
        if derivative is not None:
            found.append(derivative)
    return tuple(found)


_LISTS = {"CatBackward0", "StackBackward0"}


def slot_of(at: Evidence, edge: int) -> int:
    """Return the number under which an edge's rule is proved: one for all items of a list."""
    return 0 if at.op in _LISTS else edge


def derivative_of(at: Evidence, edge: int, names: Names) -> Derivative | None:
    """Return the formula of the gradient along one edge, proved or not; None without a rule."""
    try:
        if at.dtype.is_complex or at.dtype_into(edge).is_complex:
            return None
        text = _rule_text(at, edge)
        if text is None or ("grads" not in text and set(at.arriving) != {0}):
            return None
        return _written(at, edge, parsed(text), names)
    except (LookupError, AttributeError, RuntimeError):
        # The node has no metadata, or not of the kind that the rule counts on.
        return None


def _rule_text(at: Evidence, edge: int) -> str | None:
    match = _NAME.fullmatch(at.op)
    rule = RULES.get(match[1]) if match else None
    return torch_formula(at, edge) if rule is None else rule(at, edge)


def _written(at: Evidence, edge: int, tree: ast.expr, names: Names) -> Derivative | None:
    """Return the formula with values and the program's names substituted."""
    values: dict[str, ast.expr] = {}
    roles = []
    for role in free_names(tree):
        if at.is_tensor(role):
            tensor = at.tensor(role)
            if tensor is not None and tensor.layout != torch.strided:
                return None
            value = None
            if at.is_none(role):
                value = constant(None)
            elif is_operand(tree, role):
                value = _number(at, role, names)
            if value is None:
                roles.append(role)
                continue
        else:
            saved = at.value(role)
            value = None if saved is MISSING else constant(saved)
            if value is None:
                return None
        values[role] = value
    tree = folded(replaced(tree, values))
    roles = [role for role in roles if role in free_names(tree)]
    called = {role: _called(at, role, roles, names) for role in roles}
    bound: dict[str, str] = {}
    for role, name in called.items():  # two roles of one tensor have one name
        bound.setdefault(text_of(name), role)
    tree = replaced(tree, called)
    if at.dtype_into(edge) != at.dtype:
        dtype = parsed(str(at.dtype_into(edge)))
        tree = ast.Call(ast.Attribute(tree, "to", ast.Load()), [dtype], [])
    return Derivative(edge, text_of(tree), bound)


def _called(at: Evidence, role: str, roles: Collection[str], names: Names) -> ast.expr:
    """Return the program's name for the tensor of a role, else the role."""
    name = name_of(at, role, names)
    tree = None if name is None else program_expression(name)
    if tree is None or (name != role and free_names(tree)[0] in roles):
        return parsed(role)  # or else it would read as the tensor of another role
    return tree


def name_of(at: Evidence, role: str, names: Names) -> str | None:
    """Return the program's name for a saved tensor, if there is one."""
    tensor = at.tensor(role)
    if tensor is None:
        return None
    if role.startswith("result") or role == "output":
        place = role.removeprefix("result") if role != "output" else ""
        number = int(place) if place.isdigit() else 0
        shape = tuple(tensor.shape)
        if number < len(at.outputs) and at.outputs[number] == shape:
            return names.of_output(at.fn, number)
        return None
    if tensor.grad_fn is None:
        return names.of_leaf(tensor)
    return names.of_output(tensor.grad_fn, tensor.output_nr)


def _number(at: Evidence, role: str, names: Names) -> ast.expr | None:
    """Return the value of a saved scalar that is no tensor of the program: the 2 of ``x / 2``."""
    tensor = at.tensor(role)
    if tensor is None or role.startswith("result") or name_of(at, role, names) is not None:
        return None
    value = number_of(tensor)
    return None if value is None else constant(value)


LINES = 12
"""Maximum number of lines shown of a custom Function's ``backward``."""


def backward_of(fn: GradFn) -> str | None:
    """Return the first lines of the ``backward`` that the author of a custom Function wrote."""
    kind = getattr(type(fn), "_forward_cls", None)
    written = getattr(kind, "backward", None)
    if written is None or getattr(written, "__module__", "").startswith("torch."):
        return None
    try:
        lines = textwrap.dedent(inspect.getsource(written)).splitlines()
    except (OSError, TypeError):
        return None
    lines = [line.rstrip() for line in lines if not line.lstrip().startswith("@staticmethod")]
    kept = lines if len(lines) <= LINES else [*lines[:LINES], "…"]
    return "\n".join(kept)
