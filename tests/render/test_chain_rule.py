"""The chain rule in a drawing: formulas on nodes, gradients on edges, sums where they add up."""

from __future__ import annotations

import re

import torch
from torch import nn

from sphinx_autogradgraph import draw, record
from sphinx_autogradgraph.render.diagram import HEIGHT, LINE
from sphinx_autogradgraph.render.edge_labels import LABEL_FONT_SIZE


def test_formulas_gradients_the_seed_and_a_sum_are_drawn() -> None:
    a = torch.tensor(-2.0, requires_grad=True)
    b = torch.tensor(3.0, requires_grad=True)
    f = (a * b) * (a + b)
    drawing = draw(f, show=["formulas", "gradients"])
    boxes = {box.key: box.words for box in drawing._diagram.boxes}
    assert ("gradient", "grad Σ 3 − 6 = −3") in boxes["n0"]
    assert ("formula", "→ a: grad * b") in boxes["n2"]
    assert ("meta", "other: what AddBackward0 made") in boxes["n4"]
    carried = re.findall(r'class="carried"[^>]*><tspan[^>]*>([^<]*)<', drawing.svg)
    assert sorted(carried) == sorted(["↑ 3", "↑ −6", "↑ −2", "↑ −6", "↑ 1", "↑ −6", "↑ 1"])


def test_what_is_not_asked_for_is_not_drawn() -> None:
    a = torch.tensor(-2.0, requires_grad=True)
    svg = draw(a * a).svg
    assert "carried" not in svg.partition("</style>")[2]
    assert "formula" not in svg.partition("</style>")[2]


def test_a_scale_shows_where_gradients_vanish_in_a_larger_graph() -> None:
    torch.manual_seed(0)
    layers = [nn.Linear(4, 4) if place % 2 else nn.Sigmoid() for place in range(12)]
    with record():
        loss = nn.Sequential(*layers)(torch.randn(3, 4, requires_grad=True)).pow(2).mean()
    drawing = draw(loss, show=["shape", "gradients"], depth=2)
    boxes = [box for box in drawing._diagram.boxes if box.kind in ("function", "module")]
    levels = [box.level or 0 for box in boxes]
    assert levels == sorted(levels)
    assert levels[0] < 0.5 < levels[-1] == 1
    # Without colour, too: in words, and in the lengths of bars.
    assert any("× 0." in word for box in boxes for _, word in box.words)
    lengths = re.findall(r'class="level" d="M[^h]*h([\d.]+)"', drawing.svg)
    assert len(set(lengths)) > 5
    assert all(box.height > HEIGHT + LINE * (len(box.lines) - 1) + 4 for box in boxes)
    assert "full at 1," in drawing.caption
    assert "Folded for reading" not in drawing.caption  # the author asked for this depth
    # A fold has the norm of what comes in above it, and of what it passes on below.
    inner = [arrow for arrow in drawing._diagram.arrows if arrow.head == boxes[3].key]
    assert inner[0].words[0][1].startswith("(3, 4) norm ")


def test_gradients_of_one_size_have_no_scale() -> None:
    w = torch.ones(3, requires_grad=True)
    x = w
    for _ in range(12):
        x = x * 0.9
    drawing = draw(x.sum(), show=["gradients"])
    assert "logarithmic" not in drawing.caption
    assert 'class="level"' not in drawing.svg


def test_a_tensor_that_is_used_twice_by_one_operation_has_two_arrows_side_by_side() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    drawing = draw((x * x).sum(), show=["gradients"])
    first, second = (
        drawing._layout.routes[arrow.key]
        for arrow in drawing._diagram.arrows
        if (arrow.tail, arrow.head) == ("n0", "n1")
    )
    assert [y for _, y in first.points] == [y for _, y in second.points]
    assert {round(a - b) for (a, _), (b, _) in zip(first.points, second.points, strict=True)} == {8}
    assert drawing.svg.count("[1, 2] + [1, 2]") == 1


def test_a_sum_at_an_arrow_takes_a_line_for_each_gradient_where_the_drawing_is_to_be_narrow() -> (
    None
):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    loss = (x * x + x.exp()).sum()
    wide = draw(loss, show=["shape", "gradients"], width=None)
    assert ">↑ [1, 2, 3] + [1, 2, 3]<" in wide.svg
    narrow = draw(loss, show=["shape", "gradients"])
    lines = re.findall(
        r'class="carried" x="([\d.]+)" y="([\d.]+)"[^>]*><[^>]*>([^<]*)<', narrow.svg
    )
    first, second = (line for line in lines if line[2] in ("↑ [1, 2, 3]", "+ [1, 2, 3]"))
    assert abs(float(first[0]) - float(second[0])) < 2
    assert float(first[1]) + LABEL_FONT_SIZE < float(second[1])
    phone = 320 * LABEL_FONT_SIZE / 9
    assert narrow._layout.width < phone < wide._layout.width
    assert [("order", "5."), ("name", "x"), ("meta", "(3,)")] in [
        list(box.lines[0]) for box in narrow._diagram.boxes
    ], "a number never stands alone on a line"
