"""How good pictures are, measured over the corpus of figures that tutorials draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, pairwise

import pytest

from benchmarks.layout import Figure, Measured, measure, moved, read_corpus
from sphinx_autogradgraph.core.settings import Engine
from sphinx_autogradgraph.graph.model import Edge, Graph, ModuleCall, Node, Output, TensorMeta
from sphinx_autogradgraph.render import candidates, layout
from sphinx_autogradgraph.render.arrange import arrange
from sphinx_autogradgraph.render.arrow_ends import with_ends_apart
from sphinx_autogradgraph.render.arrow_heads import HEAD_WIDTH
from sphinx_autogradgraph.render.curves import points_on
from sphinx_autogradgraph.render.diagram import DIRECTIONS, STACK, Box, Diagram, Direction
from sphinx_autogradgraph.render.diagram_of_graph import diagram_of
from sphinx_autogradgraph.render.dot import Hints
from sphinx_autogradgraph.render.edge_labels import LABEL_FONT_SIZE, edge_labels
from sphinx_autogradgraph.render.layout import Layout, Point
from sphinx_autogradgraph.render.lettering import FONT_SIZE, text_width
from sphinx_autogradgraph.render.ranks import longer_arrows
from sphinx_autogradgraph.views.choice import Scope

FIGURES = {figure.name: figure for figure in read_corpus()}


pytestmark = pytest.mark.xdist_group("layout")  # the corpus is laid out once


@pytest.fixture(scope="module")
def measured() -> list[Measured]:
    return [measure(figure) for figure in FIGURES.values()]


INTERLEAVED = {"vae, modules"}
"""Figures in which what two modules made stands in each other's way.

