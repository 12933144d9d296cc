"""Titles of frames: no arrow passes over them, and they stay in their frames."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from benchmarks.layout import read_corpus
from sphinx_autogradgraph.render.arrange import arrange
from sphinx_autogradgraph.render.diagram import Box, Cluster, Diagram
from sphinx_autogradgraph.render.framed import label_width
from sphinx_autogradgraph.render.layout import Frame, Layout, Point, Route
from sphinx_autogradgraph.render.titles import with_titles_clear
from sphinx_autogradgraph.views.choice import Scope


def points_of(route: Route) -> Iterator[Point]:
    """Points on a route, a unit or so from each other."""
    for place in range(0, len(route.points) - 3, 3):
        corners = route.points[place : place + 4]
        for step in range(201):
            share = step / 200
            level = list(corners)
            while len(level) > 1:  # de Casteljau
                level = [
                    (x + (other - x) * share, y + (end - y) * share)
                    for (x, y), (other, end) in pairwise(level)
                ]
            yield level[0]


def crossed(diagram: Diagram, layout: Layout) -> list[str]:
    """The titles that an arrow passes over."""
    points = [point for route in layout.routes.values() for point in points_of(route)]
    found = []
    for cluster in diagram.clusters:
        x, y = layout.frames[cluster.key].label
        half = label_width(cluster) / 2
        if any(abs(at - x) < half and abs(high - y) < 5 for at, high in points):
            found.append(cluster.words[0][1])
    return found


def test_no_arrow_passes_over_a_title() -> None:
    figures = {figure.name: figure for figure in read_corpus()}
    for name in ("mlp step, inputs", "batch norm, modules"):
        figure = figures[name]
        show = tuple(dict.fromkeys((*figure.show, "modules")))
        arranged = arrange(figure.graph, Scope(depth=figure.depth), show)
        diagram, layout = arranged.diagram, arranged.layout
        assert diagram.clusters
        assert crossed(diagram, layout) == []
        for cluster in diagram.clusters:
            left, _, width, _, (x, _) = layout.frames[cluster.key]
            half = label_width(cluster) / 2
            assert left < x - half < x + half < left + width
            assert 0 <= left < left + width <= layout.width + 0.1
            if cluster.parent is not None:
                outer = layout.frames[cluster.parent]
                assert outer.left < left < left + width < outer.left + outer.width


def narrow(arrow: float, right: float, beside: float) -> Frame:
    """A frame from 100 to ``right`` that an arrow enters, with a box that begins at ``beside``."""
    cluster = Cluster("c0", None, (("name", "encoder.1"), ("op", "ReLU")), ("n0",))
    boxes = (Box("n0", "function", (), (), "", 40), Box("n1", "function", (), (), "", 40))
    route = Route(((arrow, 0), (arrow, 10), (arrow, 30), (arrow, 40)), None)
    layout = Layout(
        400, 100, {"n0": (arrow, 60), "n1": (beside + 20, 60)}, {"e0": route},
        {"c0": Frame(100, 5, right - 100, 90, (154.3, 15))},
    )  # fmt: skip
    diagram = Diagram(boxes, (), (cluster,))
    return with_titles_clear(diagram, layout).frames["c0"]


def test_a_frame_grows_for_its_title_only_where_nothing_is() -> None:
    width = label_width(Cluster("c0", None, (("name", "encoder.1"), ("op", "ReLU")), ()))
    assert narrow(350, 380, 390).label[0] == pytest.approx(108 + width / 2, abs=0.1)
    assert narrow(120, 300, 390).label[0] == pytest.approx(125 + width / 2, abs=0.1)
    grown = narrow(150, 220, 320)
    assert grown.label[0] == pytest.approx(155 + width / 2, abs=0.1)
    assert grown.left == 100
    assert grown.width == pytest.approx(55 + width + 8, abs=0.1)
    to_the_left = narrow(150, 220, 235)
    assert to_the_left.label[0] == pytest.approx(145 - width / 2, abs=0.1)
    assert to_the_left.left < 100
    assert to_the_left.left + to_the_left.width == pytest.approx(220, abs=0.1)
