"""Frames around the boxes that calls of modules made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.diagram import Arrow, Box, Cluster
from sphinx_autogradgraph.render.lettering import cut, printable


def clusters_of(graph: Graph, boxes: Sequence[Box], arrows: Sequence[Arrow]) -> Iterator[Cluster]:
    """Yield a frame for each call of a module.

    A leaf, or what a function saved, is in the frame of what uses it if that frame is of its module
    or it has no name.
    """
    inside: list[int] = []
    parents: list[int | None] = []
    home: dict[str, int] = {}  # of a box, the number of the innermost frame
    for number, call in enumerate(graph.modules):
        while inside and graph.modules[inside[-1]].last < call.first:
            inside.pop()
        parents.append(inside[-1] if inside else None)
        inside.append(number)
        home.update({f"n{id}": number for id in range(call.first, call.last + 1)})
    home.update(_homes_of_tensors(graph, boxes, arrows, home, parents))
    held: dict[int, list[str]] = {}
    for box in boxes:
        if box.key in home:
            held.setdefault(home[box.key], []).append(box.key)
    for number, call in enumerate(graph.modules):
        parent = parents[number]
        yield Cluster(
            key=f"c{number}",
            parent=None if parent is None else f"c{parent}",
            words=(("name", cut(printable(call.path))), ("op", cut(printable(call.type)))),
            boxes=tuple(held.get(number, ())),
        )


def _homes_of_tensors(
    graph: Graph,
    boxes: Sequence[Box],
    arrows: Sequence[Arrow],
    home: Mapping[str, int],
    parents: Sequence[int | None],
) -> Iterator[tuple[str, int]]:
    """Yield the key of each leaf, input or saved tensor in a frame, and its innermost frame."""
    users: dict[str, list[str]] = {}
    for arrow in arrows:
        users.setdefault(arrow.tail, []).append(arrow.head)
    for box in boxes:
        if box.kind not in ("leaf", "input", "saved"):
            continue
        name = next((word for role, word in box.words if role == "name"), "")
        frames = [_outwards(home.get(user), parents) for user in users.get(box.key, ())]
        for frame in frames[0] if frames else ():
            path = graph.modules[frame].path
            # What is drawn again at a later use is not what came in.
            again = box.shared and "_" in box.key
            own = box.kind == "saved" or again or not name or name.startswith(f"{path}.")
            if own and all(frame in others for others in frames):
                yield box.key, frame
                break


def _outwards(frame: int | None, parents: Sequence[int | None]) -> list[int]:
    """Return a frame and the frames around it, innermost first."""
    found = []
    while frame is not None:
        found.append(frame)
        frame = parents[frame]
    return found
