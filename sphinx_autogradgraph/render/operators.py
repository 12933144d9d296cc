"""The operator of a line of code that made a node: «−» of ``y_hat - y``."""

from __future__ import annotations

import ast
from functools import lru_cache

from sphinx_autogradgraph.graph.model import Node

OPERATORS: dict[str, tuple[type[ast.operator | ast.unaryop], str]] = {
    "add": (ast.Add, "+"),
    "sub": (ast.Sub, "−"),
    "rsub": (ast.Sub, "−"),
    "mul": (ast.Mult, "*"),
    "div": (ast.Div, "/"),
    "pow": (ast.Pow, "**"),
    "matmul": (ast.MatMult, "@"),
    "neg": (ast.USub, "−"),
}
"""For functions of torch, the operator that calls them, as Python's grammar and as text."""


def call_text(node: Node) -> str | None:
    """Return the function that made a node, with the operator that called it, if the line has it.

    «torch.Tensor.sub −»; None if the function is not known.
    """
    if node.call is None or node.source is None:
        return node.call
    kind, sign = OPERATORS.get(node.call.rpartition(".")[2], (None, ""))
    return f"{node.call} {sign}" if kind in _operators_in(node.source.text) else node.call


@lru_cache(1024)
def _operators_in(text: str) -> frozenset[type[ast.AST]]:
    """Return the kinds of operators in a line of code; none in what is no whole statement."""
    line = text.strip()
    try:
        tree = ast.parse(f"{line} pass" if line.endswith(":") else line)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(
        type(node.op) for node in ast.walk(tree) if isinstance(node, ast.BinOp | ast.UnaryOp)
    )
