"""The time for reading an author's text grows with its length, not with the square of it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sphinx_autogradgraph.program.fences import commonmark_fences, fences
from sphinx_autogradgraph.program.markers import markers_and_fences
from sphinx_autogradgraph.program.myst_fences import myst_fences
from sphinx_autogradgraph.program.notebook_cells import python_of
from sphinx_autogradgraph.program.source_lines import lines_of_part

MANY = 4_000

SECONDS = 1.0
"""Bound of the processor time for each, of which a reader that is quadratic takes several."""

SPACES = " " * 4 * MANY

CASES: dict[str, Callable[[], object]] = {
    "magics": lambda: python_of("x = 1\n%time x\n" * MANY),
    "shell": lambda: python_of("!ls\n" * MANY),
    "help": lambda: python_of("x?\n" * MANY),
    "open bracket": lambda: python_of("x = (\n" + "% 3\n" * MANY),
    "open string": lambda: python_of("x = '''\n" + "%m\n" * MANY),
    "no Python": lambda: python_of("x = $\n" + "%m\n" * MANY),
    "gap": lambda: python_of(f"$\nx{SPACES}$"),
    "indentation": lambda: python_of(f"$\n{SPACES}$"),
    "fences that nothing closes": lambda: list(fences(["```python"] * 2 * MANY)),
    "fences in quotations": lambda: list(fences(["> ```python", "> x", ""] * MANY)),
    "gap in a header": lambda: list(fences([f"```python{SPACES}`"])),
    "fences": lambda: list(commonmark_fences(["```python", "x", "```"] * MANY)),
    "fences in a list": lambda: list(
        commonmark_fences(["- item", *["  ```python", "  x", "  ```"] * MANY])
    ),
    "markers": lambda: markers_and_fences(
        [*["```", "```", '<!-- autogradgraph tensor="l" -->', "<!-- /autogradgraph -->"] * MANY]
    ),
    "gap in a marker": lambda: markers_and_fences([f"<!-- autogradgraph{SPACES * 2}x"]),
    "directives that nothing closes": lambda: list(myst_fences([":::{note}"] * 2 * MANY)),
    "gap in a directive": lambda: list(myst_fences([f"```{{note}}{SPACES * 2}`"])),
    "included file": lambda: lines_of_part("\n".join(["x", ""] * 2 * MANY), ["x", ""] * 2 * MANY),
}


@pytest.mark.parametrize("name", CASES)
def test_time_is_linear(name: str) -> None:
    begun = time.process_time()
    CASES[name]()
    assert time.process_time() - begun < SECONDS
