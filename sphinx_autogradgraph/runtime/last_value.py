"""The default target of a program: its last value or assignment."""

from __future__ import annotations

import ast

VALUE = "__autogradgraph_value__"
"""Name of the variable that holds the value of the last expression statement."""


def take_last_value(tree: ast.Module, source: str) -> str | None:
    """Make the last expression statement store its value in :data:`VALUE`; return its text."""
    for index in reversed(range(len(tree.body))):
        statement = tree.body[index]
        if isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant):
            # Not fix_missing_locations, which visits a long sum by recursion.
            target = ast.copy_location(ast.Name(VALUE, ast.Store()), statement)
            keep = ast.Assign(targets=[target], value=statement.value)
            tree.body[index] = ast.copy_location(keep, statement)
            return _text(statement.value, source)
    return None


def last_assignment(tree: ast.Module, source: str, before: int | None = None) -> tuple[str, ...]:
    """Return the texts of the targets of the last assignment outside functions and classes.

    With ``before``, only assignments that end before that line count.
    """
    last: ast.Assign | ast.AnnAssign | ast.AugAssign | None = None
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            bound = not isinstance(node, ast.AnnAssign) or node.value is not None
            if before is not None and (node.end_lineno or node.lineno) >= before:
                bound = False
            if bound and (last is None or node.lineno >= last.lineno):
                last = node
        stack += reversed(list(ast.iter_child_nodes(node)))
    if last is None:
        return ()
    target = last.targets[-1] if isinstance(last, ast.Assign) else last.target
    return tuple(_text(part, source) for part in _single_targets(target))


def _single_targets(target: ast.expr) -> list[ast.expr]:
    """Return the single names that a target such as ``out, (h, *rest)`` binds."""
    found: list[ast.expr] = []
    stack = [target]
    while stack:
        part = stack.pop()
        if isinstance(part, (ast.Tuple, ast.List)):
            stack += reversed(part.elts)
        elif isinstance(part, ast.Starred):
            stack.append(part.value)
        else:
            found.append(part)
    return found


def _text(node: ast.expr, source: str) -> str:
    segment = ast.get_source_segment(source, node)
    if segment and "\n" not in segment:
        return segment
    try:
        return ast.unparse(node)
    except RecursionError:  # a long sum over several lines
        return " ".join((segment or "").split())
