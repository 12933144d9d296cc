"""Start of processes that a program spawns, such as the workers of a DataLoader or a Pool.

A spawned process runs the main module of its parent again, to have the functions and classes that
are sent to it.  The program here is no module: it is a page, or a file that has run in part.  So
spawned processes get a module of the program's definitions so far, without its actions.
"""

from __future__ import annotations

import ast
import contextlib
import multiprocessing.spawn
import os
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

_MODULE = """\
import sys, types
module = sys.modules[{name!r}] = types.ModuleType({name!r})
module.__file__ = {file!r}
for source in {sources!r}:
    try:
        exec(compile(source, {file!r}, "exec"), module.__dict__)
    except Exception:
        pass
globals().update({{k: v for k, v in vars(module).items() if not k.startswith("__")}})
"""
# A definition that needs what only the program has done is left out: what is sent may do without.


def hand_on_definitions(name: str, file: str, trees: Callable[[], Sequence[ast.Module]]) -> None:
    """Give spawned processes the definitions in ``trees``, as a module to start with.

    Where ``trees`` are none they start with nothing, and import what they need.
    """
    # Undocumented, but the one place where all spawned processes get their main module from.
    prepare = multiprocessing.spawn.get_preparation_data

    module = name

    def prepared(name: str) -> dict[str, Any]:
        data: dict[str, Any] = prepare(name)
        for key in ("init_main_from_name", "init_main_from_path"):
            data.pop(key, None)
        sources = [source for tree in trees() for source in definitions(tree)]
        if sources:
            handle, path = tempfile.mkstemp(suffix=".py", prefix="definitions-")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(_MODULE.format(name=module, file=file, sources=sources))
            data["init_main_from_path"] = path
        return data

    multiprocessing.spawn.get_preparation_data = prepared


def definitions(tree: ast.Module) -> list[str]:
    """Return the imports, functions, classes and constants of a program, each as its own text."""
    future = [node for node in tree.body if _is_future(node)]
    before = "".join(f"{ast.unparse(node)}\n" for node in future)
    found = []
    for node in tree.body:
        if _defines(node) and not _is_future(node):
            with contextlib.suppress(RecursionError):  # nested too deeply for text
                found.append(before + ast.unparse(node))
    return found


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _defines(node: ast.stmt) -> bool:
    if isinstance(
        node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    ):
        return True
    if isinstance(node, ast.Try):  # one module, or else another
        return all(_defines(part) for part in node.body)
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        try:
            ast.literal_eval(node.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return False
        return True
    return False
