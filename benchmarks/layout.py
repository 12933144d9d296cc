"""How good the pictures are: numbers of the layout over the figures of the corpus.

``python -m benchmarks.layout`` prints them, from the graphs in ``layout_corpus.jsonl.gz``, so that
neither torch nor its version counts.  ``--trace`` traces the corpus again, ``--peers`` measures
torchviz and torchview with dot on the same programs.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from sphinx_autogradgraph.core.show import Show
from sphinx_autogradgraph.graph.model import Edge, Graph, Node, Output, TensorMeta
from sphinx_autogradgraph.render.arrange import arrange
from sphinx_autogradgraph.render.candidates import MARGIN
from sphinx_autogradgraph.render.curves import is_straight
from sphinx_autogradgraph.render.diagram import Diagram, Direction
from sphinx_autogradgraph.render.layout import Layout
from sphinx_autogradgraph.render.quality import faults_of
from sphinx_autogradgraph.views.choice import Scope

CORPUS = Path(__file__).with_name("layout_corpus.jsonl.gz")


class Figure(NamedTuple):
    """A graph of the corpus and how it is shown."""

    name: str
    show: tuple[Show, ...]
    depth: int | None
    graph: Graph


@dataclass(frozen=True)
class Measured:
    """The numbers of one figure.

    ``nodes`` are those of the graph, ``boxes`` those that are drawn; ``sideways`` is how far the
    main chain goes to the sides for each pixel along; ``blank`` the share without boxes;
    ``frames_passed`` how often an arrow passes a frame that it has nothing to do with.
    """

    name: str
    nodes: int
    boxes: int
    lines: int
    width: float
    height: float
    sideways: float
    crossings: int
    turned: int
    bends: int
    blank: float
    frames_passed: int


def blank(diagram: Diagram, layout: Layout) -> float:
    """Return the share of the drawing on which no box stands."""
    boxes = sum(box.width * box.height for box in diagram.boxes)
    return 1 - boxes / max(layout.width * layout.height, 1.0)


def bends(layout: Layout) -> int:
    """Return the number of arrows that are not straight."""
    return sum(not is_straight(route) for route in layout.routes.values())


def read_corpus() -> Iterator[Figure]:
    """Yield the figures of the corpus."""
    for line in gzip.decompress(CORPUS.read_bytes()).decode().splitlines():
        data = json.loads(line)
        graph = Graph.from_json(json.dumps(data["graph"]))
        yield Figure(data["name"], tuple(data["show"]), data["depth"], graph)


def write_corpus() -> None:
    """Trace the programs of the corpus and keep their graphs."""
    import benchmarks.corpus_large  # noqa: F401 - it adds its figures
    from benchmarks.corpus import FIGURES

    lines = [
        json.dumps(
            {
                "name": figure.name,
                "show": figure.show,
                "depth": figure.depth,
                "graph": json.loads(figure.trace().to_json()),
            },
            separators=(",", ":"),
        )
        for figure in FIGURES
    ]
    CORPUS.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


def measure(figure: Figure, direction: Direction = "TB", column: float | None = 720) -> Measured:
    """Lay a figure out and measure it."""
    scope = Scope(depth=figure.depth)
    arranged = arrange(figure.graph, scope, figure.show, direction, column=column)
    diagram, layout = arranged.diagram, arranged.layout
    faults = faults_of(diagram, layout)
    return Measured(
        name=figure.name,
        nodes=len(figure.graph.nodes),
        boxes=len(diagram.boxes),
        lines=layout.lines,
        width=layout.width + 2 * MARGIN,
        height=layout.height + 2 * MARGIN,
        sideways=faults.sideways,
        crossings=faults.crossings,
        turned=faults.turned,
        bends=bends(layout),
        blank=blank(diagram, layout),
        frames_passed=faults.frames_passed,
    )


def with_one_more(graph: Graph) -> Graph:
    """Return the graph with one operation more after its first output."""
    first, *others = graph.outputs
    id = len(graph.nodes)
    node = Node(id, "function", "NegBackward0", None, (TensorMeta((), "float32", "cpu"),))
    return replace(
        graph,
        outputs=(Output(first.name, id, 0), *others),
        nodes=(*graph.nodes, node),
        edges=(*graph.edges, Edge(first.node, id, first.index, 0)),
    )


def moved(figure: Figure) -> float:
    """How far boxes move on average, across the drawing, when one operation is added."""
    scope = Scope(depth=figure.depth)
    before = arrange(figure.graph, scope, figure.show)
    after = arrange(with_one_more(figure.graph), scope, figure.show)
    if before.layout.lines != after.layout.lines:
        return before.layout.width
    chain = before.diagram.chain[-1], after.diagram.chain[-1]
    origin = before.layout.boxes[chain[0]][0], after.layout.boxes[chain[1]][0]
    shifts = [
        abs(before.layout.boxes[key][0] - origin[0] - after.layout.boxes[key][0] + origin[1])
        for key in before.layout.boxes
        if key in after.layout.boxes
    ]
    return sum(shifts) / len(shifts)


def main() -> None:
    """Print the numbers of all figures and their sums."""
    if "--trace" in sys.argv:
        write_corpus()
    if "--peers" in sys.argv:
        from benchmarks.layout_peers import measure as measure_peers

        print("\n\n".join(table.text() for table in measure_peers()))
        return
    found = [measure(figure) for figure in read_corpus()]
    print(f"{'figure':34} nodes boxes lines  width height sideways cross turned bends blank")
    for one in found:
        print(
            f"{one.name:34} {one.nodes:5} {one.boxes:5} {one.lines:5} {one.width:6.0f} "
            f"{one.height:6.0f} {one.sideways:8.2f} {one.crossings:5} {one.turned:6} "
            f"{one.bends:5} {one.blank:5.0%}"
        )
    fitting = sum(one.width <= 720 for one in found)
    print(
        f"{fitting} of {len(found)} fit 720 px; crossings {sum(one.crossings for one in found)}, "
        f"turned {sum(one.turned for one in found)}, bends {sum(one.bends for one in found)}, "
        f"mean height {sum(one.height for one in found) / len(found):.0f}, "
        f"mean blank {sum(one.blank for one in found) / len(found):.0%}"
    )


if __name__ == "__main__":
    main()
