"""The picture that DESIGN promises, measured over the corpus of figures that tutorials draw."""

from __future__ import annotations

import pytest

from benchmarks.layout import Figure, Measured, measure, read_corpus
from sphinx_autogradgraph.render.arrange import arrange
from sphinx_autogradgraph.render.diagram import DIRECTIONS, Direction

FIGURES = {figure.name: figure for figure in read_corpus()}


@pytest.fixture(scope="module")
def measured() -> list[Measured]:
    return [measure(figure) for figure in FIGURES.values()]


def test_the_main_chain_is_one_straight_line(measured: list[Measured]) -> None:
    assert [one.name for one in measured if not one.framed and one.sideways > 0] == []


def test_figures_of_up_to_40_nodes_fit_the_column_unscaled(measured: list[Measured]) -> None:
    wide = {one.name for one in measured if one.nodes <= 40 and one.width > 720}
    assert {name for name in wide if "modules" not in name} == set()


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_chain_is_straight_in_every_direction(direction: Direction) -> None:
    for name in ("walk through, saved", "rnn of three steps, inputs", "vae"):
        assert measure(FIGURES[name], direction).sideways == 0


def boxes_by_name(figure: Figure, direction: Direction) -> dict[str, tuple[float, float]]:
    arranged = arrange(figure.graph, show=figure.show, direction=direction)
    return {
        word: arranged.layout.boxes[box.key]
        for box in arranged.diagram.boxes
        for role, word in box.words
        if role == "name"
    }


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_first_argument_stands_before_the_second(direction: Direction) -> None:
    across = 0 if direction in ("TB", "BT") else 1
    places = boxes_by_name(FIGURES["walk through, inputs"], direction)
    assert places["X"][across] < places["w"][across] < places["b"][across]
    places = boxes_by_name(FIGURES["micrograd"], direction)
    order = ["x1", "w1", "x2", "w2"]
    assert sorted(order, key=lambda name: places[name][across]) == order


def test_no_width_is_one_line_unscaled() -> None:
    wide = measure(FIGURES["vae"], column=None)
    assert wide.lines == 1
    assert wide.width > 720
    assert measure(FIGURES["vae"]).lines == 2
