"""The programs of the corpus as torchviz draws them, with dot."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from itertools import combinations

import torch

from benchmarks.corpus import FIGURES, Figure
from sphinx_autogradgraph.render.quality import cross

PIXELS = 96
"""Pixels in an inch, as browsers show an SVG of dot."""

LIMIT = 20
"""Seconds that dot may take for a figure."""

Line = tuple[tuple[float, float], tuple[float, float], str, str]


def print_peers() -> None:
    """Print how many of the figures fit 720 pixels, their crossings and their mean height."""
    import benchmarks.corpus_large  # noqa: F401 - it adds its figures

    plain = [figure for figure in FIGURES if figure.show == ("shape",) and figure.depth is None]
    drawn = [numbers for figure in plain if (numbers := _by_torchviz(figure)) is not None]
    fitting = sum(width <= 720 for width, _, _ in drawn)
    print(
        f"torchviz and dot: {fitting} of {len(drawn)} fit 720 px, "
        f"{len(plain) - len(drawn)} took over {LIMIT} seconds; "
        f"crossings {sum(crossed for _, _, crossed in drawn)}, "
        f"mean height {sum(height for _, height, _ in drawn) / len(drawn):.0f}, "
        f"widest {max(width for width, _, _ in drawn):.0f}"
    )


def _by_torchviz(figure: Figure) -> tuple[float, float, int] | None:
    """Return width and height, in pixels, and crossings; None if dot takes too long."""
    from torchviz import make_dot

    torch.manual_seed(0)
    name, variables = figure.program()
    value = variables[name]
    assert isinstance(value, torch.Tensor)
    source = make_dot(value).source
    command = [str(shutil.which("dot")), "-Tplain"]
    try:
        done = subprocess.run(
            command, input=source, capture_output=True, check=True, text=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return None
    rows = [line.split() for line in done.stdout.splitlines()]
    width, height = (float(number) * PIXELS for number in rows[0][2:4])
    return width, height, _crossings(list(_lines(rows)))


def _lines(rows: list[list[str]]) -> Iterator[Line]:
    places = {row[1]: (float(row[2]), float(row[3])) for row in rows if row[0] == "node"}
    for row in rows:
        if row[0] == "edge":
            yield places[row[1]], places[row[2]], row[1], row[2]


def _crossings(lines: list[Line]) -> int:
    return sum(
        cross(a, b, c, d)
        for (a, b, tail, head), (c, d, other, end) in combinations(lines, 2)
        if not {tail, head} & {other, end}
    )
