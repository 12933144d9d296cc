"""A directive of this documentation for what is made from the code: options, settings, packages."""

from __future__ import annotations

import ast
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args, get_origin, get_type_hints

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from sphinx_autogradgraph.core.settings import NOT_FOR_SPHINX, SETTINGS, Settings, default_of
from sphinx_autogradgraph.figures.options import DECLARATIONS, Options

if TYPE_CHECKING:
    from sphinx.application import Sphinx


ROOT = Path(__file__).parents[2]


def options_text() -> str:
    """The options of the directive as a table with links to examples, and what each means."""
    rows = [
        [
            f"``:{name}:``",
            declared.form or "(no value)",
            _default(name),
            declared.since,
            f":ref:`example <option-{name}>`",
        ]
        for name, declared in DECLARATIONS.items()
    ]
    meanings = [_item(f"``:{name}:``", declared.help) for name, declared in DECLARATIONS.items()]
    table = _table({"Option": 20, "Type": 38, "Default": 15, "Since": 9, "Live": 18}, rows)
    return "\n".join([table, *meanings])


def settings_text() -> str:
    """The settings as a table, by the names that authors write, and what each means."""
    rows, meanings = [], []
    hints = get_type_hints(Settings)
    for name, declared in SETTINGS.items():
        default = default_of(declared)
        shown = str(default) if default is None else json.dumps(default)
        written = f"``{name}``" if name in NOT_FOR_SPHINX else f"``autogradgraph_{name}``"
        rows.append([written, _type(hints[name]), f"``{shown}``", declared.metadata["since"]])
        meanings.append(_item(written, declared.metadata["help"]))
    table = _table({"Setting": 38, "Type": 32, "Default": 20, "Since": 10}, rows)
    return "\n".join([table, *meanings])


TYPES: Mapping[object, str] = {
    str: "string", int: "whole number", float: "number", list[str]: "list of strings",
    bool: "``True`` | ``False``", type(None): "``None``",
}  # fmt: skip
"""How the types of settings are called."""


def _type(hint: object) -> str:
    """The type of a setting, as authors read it."""
    if hint in TYPES:
        return TYPES[hint]
    words = (
        f"``{json.dumps(part)}``" if get_origin(hint) is Literal else _type(part)
        for part in get_args(hint)
    )
    return " | ".join(words)


def packages_text() -> str:
    """The packages with the first lines of their docstrings, in the order that the tests hold."""
    walls = ast.parse((ROOT / "tests" / "test_walls.py").read_text("utf-8"))
    (order,) = (
        ast.literal_eval(node.value)
        for node in walls.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ORDER"
    )
    lines = []
    for package in order:
        top = ROOT / "sphinx_autogradgraph" / package
        for folder in (top, *sorted(path.parent for path in top.glob("*/__init__.py"))):
            said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
            indent = "" if folder == top else "  "
            lines.append(f"{f'{indent}{folder.name}/':15}{said.splitlines()[0]}")
    return ".. code-block:: text\n\n" + textwrap.indent("\n".join(lines), "   ")


def _default(option: str) -> str:
    """The default of an option as an author would write it; empty where there is none."""
    (default,) = (
        item.default
        for item in fields(Options)
        if option == (item.metadata.get("name") or item.name.replace("_", "-"))
    )
    text = " ".join(default) if isinstance(default, tuple) else str(default)
    return "" if default in (None, False) or not text else f"``{text}``"


def _table(widths: Mapping[str, int], rows: Sequence[Sequence[str]]) -> str:
    """A list-table with the heads and widths of its columns."""
    lines = [".. list-table::", "   :header-rows: 1"]
    lines += [f"   :widths: {' '.join(map(str, widths.values()))}", ""]
    for row in [list(widths), *rows]:
        lines.append(f"   * - {textwrap.indent(row[0], ' ' * 7).strip()}")
        lines += [f"     - {textwrap.indent(cell, ' ' * 7).strip()}" for cell in row[1:]]
    return "\n".join(lines) + "\n"


def _item(head: str, help: str) -> str:
    return f"{head}\n{textwrap.indent(help, '   ')}\n"


TEXTS = {"options": options_text, "settings": settings_text, "packages": packages_text}


class Declarations(SphinxDirective):
    """``.. declarations:: options``, ``settings`` or ``packages``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The text, parsed."""
        lines = StringList(TEXTS[self.arguments[0]]().splitlines(), source=__file__)
        node = nodes.Element()
        self.state.nested_parse(lines, self.content_offset, node)
        self.env.note_dependency(__file__)
        return node.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive; called by Sphinx."""
    app.add_directive("declarations", Declarations)
    return {"parallel_read_safe": True}
