"""Choose the best of several layouts: the engine knows neither arguments nor columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.core.settings import Engine
from sphinx_autogradgraph.render.diagram import Diagram
from sphinx_autogradgraph.render.dot import Hints, digraph_of
from sphinx_autogradgraph.render.edge_labels import with_twins
from sphinx_autogradgraph.render.framed import framed, in_ranks_of_their_own
from sphinx_autogradgraph.render.labels import Lines
from sphinx_autogradgraph.render.layout import Layout, LayoutTimeoutError, lay_out
from sphinx_autogradgraph.render.quality import crossings, lengths, turned
from sphinx_autogradgraph.render.straight import straightened

MARGIN = 4.0
"""Space around the drawing, for the outlines of the outermost boxes and of the focus."""

SMALL, PHONE = 10, 460.0
"""Number of boxes, outputs included, up to which a drawing is to fit a phone, and the width in
pixels of a phone's column, on which words shrink from 13 pixels to 9."""

MANY = 90
"""Number of boxes above which each number of lines has one candidate, to save time."""

ROUNDS = 4
"""Number of rounds in which single boxes are freed of the order of their arguments."""

FREED = 8
"""Number of boxes that are tried in a round."""


@dataclass(frozen=True)
class Candidate:
    """One layout of a diagram, with its cost to the reader."""

    diagram: Diagram
    layout: Layout
    hints: Hints
    crossings: int = 0
    cost: float = 0.0

    @property
    def width(self) -> float:
        """Width of the drawing, in pixels."""
        return self.layout.width + 2 * MARGIN


def best_layout(
    diagram_on: Callable[[Lines], Diagram],
    column: float | None,
    engine: Engine,
    timeout: float,
) -> tuple[Diagram, Layout]:
    """Return the best layout of a diagram, with words on one line or on two as the column demands.

    ``column`` is the width in pixels that it is made for; None for one line at any width.  Raises
    what :func:`.lay_out` raises.
    """
    one = diagram_on(1)
    small = column is not None and sum(bool(box.nodes) for box in one.boxes) <= SMALL
    few = len(one.boxes) <= MANY
    hints = [Hints(), Hints(free=None)][: 1 + few]
    found: list[Candidate] = []
    if column is None or not few:
        found = _laid_out([(one, hint) for hint in hints], column, engine, timeout)
    if column is not None and not any(candidate.width <= column for candidate in found):
        # Both numbers of lines in one run: starting the engine takes longer than most layouts.
        diagrams = [one, diagram_on(2)]
        tried = [(diagram, hint) for diagram in diagrams for hint in hints]
        found = _laid_out(tried, column, engine, timeout)
        on_one = [candidate for candidate in found if candidate.diagram is one]
        on_two = [candidate for candidate in found if candidate.diagram is not one]
        narrow = small and min(two.width for two in on_two or on_one) <= PHONE
        wanted = min(column, PHONE) if narrow else column
        found = on_one if _fits(on_one, on_two, wanted) else on_two
    best = min(found, key=lambda candidate: candidate.cost)
    if few:
        best = _freed(best, column, engine, timeout)
    return best.diagram, best.layout


def _fits(one: Sequence[Candidate], two: Sequence[Candidate], column: float) -> bool:
    """Whether words can stay on one line: that fits the column, or two would be no narrower.

    Not if arguments had to be turned around for it.
    """
    if not one or not two:
        return bool(one)
    if min(candidate.width for candidate in two) >= min(candidate.width for candidate in one):
        return True
    fitting = [candidate.cost for candidate in one if candidate.width <= column]
    return bool(fitting) and min(fitting) <= min(candidate.cost for candidate in two) + 1


def _freed(best: Candidate, column: float | None, engine: Engine, timeout: float) -> Candidate:
    """Return the best candidate, found by freeing boxes of the order that makes arrows cross."""
    mixed = _mixing(best.diagram)
    diagram = best.diagram
    if best.hints.free is None:
        best = replace(best, hints=Hints(frozenset(mixed)))
    for _ in range(ROUNDS):
        if not best.crossings and (column is None or best.width <= column):
            break
        free = best.hints.free or frozenset()
        hints = [Hints(free ^ {key}) for key in mixed[:FREED]]
        if not hints:
            break
        try:
            found = _laid_out([(diagram, hint) for hint in hints], column, engine, timeout)
        except DiagnosticError:
            break  # there is a good layout already
        following = min(found, key=lambda candidate: candidate.cost)
        if following.cost >= best.cost:
            break
        best = following
    return best


