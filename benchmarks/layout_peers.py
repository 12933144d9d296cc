"""The programs of the corpus as torchviz and torchview draw them, with dot."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from benchmarks.corpus import FIGURES, Figure
from benchmarks.layout import measure as measure_layout
from benchmarks.layout import read_corpus
from benchmarks.table import Plot, Table, main
from sphinx_autogradgraph.render.quality import cross

PIXELS = 96
"""Pixels in an inch, as browsers show an SVG of dot."""

COLUMN = 720
"""Width in pixels of the column that figures are to fit."""

LIMIT = 5
"""Seconds of the processor that dot may take for a figure."""

Line = tuple[tuple[float, float], tuple[float, float], str, str]
Call = tuple[nn.Module, tuple[object, ...]]


class Picture(NamedTuple):
    """The size of a picture in pixels, and its crossings."""

    width: float
    height: float
    crossings: int


def measure() -> Sequence[Table]:
    """Draw all programs by each tool, once: with shapes, unfolded unless a tool folds by itself."""
    import benchmarks.corpus_large  # noqa: F401 - it adds its figures

    own: dict[str, Picture] = {}
    for figure in read_corpus():
        if figure.show == ("shape",) and figure.depth is None:
            found = measure_layout(figure)
            own[figure.name] = Picture(found.width, found.height, found.crossings)
    torchviz: dict[str, Picture | None] = {}
    torchview: dict[str, Picture | None] = {}
    for program in FIGURES:
        if program.name in own:
            value, call = _run(program)
            torchviz[program.name] = _drawn(_torchviz(value))
            if call is not None:
                torchview[program.name] = _drawn(_torchview(*call))
    kinds: dict[str, Sequence[Picture | None]] = {
        "ours": list(own.values()),
        "torchviz and dot": list(torchviz.values()),
        "ours, of those that call a module": [own[name] for name in torchview],
        "torchview and dot, of the same": list(torchview.values()),
    }
    note = (
        "Crossings are counted between the centres of boxes. torchview draws the first module that "
        f"a program calls, and not the loss; dot is given {LIMIT} seconds a picture."
    )
    heads = ["", "figures", f"fit {COLUMN} px", "widest", "mean height", "crossings", "given up"]
    rows = [_row(name, pictures) for name, pictures in kinds.items()]
    return [Table("The same programs in pictures", heads, rows, note, _plot(kinds))]


def _plot(kinds: dict[str, Sequence[Picture | None]]) -> Plot:
    """Show what a reader sees first: does it fit, how far is it to scroll, do lines cross."""
    bars: dict[str, dict[str, float]] = {}
    for name, pictures in kinds.items():
        drawn = [picture for picture in pictures if picture is not None]
        for title, value in {
            f"fit {COLUMN} pixels,\nin percent": 100 * sum(x.width <= COLUMN for x in drawn),
            "mean height,\nin pixels": sum(x.height for x in drawn),
            "crossings\nin each figure": sum(x.crossings for x in drawn),
        }.items():
            bars.setdefault(title, {})[name] = value / len(drawn)
    return Plot("pictures", bars=bars)


def _row(name: str, pictures: Sequence[Picture | None]) -> list[str]:
    drawn = [picture for picture in pictures if picture is not None]
    return [
        name, str(len(pictures)), str(sum(one.width <= COLUMN for one in drawn)),
        f"{max(one.width for one in drawn):,.0f}",
        f"{sum(one.height for one in drawn) / len(drawn):,.0f}",
        f"{sum(one.crossings for one in drawn):,}", str(len(pictures) - len(drawn)),
    ]  # fmt: skip


def _run(figure: Figure) -> tuple[torch.Tensor, Call | None]:
    """Run a program; return its tensor and the first call of a module, if it calls any."""
    torch.manual_seed(0)
    calls: list[Call] = []

    def note(module: nn.Module, args: tuple[object, ...]) -> None:
        if not calls:
            calls.append((module, args))

    hook = register_module_forward_pre_hook(note)
    try:
        name, variables = figure.program()
    finally:
        hook.remove()
    value = variables[name]
    assert isinstance(value, torch.Tensor)
    return value, calls[0] if calls else None


def _torchviz(value: torch.Tensor) -> str:
    from torchviz import make_dot

    return str(make_dot(value).source)


def _torchview(module: nn.Module, args: tuple[object, ...]) -> str:
    from torchview import draw_graph

    graph = draw_graph(module, input_data=args, expand_nested=True, mode="train")
    return str(graph.visual_graph.source)


def _drawn(source: str) -> Picture | None:
    """Lay a DOT text out; None if dot takes too long."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))

    done = subprocess.run(
        [str(shutil.which("dot")), "-Tplain"], input=source, capture_output=True, text=True,
        check=False, preexec_fn=limited,
    )  # fmt: skip
    if done.returncode:
        return None
    rows = [line.split() for line in done.stdout.splitlines()]
    width, height = (float(number) * PIXELS for number in rows[0][2:4])
    return Picture(width, height, _crossings(list(_lines(rows))))


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


if __name__ == "__main__":
    main(measure)
