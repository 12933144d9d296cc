"""Choose the best of several layouts: the engine knows neither arguments nor columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.core.settings import Engine
from sphinx_autogradgraph.render.arrow_ends import with_ends_apart
from sphinx_autogradgraph.render.diagram import Diagram
from sphinx_autogradgraph.render.dot import Hints, gap_of, layout_dot
from sphinx_autogradgraph.render.edge_labels import LABEL_FONT_SIZE, with_knots_undone, with_twins
from sphinx_autogradgraph.render.framed import framed, in_ranks_of_their_own
from sphinx_autogradgraph.render.labels import Lines
from sphinx_autogradgraph.render.layout import Layout, LayoutTimeoutError, lay_out
from sphinx_autogradgraph.render.lettering import FONT_SIZE
from sphinx_autogradgraph.render.quality import CROSSING, NO_FAULTS, Faults, faults_of
from sphinx_autogradgraph.render.ranks import longer_arrows, out_of_rank
from sphinx_autogradgraph.render.sheets import with_sheets_beside
from sphinx_autogradgraph.render.straight import straightened

MARGIN = 4.0
"""Space around the drawing, for the outlines of the outermost boxes and of the focus."""

SMALL = 9
"""Number of nodes up to which a drawing is to fit a phone."""

PHONES = (418.0, 433.0, 445.0, 460.0)
"""Widths that a phone's column has in a drawing whose words shrink to 9 pixels there, from 13: of
the 360 pixels of a small phone most themes leave 290 to 320 to a figure."""

MANY = 90
"""Number of boxes above which each number of lines has one candidate, to save time."""

REACH = 1.4
"""Width of a small drawing, in widths of a phone's column, up to which it can be made to fit."""

ROUNDS = 4
"""Number of rounds in which single boxes are freed of an order, or of their rank."""

MUCH_TOO_WIDE = 3.0
"""Width of a drawing, in columns, above which it is no use to take single boxes out of a rank."""

TRIED = 8
"""Number of boxes that are tried in a round, of each kind of freedom."""


@dataclass(frozen=True)
class Candidate:
    """One layout of a diagram, with what it costs the reader at any width."""

    diagram: Diagram
    layout: Layout
    hints: Hints
    faults: Faults = NO_FAULTS

    @property
    def width(self) -> float:
        """Width of the drawing, in pixels."""
        return self.layout.width + 2 * MARGIN

    def fits(self, column: float | None) -> bool:
        """Whether the drawing is no wider than a column, in pixels."""
        return column is None or self.width <= column

    def cost(self, column: float | None) -> float:
        """Return the cost of the drawing in a column.

        The unit is a turned argument, as in :attr:`.Faults.cost`.  A drawing that is too wide costs
        2, and 1 more for each 40 pixels over the column.
        """
        over = 0.0 if self.fits(column) else 2 + (self.width - (column or 0.0)) / 40
        return self.faults.cost + over


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
    best = _best_candidate(diagram_on, column, engine, timeout)
    return best.diagram, with_ends_apart(best.diagram, best.layout)


def _best_candidate(
    diagram_on: Callable[[Lines], Diagram],
    column: float | None,
    engine: Engine,
    timeout: float,
) -> Candidate:
    one = diagram_on(1)
    few = len(one.boxes) <= MANY
    hints = [Hints(), Hints(free=None)][: 1 + few]
    if column is None or not few:
        found = _laid_out([(one, hint) for hint in hints], engine, timeout)
        if any(candidate.fits(column) for candidate in found):
            return _improved(found, column, engine, timeout) if few else _best(found, column)
        found += _laid_out([(diagram_on(2), hint) for hint in hints], engine, timeout)
    else:
        # Both numbers of lines in one run: starting the engine takes longer than most layouts.
        diagrams = [one, diagram_on(2)]
        tried = [(diagram, hint) for diagram in diagrams for hint in hints]
        found = _laid_out(tried, engine, timeout)
    nodes = sum(box.kind != "output" for box in one.boxes)
    if column is not None and nodes <= SMALL:
        narrowest = min(candidate.width for candidate in found)
        for phone in _phones(one, column):
            if narrowest <= REACH * phone:
                best = _improved(found, phone, engine, timeout)
                if best.fits(phone):
                    return best
    return _improved(found, column, engine, timeout) if few else _on_lines(found, column)


def _phones(diagram: Diagram, column: float) -> list[float]:
    """Return the widths of phones' columns in a drawing whose smallest words have 9 pixels."""
    small = bool(diagram.clusters) or any(arrow.words for arrow in diagram.arrows)
    scale = LABEL_FONT_SIZE / FONT_SIZE if small else 1.0
    return [min(column, phone * scale) for phone in PHONES]


def _best(found: Sequence[Candidate], column: float | None) -> Candidate:
    return min(found, key=lambda candidate: candidate.cost(column))


def _on_lines(found: Sequence[Candidate], column: float | None) -> Candidate:
    """Return the best candidate with words on one line, or that on two if one is no good.

    One line is good if it fits the column, but not if arguments had to be turned around for it;
    or if two would be no narrower.
    """
    one = [candidate for candidate in found if candidate.diagram.lines == 1]
    two = [candidate for candidate in found if candidate.diagram.lines == 2]
    if not one or not two:
        return _best(found, column)
    if min(candidate.width for candidate in two) >= min(candidate.width for candidate in one):
        return _best(one, column)
    fitting = [candidate.cost(column) for candidate in one if candidate.fits(column)]
    good = bool(fitting) and min(fitting) <= _best(two, column).cost(column) + 1
    return _best(one if good else two, column)