def _mixing(diagram: Diagram) -> list[str]:
    """Return the boxes with several computed arguments, whose order may make arrows cross."""
    kinds = {box.key: box.kind for box in diagram.boxes}
    made: dict[str, set[str]] = {}
    for arrow in diagram.arrows:
        if arrow.kind == "use" and kinds[arrow.tail] in ("function", "module"):
            made.setdefault(arrow.head, set()).add(arrow.tail)
    return [key for key, tails in made.items() if len(tails) > 1]


def _laid_out(
    tried: Sequence[tuple[Diagram, Hints]], column: float | None, engine: Engine, timeout: float
) -> list[Candidate]:
    """Make a candidate of each pair of diagram and hints.

    Frames are drawn around boxes that are laid out without them, which keeps the main chain
    straight.  Where that cannot be done, the engine lays out the frames.
    """
    bare = [
        (
            replace(diagram, clusters=()),
            hints._replace(below=in_ranks_of_their_own(diagram) if diagram.clusters else ()),
        )
        for diagram, hints in tried
    ]
    candidates = []
    for (diagram, hints), (plain, _), layout in zip(
        tried, bare, _lay_out_each(bare, engine, timeout), strict=True
    ):
        if layout is None:
            continue
        straight = straightened(plain, layout)
        with_frames = framed(diagram, straight) if diagram.clusters else straight
        if with_frames is not None:
            candidates.append(_candidate(diagram, hints, with_frames, column))
    if candidates:
        return candidates
    return [
        _candidate(diagram, hints, layout, column)
        for (diagram, hints), layout in zip(
            tried, _lay_out_each(tried, engine, timeout), strict=True
        )
        if layout is not None
    ]


def _lay_out_each(
    tried: Sequence[tuple[Diagram, Hints]], engine: Engine, timeout: float
) -> list[Layout | None]:
    """Lay out each diagram by its hints; None where the engine fails on it.

    Raises what :func:`.lay_out` raises where it fails on all of them, also without an order of
    arguments.
    """
    layouts = _engine_layouts(tried, engine, timeout)
    return [
        None if layout is None else with_twins(diagram, layout)
        for (diagram, _), layout in zip(tried, layouts, strict=True)
    ]


def _engine_layouts(
    tried: Sequence[tuple[Diagram, Hints]], engine: Engine, timeout: float
) -> list[Layout | None]:
    """Lay out each diagram as the engine does it, without the twins of arrows."""
    texts = [digraph_of(diagram, hints).source for diagram, hints in tried]
    try:
        return list(lay_out(texts, engine, timeout))
    except LayoutTimeoutError:
        raise
    except DiagnosticError:
        pass
    # Graphviz ends on an assertion where ordered arguments cross frames in some ways (its
    # mincross.c, flat_reorder), and all that shared the run is lost with it.
    layouts: list[Layout | None] = []
    for text in texts:
        try:
            layouts += lay_out([text], engine, timeout)
        except LayoutTimeoutError:
            raise
        except DiagnosticError:
            layouts.append(None)
    if any(layouts):
        return layouts
    unordered = [digraph_of(diagram, Hints(free=None)).source for diagram, _ in tried]
    return list(lay_out(unordered, engine, timeout))


def _candidate(diagram: Diagram, hints: Hints, layout: Layout, column: float | None) -> Candidate:
    """Make a candidate of a layout; its cost is counted in turned arguments."""
    layout = replace(layout, lines=diagram.lines)
    # Each pair of arrows would be compared: too slow for many, which have one candidate anyway.
    if len(diagram.boxes) > MANY:
        return Candidate(diagram, layout, hints)
    crossed = crossings(diagram, layout)
    # The unit is a turned argument: 2.5 for a crossing, 1 for each 2,000 pixels of arrows, and for
    # a drawing that is too wide 2, and 1 more for each 40 pixels over the column.
    excess = 0.0 if column is None else layout.width + 2 * MARGIN - column
    over = 2 + excess / 40 if excess > 0 else 0.0
    far = lengths(diagram, layout) / 2_000
    cost = 2.5 * crossed + turned(diagram, layout) + over + far
    return Candidate(diagram, layout, hints, crossed, cost)
