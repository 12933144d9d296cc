"""The time for reading an author's text grows with its length, not with the square of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import pytest

from sphinx_autogradgraph.program.fences import commonmark_fences, fences
from sphinx_autogradgraph.program.markers import markers_and_fences
from sphinx_autogradgraph.program.myst_fences import myst_fences
from sphinx_autogradgraph.program.notebook_cells import python_of
from sphinx_autogradgraph.program.source_lines import line_of_code, lines_of_part

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
    "included pieces": lambda: lines_of_part("\n".join(["x"] * MANY), ["x", ""] * 2 * MANY),
    "included end": lambda: lines_of_part("x\n" * MANY + "y", [*["x"] * 2 * MANY, "y"]),
    "code that is not there": lambda: line_of_code("x\n" * MANY + "y", ["x"] * 4 * MANY, 1),
}


@pytest.mark.parametrize("name", CASES)
def test_time_is_linear(name: str) -> None:
    begun = time.process_time()
    CASES[name]()
    assert time.process_time() - begun < SECONDS


def test_lines_are_found_as_by_comparing_all() -> None:
    chosen = random.Random(0)
    for _ in range(3_000):
        lines = [chosen.choice("ab") for _ in range(chosen.randint(1, 12))]
        wanted = [chosen.choice("aab") for _ in range(chosen.randint(1, 5))]
        text, start = "\n".join(wanted), chosen.randint(1, 5)
        places = (place for place in range(start, len(lines) + 1))
        whole = (place for place in places if lines[place - 1 :][: len(wanted)] == wanted)
        assert line_of_code(text, lines, start) == next(whole, None)
        assert lines_of_part(text, lines) == _pieces(wanted, lines)


def _pieces(wanted: Sequence[str], lines: Sequence[str]) -> list[int] | None:
    found: list[int] = []
    while len(found) < len(wanted):
        rest = wanted[len(found) :]
        runs = [
            (length, -first)
            for first in range(found[-1] if found else 0, len(lines))
            for length in range(1, len(rest) + 1)
            if lines[first : first + length] == rest[:length]
        ]
        if not runs:
            return None
        length, first = max(runs)
        found += range(1 - first, 1 - first + length)
    return found