In the VAE ``mu`` and ``logvar`` are made side by side in frames of their own, and both go on to the
sample and to the loss: in every order of ranks an arrow's box of the one is level with the other's
frame.  There the engine lays the frames out, which bends the chain.
"""


def test_the_main_chain_is_one_straight_line(measured: list[Measured]) -> None:
    assert {one.name for one in measured if one.sideways > 0} <= INTERLEAVED


PARTS = [
    ("lenet", Scope(around="net.fc1")),
    ("lenet", Scope(until="net.conv2")),
    ("encoder, depth 2", Scope(around="model.layers.1.linear1")),
    ("small gpt", Scope(around="model.transformer.h.1.ln_1")),
    ("rnn of three steps", Scope(until="h")),
]


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_the_main_chain_of_a_part_is_one_straight_line(name: str, part: Scope) -> None:
    """Ends that are cut off stand for the output, or for the leaves, of the whole graph."""
    arranged = arrange(FIGURES[name].graph, part)
    diagram, layout = arranged.diagram, arranged.layout
    cut = {box.key for box in diagram.boxes if box.kind == "cut"}
    assert cut & set(diagram.chain)
    assert len(diagram.chain) > 3
    assert len({layout.boxes[key][0] for key in diagram.chain}) == 1


def test_every_figure_fits_the_column_unscaled(measured: list[Measured]) -> None:
    assert [one.name for one in measured if one.width > 720] == []


def test_arrows_go_around_the_frames_of_others(measured: list[Measured]) -> None:
    # A residual of the block goes beside what it is added to, for lack of width.
    passing = {one.name: one.frames_passed for one in measured if one.frames_passed}
    assert passing == {"transformer block, modules": 2}


FANS = ("concatenation, gradients", "late concatenation, gradients", "weight penalty, gradients")
"""Figures in which many leaves go into one operation, on several ranks."""


def test_many_arguments_fit_the_column_upside_down_too() -> None:
    assert [name for name in FANS if measure(FIGURES[name], "BT").width > 720] == []


def test_words_stand_on_one_line_where_that_fits(measured: list[Measured]) -> None:
    lines = {one.name: one.lines for one in measured}
    assert lines["walk through"] == lines["mlp step"] == lines["rnn of three steps"] == 1
    assert lines["lenet"] == lines["mlp step, saved"] == 2


SCROLLING_IN_SOME_THEMES = {"walk through, saved"}
"""Small figures that are wider than a narrow column, here for the sheets beside their boxes."""


def test_figures_of_up_to_nine_nodes_fit_a_telephone(measured: list[Measured]) -> None:
    """Most themes leave 290 to 320 pixels to a figure, whose words are at least 9 pixels high."""
    small = [one for one in measured if one.nodes <= 9]
    assert len(small) > 10
    widths = {}
    for one in small:
        has_small_words = {"gradients", "modules"} & set(FIGURES[one.name].show)
        widths[one.name] = one.width * 9 / (LABEL_FONT_SIZE if has_small_words else FONT_SIZE)
    assert [name for name, width in widths.items() if width > 320] == []
    assert {name for name, width in widths.items() if width > 290} <= SCROLLING_IN_SOME_THEMES


def test_nothing_stands_between_a_function_and_what_it_saved() -> None:
    for name in ("walk through, saved", "mlp step, saved", "attention, saved"):
        arranged = arrange(FIGURES[name].graph, show=FIGURES[name].show)
        diagram, layout = arranged.diagram, arranged.layout
        areas = {
            box.key: around(*layout.boxes[box.key], box.width, box.height) for box in diagram.boxes
        }
        assert not [pair for pair in combinations(areas.values(), 2) if overlap(*pair)], name
        sheets = [arrow for arrow in diagram.arrows if arrow.beside]
        assert sheets
        for arrow in sheets:
            own = {arrow.head, *(other.tail for other in sheets if other.head == arrow.head)}
            ends = [layout.boxes[key][0] for key in (arrow.head, arrow.tail)]
            between = {
                key
                for key, (x, y) in layout.boxes.items()
                if min(ends) < x < max(ends) and y == layout.boxes[arrow.head][1]
            }
            assert between <= own, (name, arrow)
            assert len({y for _, y in layout.routes[arrow.key].points}) == 1, "no way around a box"


def test_words_at_arrows_stand_clear_of_boxes_and_of_each_other() -> None:
    small = ("walk through, gradients", "micrograd, values gradients", "mlp step, gradients")
    for name in small + FANS:
        for direction in DIRECTIONS:
            arranged = arrange(FIGURES[name].graph, show=FIGURES[name].show, direction=direction)
            areas = [
                around(*arranged.layout.boxes[box.key], box.width, box.height)
                for box in arranged.diagram.boxes
            ]
            labels = list(edge_labels(arranged.diagram, arranged.layout))
            assert len(labels) == len(arranged.diagram.arrows)
            areas += [
                around(label.x, label.y, text_width(label.text) * LABEL_FONT_SIZE, 11)
                for label in labels
            ]
            assert not [pair for pair in combinations(areas, 2) if overlap(*pair)], (
                name,
                direction,
            )


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_arrows_end_on_outlines_and_their_heads_apart(direction: Direction) -> None:
    across = 0 if direction in ("TB", "BT") else 1
    heads: dict[tuple[str, str, bool], list[float]] = {}
    for name in ("micrograd l, values gradients", "residual block", "lstm by hand", "two terms"):
        arranged = arrange(FIGURES[name].graph, show=FIGURES[name].show, direction=direction)
        diagram, layout = arranged.diagram, arranged.layout
        boxes = {box.key: box for box in diagram.boxes}
        for arrow in diagram.arrows:
            route = layout.routes[arrow.key]
            for key, point in ((arrow.tail, route.points[0]), (arrow.head, route.tip)):
                if point is not None and not arrow.beside:
                    centre = layout.boxes[key]
                    assert abs(from_outline(point, boxes[key], centre)) < 1, (name, arrow)
                    if point is route.tip:
                        side = name, key, point[1 - across] > centre[1 - across]
                        heads.setdefault(side, []).append(point[across])
    assert any(len(places) > 1 for places in heads.values())
    for side, places in heads.items():
        places.sort()
        assert all(other - one >= HEAD_WIDTH for one, other in pairwise(places)), side


def from_outline(point: Point, box: Box, centre: Point) -> float:
    """Return the distance of a point from the outline of a box with round corners."""
    x = abs(point[0] - centre[0]) - (box.width / 2 - box.corner_radius)
    y = abs(point[1] - centre[1]) - (box.height / 2 - box.corner_radius)
    return math.hypot(max(x, 0), max(y, 0)) + min(max(x, y), 0) - box.corner_radius


Area = tuple[float, float, float, float]


def around(x: float, y: float, width: float, height: float) -> Area:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def overlap(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_a_straight_chain_is_not_paid_for(measured: list[Measured]) -> None:
    assert sum(one.crossings for one in measured) <= 8
    assert sum(one.turned for one in measured) <= 23  # one of them to fit a telephone
    assert sum(one.bends for one in measured) <= 190
    assert sum(one.height for one in measured) / len(measured) <= 640
    assert sum(one.blank for one in measured) / len(measured) <= 0.7


@pytest.mark.parametrize("last_nearest", [True, False])
def test_ranks_hold_as_many_boxes_as_there_is_room_for(last_nearest: bool) -> None:
    diagram = diagram_of(FIGURES["concatenation"].graph)
    ranks: list[int] = []
    for width in (2_000, 900, 500, 300):
        longer = longer_arrows(diagram, width, 10, last_nearest=last_nearest)
        arguments = [arrow.key for arrow in diagram.arrows if arrow.tail.startswith("n")][:12]
        places = [longer.get(key, 0) for key in arguments]
        ranks.append(max(places) + 1)
        # From rank to rank by one, and in rows: each of the operation's ranks has an argument.
        assert set(places) == set(range(ranks[-1]))
    assert ranks == sorted(set(ranks)), "a narrower drawing has more ranks"


def test_a_box_that_is_wider_than_all_room_still_has_a_rank() -> None:
    diagram = diagram_of(FIGURES["weight penalty"].graph)
    longer = longer_arrows(diagram, 1, 10)
    assert max(longer.values()) >= 15, "one box on each rank"


def test_boxes_that_are_each_to_stand_below_the_other_have_no_ranks() -> None:
    """Frames may ask for that: the leaves of one after what goes into it, and the other way."""
    diagram = diagram_of(FIGURES["concatenation"].graph)
    leaves = [box.key for box in diagram.boxes if box.kind == "leaf"]
    assert longer_arrows(diagram, 500, 10, [(leaves[0], leaves[1])])
    assert not longer_arrows(diagram, 500, 10, [(leaves[0], leaves[1]), (leaves[1], leaves[0])])


def test_one_operation_more_moves_little() -> None:
    for name in ("walk through", "mlp step", "lenet, modules", "vae", "rnn of three steps"):
        assert moved(FIGURES[name]) <= 2, name


def test_a_graph_folds_as_gently_as_it_takes(measured: list[Measured]) -> None:
    boxes = {one.name: one.boxes for one in measured}
    # By its blocks, not to one box: and what has no parts keeps its name.
    assert boxes["small gpt"] == 21
    assert boxes["u net"] == boxes["u net, depth 3"] == 39
    assert all(one.boxes <= 65 for one in measured)
    gpt = arrange(FIGURES["small gpt"].graph)
    assert gpt.folded
    assert "model.lm_head" in {node.name for node in gpt.view.nodes if node.kind == "module"}


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_chain_is_straight_in_every_direction(direction: Direction) -> None:
    for name in ("walk through, saved", "lenet, modules", "vae"):
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


def test_a_graph_is_drawn_with_which_the_engine_fails_in_its_usual_order() -> None:
    """Graphviz ends on an assertion of its own where a node in two frames has ordered arguments."""
    shapes = {node: (2, node + 1) for node in range(4)}
    nodes = [
        Node(
            id=node, kind="leaf" if node in shapes else "function", op="", name=None,
            outputs=(TensorMeta(shapes.get(node, (2,)), "float32", "cpu"),),
        )
        for node in range(19)
    ]  # fmt: skip
    ends = [(0, 4), (4, 5), (0, 5), (1, 5), (0, 6), (0, 7), (1, 7), (4, 7)]
    ends += [(0, node) for node in range(8, 19)]
    graph = Graph(
        (Output(None, 0, 0),), tuple(nodes),
        tuple(Edge(tail, head, 0, number) for number, (tail, head) in enumerate(ends)),
        (ModuleCall("", "", 8, 8), ModuleCall("", "", 8, 8)),
    )  # fmt: skip
    arranged = arrange(graph, show=("shape", "modules"))
    assert len(arranged.layout.boxes) == len(arranged.diagram.boxes)


def test_no_layout_of_very_many_arguments_takes_the_engine_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What an engine needs for arrows that pass ranks grows faster than their number."""
    passed: list[int] = []
    laid_out = candidates._laid_out

    def counting(
        tried: Sequence[tuple[Diagram, Hints]], engine: Engine, timeout: float
    ) -> list[candidates.Candidate]:
        passed.extend(sum(hints.longer.values()) for _, hints in tried)
        return laid_out(tried, engine, timeout)

    monkeypatch.setattr(candidates, "_laid_out", counting)
    meta = (TensorMeta((3,), "float32", "cpu"),)
    leaves = [Node(id, "leaf", "AccumulateGrad", f"parts[{id}]", meta) for id in range(80)]
    graph = Graph(
        (Output("out", 80, 0),),
        (*leaves, Node(80, "function", "CatBackward0", None, meta)),
        tuple(Edge(id, 80, 0, id) for id in range(80)),
    )
    drawn = arrange(graph, Scope(fold=("none",)))
    assert len(drawn.diagram.boxes) == 82
    assert 0 < max(passed) <= candidates.MOST_RANKS
    assert drawn.layout.width < 3_000, "a third of one rank"


