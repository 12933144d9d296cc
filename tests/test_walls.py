"""The walls of the house: who may import what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sphinx_autogradgraph"
MODULES = sorted(PACKAGE.rglob("*.py"))

ORDER = (
    "core", "graph", "program", "tracing", "runtime", "snapshots", "views", "render", "figures",
    "hosts",
)  # fmt: skip
"""The packages: each imports only from those before it, and from itself."""

FACADES = {"__init__", "__main__", "markdown", "testing"}
"""The modules at the root, which only hand on what the packages have."""

WITH_TORCH = {"tracing", "runtime/child.py", "runtime/rehearsal.py", "hosts/python.py"}
WITH_SPHINX = {"hosts/sphinx"}
WITH_DOCUTILS = {"hosts/sphinx"}


def imports(path: Path, *, inside_functions: bool = True) -> set[str]:
    """The names that a module imports, but for those that only a type checker imports."""
    found: set[str] = set()
    stack: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not inside_functions:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        stack += ast.iter_child_nodes(node)
    return found


def within(path: Path, places: set[str]) -> bool:
    name = path.relative_to(PACKAGE).as_posix()
    return any(name == place or name.startswith(f"{place}/") for place in places)


each_module = pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix()
)


@each_module
def test_packages_import_only_from_packages_before_them(path: Path) -> None:
    own, *rest = path.relative_to(PACKAGE).with_suffix("").parts
    if not rest:
        assert own in FACADES
        return
    allowed = ORDER[: ORDER.index(own) + 1]
    for name in imports(path):
        top, _, below = name.partition(".")
        if top == "sphinx_autogradgraph" and below:
            package = below.partition(".")[0]
            assert package in allowed or package.startswith("__"), f"{own} imports {name}"


def test_no_two_modules_share_a_name() -> None:
    names = Counter(path.stem for path in MODULES if path.stem != "__init__")
    facades = {name: 1 for name in FACADES if name != "__init__"}
    assert {name for name, count in names.items() if count > 1} <= set(facades) - {"markdown"}


def test_every_package_has_its_place_in_the_order() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(ORDER)


def test_the_way_of_a_figure_passes_each_module_once() -> None:
    guide = (ROOT / "docs" / "contributing.rst").read_text("utf-8")
    way = re.findall(r"^   (\w+/[\w/]+)  +\w", guide, re.MULTILINE)
    assert len(way) > 20
    assert len(set(way)) == len(way)
    assert set(way) <= {path.relative_to(PACKAGE).with_suffix("").as_posix() for path in MODULES}


@each_module
def test_only_the_worker_side_imports_torch_and_only_the_sphinx_side_sphinx(path: Path) -> None:
    names = {name.partition(".")[0] for name in imports(path, inside_functions=False)}
    if not within(path, WITH_TORCH):
        assert "torch" not in names
        assert not any(
            "sphinx_autogradgraph.tracing" in name for name in imports(path, inside_functions=False)
        )
    if not within(path, WITH_SPHINX):
        assert "sphinx" not in names
    if not within(path, WITH_DOCUTILS):
        assert "docutils" not in names


def test_the_sphinx_side_does_not_bring_torch() -> None:
    code = (
        "import sys, sphinx_autogradgraph.hosts.sphinx.extension, sphinx_autogradgraph;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_first_packages_need_the_standard_library_and_msgspec_only() -> None:
    for path in MODULES:
        if not within(path, {"core", "graph", "program"}):
            continue
        for imported in imports(path, inside_functions=False):
            top = imported.partition(".")[0]
            assert top in {*sys.stdlib_module_names, "msgspec", "sphinx_autogradgraph"}
