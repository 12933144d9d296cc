"""The chain rule in a drawing: formulas on nodes, gradients on edges, sums where they add up."""

from __future__ import annotations

import re

import torch

from sphinx_autogradgraph import draw


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
