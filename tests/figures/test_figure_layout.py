"""The layout of a figure, with the steps to which a folded one opens."""

from __future__ import annotations

from typing import Any

import pytest

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.settings import Settings
from sphinx_autogradgraph.figures import figure_layout
from sphinx_autogradgraph.figures.figure_layout import FigureLayout, lay_out_figure
from sphinx_autogradgraph.figures.options import Options
from sphinx_autogradgraph.render.arrange import draw_view
from sphinx_autogradgraph.render.layout import LayoutTimeoutError
from tests.graph.test_union import graph

CHAIN = graph(("w", ()), *(("Exp", [index]) for index in range(8)), ("Sum", [8]))
FOLDED = Options(fold=("repeats",))
FAULT = Diagnostic("layout", "the engine failed")


def laid_out(*, opens: bool = True) -> tuple[FigureLayout, list[Diagnostic]]:
    return lay_out_figure(CHAIN, FOLDED, "page-1", Settings(), opens=opens)


def test_a_folded_figure_keeps_the_steps_to_which_it_opens_as_data() -> None:
    layout, diagnostics = laid_out()
    assert not diagnostics
    (whole,) = layout.steps
    assert whole.view is None  # the Graph stands beside it already
    shown = {id for box in layout.diagram(CHAIN, step=whole).boxes for id in box.nodes}
    assert shown == {node.id for node in CHAIN.nodes}
    assert FigureLayout.from_json(layout.to_json()) == layout
    assert not laid_out(opens=False)[0].steps


@pytest.mark.parametrize(
    ("error", "told"), [(DiagnosticError(FAULT), [FAULT]), (LayoutTimeoutError(FAULT), [])]
)
def test_a_step_without_a_layout_leaves_the_figure_and_a_failing_engine_is_reported(
    monkeypatch: pytest.MonkeyPatch, error: DiagnosticError, told: list[Diagnostic]
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(figure_layout, "draw_view", fail)
    layout, diagnostics = laid_out()
    assert layout.view is not None
    assert not layout.steps
    assert diagnostics == told


def test_steps_are_made_for_the_column_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = []

    def seen(*arguments: Any) -> Any:
        columns.append(arguments[-1])
        return draw_view(*arguments)

    monkeypatch.setattr(figure_layout, "draw_view", seen)
    lay_out_figure(CHAIN, FOLDED, "page-1", Settings(column=500), opens=True)
    assert columns == [500]