def _improved(
    found: Sequence[Candidate], column: float | None, engine: Engine, timeout: float
) -> Candidate:
    """Return the best candidate, also of those found by freeing boxes of an order or a rank."""
    best = _on_lines(found, column)
    improved = _with_boxes_freed(best, column, engine, timeout)
    if best.hints.free is None:
        # Where every argument stands anywhere, some are turned around without need.
        others = [
            _with_boxes_freed(one, column, engine, timeout)
            for one in found
            if one.hints.free is not None and one.diagram is best.diagram
        ]
        improved = _best([improved, *others], column)
    return _on_more_ranks(improved, column, engine, timeout)


def _on_more_ranks(
    best: Candidate, column: float | None, engine: Engine, timeout: float
) -> Candidate:
    """Put boxes on more ranks and nearer together, if the best candidate is too wide."""
    diagram = best.diagram
    if column is None or best.fits(column) or diagram.direction in ("LR", "RL"):
        return best
    tight = best.hints._replace(tight=True)
    below = in_ranks_of_their_own(diagram) if diagram.clusters else ()
    gap = gap_of(diagram, tight)
    longer = [
        longer_arrows(diagram, column * share, gap, below, last_nearest=last)
        for share in SHARES
        if column * share < best.width
        for last in (True, False)
    ]
    few = [arrows for arrows in longer if sum(arrows.values()) <= MOST_RANKS]
    hints = [tight, *(tight._replace(longer=arrows) for arrows in few)]
    try:
        found = _laid_out([(diagram, hint) for hint in hints], engine, timeout)
    except DiagnosticError:
        return best  # there is a good layout already
    # With frames more ranks may do harm: the engine's bend the chain, and arrows pass ours.
    clear = [one for one in found if not one.faults.sideways and not one.faults.frames_passed]
    most = best.faults.crossings + CROSSINGS_FOR_FIT
    fitting = [one for one in clear if one.fits(column) and one.faults.crossings <= most]
    if fitting:
        return min(fitting, key=_cost_on_ranks)
    return _best([best, *clear], column)


SHARES = (3.0, 2.0, 1.4, 1.0, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3)
"""Widths of ranks that are tried for a drawing that is too wide, in columns.  The engine moves
ranks sideways against each other, so that a drawing is wider than its ranks."""

MOST_RANKS = 500
"""Number of ranks that all arrows together may pass: with more the engine takes seconds."""

CROSSINGS_FOR_FIT = 2
"""Number of crossings that a drawing may have more for fitting the column; else it rather folds."""


def _cost_on_ranks(one: Candidate) -> float:
    """Return the cost of a drawing on more ranks, where 200 pixels of height are one unit."""
    return CROSSING * one.faults.crossings + one.faults.turned + one.layout.height / 200


def _with_boxes_freed(
    best: Candidate, column: float | None, engine: Engine, timeout: float
) -> Candidate:
    """Free single boxes of the order or the rank that does harm, as long as that gets better."""
    mixed = _mixing(best.diagram)
    diagram = best.diagram
    if best.hints.free is None:
        best = replace(best, hints=best.hints._replace(free=frozenset(mixed)))
    for _ in range(ROUNDS):
        if not best.faults.crossings and best.fits(column):
            break
        free = best.hints.free or frozenset()
        hints = [best.hints._replace(free=free ^ {key}) for key in mixed[:TRIED]]
        if column is not None and column < best.width <= column * MUCH_TOO_WIDE:
            hints += [
                best.hints._replace(longer=Counter(best.hints.longer) + Counter(arrows))
                for arrows in out_of_rank(diagram, best.layout)[:TRIED]
            ]
        if not hints:
            break
        try:
            found = _laid_out([(diagram, hint) for hint in hints], engine, timeout)
        except DiagnosticError:
            break  # there is a good layout already
        following = _best(found, column)
        if following.cost(column) >= best.cost(column):
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
    tried: Sequence[tuple[Diagram, Hints]], engine: Engine, timeout: float
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
        gap = gap_of(diagram, hints)
        straight = with_sheets_beside(plain, straightened(plain, layout), gap)
        with_frames = framed(diagram, straight) if diagram.clusters else straight
        if with_frames is not None:
            candidates.append(_candidate(diagram, hints, with_frames))
    if candidates:
        return candidates
    return [
        _candidate(diagram, hints, layout)
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
        None if layout is None else with_twins(diagram, with_knots_undone(layout))
        for (diagram, _), layout in zip(tried, layouts, strict=True)
    ]


def _engine_layouts(
    tried: Sequence[tuple[Diagram, Hints]], engine: Engine, timeout: float
) -> list[Layout | None]:
    """Lay out each diagram as the engine does it, without the twins of arrows."""
    texts = [layout_dot(diagram, hints) for diagram, hints in tried]
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
    unordered = [layout_dot(diagram, Hints(free=None)) for diagram, _ in tried]
    return list(lay_out(unordered, engine, timeout))


def _candidate(diagram: Diagram, hints: Hints, layout: Layout) -> Candidate:
    """Make a candidate of a layout, and count its faults."""
    layout = replace(layout, lines=diagram.lines)
    # Each pair of arrows would be compared: too slow for many, which have one candidate anyway.
    if len(diagram.boxes) > MANY:
        return Candidate(diagram, layout, hints)
    return Candidate(diagram, layout, hints, faults_of(diagram, layout))