def test_equal_graphs_are_laid_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    run = layout.run_engine

    def counting(engine: Engine, form: str, dot: str, timeout: float) -> tuple[bytes, str]:
        texts.append(dot)
        return run(engine, form, dot, timeout)

    monkeypatch.setattr(layout, "run_engine", counting)
    one, other = (f'digraph {{ laid -> {word} [id="{word}"] }}' for word in ("once", "twice"))
    first = layout.lay_out([one, other, one])
    assert first[0] == first[2] != first[1]
    assert layout.lay_out([one, other]) == first[:2]
    assert texts == [f"{one}\n{other}"]


@pytest.mark.parametrize("name", ["seq2seq", "u net, depth 2"])
def test_arrows_pass_clear_of_both_cards_of_a_fold(name: str) -> None:
    arranged = arrange(FIGURES[name].graph, Scope(depth=FIGURES[name].depth), FIGURES[name].show)
    diagram, layout = arranged.diagram, arranged.layout
    folds = [box for box in diagram.boxes if box.kind == "module"]
    assert len(folds) > 5
    for arrow in diagram.arrows:
        for x, y in points_on(layout.routes[arrow.key]):
            for box in folds:
                across, down = x - layout.boxes[box.key][0], y - layout.boxes[box.key][1]
                beside = max(-across, across - STACK) - box.width / 2
                away = max(beside, abs(down) - box.height / 2)
                assert box.key in (arrow.tail, arrow.head) or away > 2.2, (arrow, box)


def corners(layout: Layout) -> int:
    """Return how many places there are in arrows where two pieces meet at an angle."""
    count = 0
    for route in layout.routes.values():
        for before, here, after in zip(
            route.points[2::3], route.points[3::3], route.points[4::3], strict=False
        ):
            if math.dist(before, here) > 1 and math.dist(here, after) > 1:
                turn = [
                    math.atan2(b[1] - a[1], b[0] - a[0]) for a, b in ((before, here), (here, after))
                ]
                count += abs(math.remainder(turn[1] - turn[0], math.tau)) > math.radians(8)
    return count


def test_an_arrow_whose_end_moves_gets_no_corner(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []

    def noted(diagram: Diagram, layout: Layout) -> Layout:
        moved = with_ends_apart(diagram, layout)
        found.append((layout != moved, corners(layout), corners(moved)))
        return moved

    monkeypatch.setattr(candidates, "with_ends_apart", noted)
    for name in ("late concatenation", "weighted sum, gradients", "multi head", "lstm cell", "vae"):
        arrange(FIGURES[name].graph, show=FIGURES[name].show)
    assert sum(is_moved for is_moved, _, _ in found) > 4
    assert all(after <= before for _, before, after in found)
