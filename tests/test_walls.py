"""The walls of the house: who may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sphinx_autogradgraph"
MODULES = sorted(PACKAGE.rglob("*.py"))

WITH_TORCH = {"tracing", "execution/execute.py"}
WITH_SPHINX = {"sphinxext"}
WITH_DOCUTILS = {"sphinxext", "figure/options.py"}


def imports(path: Path) -> set[str]:
    """The top-level names that a module imports when it is imported."""
    found: set[str] = set()
    stack: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue  # that comes when it is called
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        stack += ast.iter_child_nodes(node)
    return found


def within(path: Path, places: set[str]) -> bool:
    name = path.relative_to(PACKAGE).as_posix()
    return any(name == place or name.startswith(f"{place}/") for place in places)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_worker_side_imports_torch_and_only_the_sphinx_side_sphinx(path: Path) -> None:
    names = {name.partition(".")[0] for name in imports(path)}
    if not within(path, WITH_TORCH):
        assert "torch" not in names
        assert not any("sphinx_autogradgraph.tracing" in name for name in imports(path))
    if not within(path, WITH_SPHINX):
        assert "sphinx" not in names
    if not within(path, WITH_DOCUTILS):
        assert "docutils" not in names


def test_the_sphinx_side_does_not_bring_torch() -> None:
    code = (
        "import sys, sphinx_autogradgraph.sphinxext.extension, sphinx_autogradgraph;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_heart_of_the_package_needs_the_standard_library_only() -> None:
    for name in ("graph.py", "program.py", "faults.py", "cells.py", "difference.py", "author.py"):
        for imported in imports(PACKAGE / name):
            top = imported.partition(".")[0]
            assert top in sys.stdlib_module_names or top == "sphinx_autogradgraph"
