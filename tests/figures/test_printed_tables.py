"""Tables on paper: nothing of them is wider than the page."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sphinx_autogradgraph.figures.printed_tables import LINE_WIDTH, Fit, Run, fit, pieces

NODE = ["3", "AddBackward0 y_hat", "(10, 1)", "linear-regression.rst:42", "2 MmBackward0, 1 b"]
MORE = ["norm 20.09", "5", "40 B", "self X (10, 2), other=2", "→ b: grad.sum_to_size(1); 1 more"]


def rows(*cells: str, count: int = 8) -> list[list[list[Run]]]:
    return [[[Run(cell, literal=False)] for cell in cells]] * count


def used(fitting: Fit) -> float:
    """The width in points of a table with columns of given widths."""
    assert fitting.widths is not None
    return sum(width * fitting.size + 2 * fitting.gap for width in fitting.widths)


def test_a_table_that_fits_stays_as_it_is() -> None:
    assert fit(rows(*NODE)) == Fit(10, 6, None, 8)


def test_more_columns_have_smaller_letters_and_keep_shapes_whole() -> None:
    eight, ten = fit(rows(*NODE, *MORE[:2], MORE[-1])), fit(rows(*NODE, *MORE))
    assert (eight.size, ten.size) == (8, 7)
    for fitting in (eight, ten):
        assert fitting.widths is not None
        assert used(fitting) <= LINE_WIDTH + 0.01
        assert fitting.widths[2] > 3.5  # (10, 1)
    assert eight.lines <= 16


def test_long_columns_take_what_short_ones_leave() -> None:
    fitting = fit(rows("encoder.weight", "(4, 4)", "none: it is frozen: " * 5))
    assert fitting.size == 10
    assert fitting.widths is not None
    assert fitting.widths[0] > 0.5 * len("encoder.weight") - 0.01
    assert fitting.widths[2] > 25
    assert fitting.lines == 16


def test_names_break_between_their_parts() -> None:
    assert pieces("linear-regression.rst:42") == ["linear-", "regression.", "rst:", "42"]
    assert pieces("MaxPool2DWithIndicesBackward0") == [
        "Max", "Pool2D", "With", "Indices", "Backward0",
    ]  # fmt: skip
    assert pieces("norm 0.0001884 (10, 1)") == ["norm 0.0001884 (10, 1)"]
    assert pieces("a" * 20) == ["a" * 16, "a" * 4]


@given(st.text())
def test_breaking_loses_nothing(text: str) -> None:
    text = text.replace("\0", "")
    assert "".join(pieces(text)) == text
    for piece in pieces(text):
        assert all(len(word) <= 16 for word in piece.split())


@given(st.lists(st.text(max_size=40), min_size=1, max_size=12))
def test_no_table_is_wider_than_the_line(cells: list[str]) -> None:
    fitting = fit(rows(*cells, count=2))
    assert fitting.widths is None or used(fitting) <= LINE_WIDTH + 0.01
