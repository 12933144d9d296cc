"""Formulas as syntax trees: substitution of values and names, folding of constants."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch

GIVEN = frozenset({"grad", "grads", "torch"})
"""Names that every formula may use."""


def parsed(text: str) -> ast.expr:
    """Return the syntax tree of an expression."""
    return ast.parse(text, mode="eval").body


def free_names(tree: ast.AST) -> list[str]:
    """Return the other names in an expression, in order of appearance."""
    found = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return [name for name in dict.fromkeys(found) if name not in GIVEN]


def constant(value: Any) -> ast.expr | None:
    """Return a plain value as an expression; None if it cannot be written as one."""
    if isinstance(value, torch.dtype):
        return parsed(str(value))
    if isinstance(value, (tuple, list)):
        items = [constant(item) for item in value]
        if any(item is None for item in items):
            return None
        return ast.Tuple([item for item in items if item is not None], ast.Load())
    if isinstance(value, float) and not math.isfinite(value):
        name = "nan" if math.isnan(value) else "inf"
        tree: ast.expr = parsed(f"torch.{name}")
        return ast.UnaryOp(ast.USub(), tree) if value < 0 else tree
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # A negative number is a sign and a number, so that powers of it get their brackets.
        return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)
    if value is None or isinstance(value, (bool, str)):
        return ast.Constant(value)
    return None


def replaced(tree: ast.expr, new: Mapping[str, ast.expr]) -> ast.expr:
    """Return the expression with some of its names replaced by expressions."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return new.get(node.id, node)

    result: ast.expr = Put().visit(tree)
    return result


def text_of(tree: ast.expr) -> str:
    """Return the expression as text on one line, without needless brackets."""
    return ast.unparse(ast.fix_missing_locations(tree))


def is_operand(tree: ast.expr, name: str) -> bool:
    """Whether a name is used as an operand of arithmetic only, where a number may replace it."""
    inside = {
        id(operand)
        for node in ast.walk(tree)
        if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Compare))
        for operand in ast.iter_child_nodes(node)
    }
    return all(
        id(node) in inside
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == name
    )


_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
}


class _Fold(ast.NodeTransformer):
    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.UnaryOp):
            inner = node.operand
            if isinstance(inner.op, ast.USub):
                return inner.operand
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        left, right = _number(node.left), _number(node.right)
        if left is not None and right is not None and type(node.op) in _OPERATORS:
            done = constant(_OPERATORS[type(node.op)](left, right))
            return node if done is None else done
        if isinstance(node.op, ast.Mult):
            if right == 1:
                return node.left
            if left == 1:
                return node.right
        elif (isinstance(node.op, (ast.Div, ast.Pow)) and right == 1) or (
            isinstance(node.op, (ast.Add, ast.Sub)) and right == 0
        ):
            return node.left
        return node


def _number(tree: ast.expr) -> int | float | None:
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        found = _number(tree.operand)
        return None if found is None else -found
    value = tree.value if isinstance(tree, ast.Constant) else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return None


def folded(tree: ast.expr) -> ast.expr:
    """Return the expression without ``* 1``, ``** 1`` and ``+ 0``, and with constants computed."""
    result: ast.expr = _Fold().visit(tree)
    return result


def program_expression(name: str) -> ast.expr | None:
    """Return a tensor's name as an expression: ``net[0].weight`` for ``net.0.weight``.

    None for a name that is no path of attributes and indexes, or that formulas use themselves.
    """
    parts = name.split(".")
    text = parts[0] + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts[1:])
    try:
        tree = parsed(text)
    except (SyntaxError, ValueError):
        return None
    at: ast.expr = tree
    while not isinstance(at, ast.Name):
        if isinstance(at, ast.Attribute) or (isinstance(at, ast.Subscript) and _is_key(at.slice)):
            at = at.value
        else:
            return None
    return None if at.id in GIVEN else tree


def _is_key(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) or _number(tree) is not None
