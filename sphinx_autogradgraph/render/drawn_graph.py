"""Read the Graph back from a drawing, as far as its words tell: ops, names, shapes and edges.

A file that holds a drawing holds no Graph.  Read back, an old drawing and a new one can be compared
in words like snapshots.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence

from sphinx_autogradgraph.graph.model import Edge, Graph, Kind, Node, Output, TensorMeta

Drawn = tuple[str, str, str]
"""A box: its key, its kind and its words."""

_MERMAID_NODE = re.compile(r'^\s*(\w+)[\[(>]+"(.*)"[\])]+:::(\w+)$', re.MULTILINE)
_MERMAID_EDGE = re.compile(r'^\s*(\w+) -->(?:\|".*"\|)? (\w+)$', re.MULTILINE)
_SVG = "{http://www.w3.org/2000/svg}"


def graph_in_mermaid(text: str) -> Graph | None:
    """Read the Graph of a flowchart that :func:`.mermaid_of` wrote; None for other texts."""
    boxes = [
        (key, kind, re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label.replace("<br/>", " ")))
        for key, label, kind in _MERMAID_NODE.findall(text)
    ]
    return _graph(boxes, _MERMAID_EDGE.findall(text))


def graph_in_svg(text: str) -> Graph | None:
    """Read the Graph of a drawing that :func:`.svg_of` wrote; None for other texts."""
    try:
        root = ET.fromstring(text)  # noqa: S314 - a file of the author's own
    except ET.ParseError:
        return None
    groups = [group for group in root.iter(f"{_SVG}g") if group.get("id")]
    boxes: list[Drawn] = []
    ends: list[tuple[str, ...]] = []
    for group in groups:
        kinds = group.get("class", "").split()
        if kinds[:1] == ["node"] and kinds[1:]:
            words = ["".join(text.itertext()) for text in group.iter(f"{_SVG}text")]
            key = group.get("id", "").rpartition("-")[2]
            boxes.append((key, "base" if "base" in kinds else kinds[1], " ".join(words)))
        elif kinds == ["edge"]:
            ends.append(tuple(group.get("data-ends", "").split()))
    return _graph(boxes, [(pair[0], pair[1]) for pair in ends if len(pair) == 2])


def _graph(boxes: Sequence[Drawn], ends: Iterable[tuple[str, str]]) -> Graph | None:
    """Build the Graph of boxes, in forward order, and arrows; None if they form no valid one."""
    places: dict[str, int] = {}
    nodes: list[Node] = []
    outputs: list[tuple[str, str | None]] = []
    for key, kind, label in boxes:
        tensor = key.partition("_")[0]  # one that is drawn at each use has several boxes
        if kind == "output":
            outputs.append((key, _words(label)[0]))
        elif kind in _KINDS and tensor not in places:
            places[tensor] = len(nodes)
            nodes.append(_node(len(nodes), _KINDS[kind], label))
    taken: Counter[int] = Counter()
    edges: list[Edge] = []
    made: dict[str, int] = {}
    for tail, head in ends:
        from_, to = (places.get(key.partition("_")[0]) for key in (tail, head))
        if from_ is not None and to is not None:
            edges.append(Edge(from_, to, 0, taken[to]))
            taken[to] += 1
        elif from_ is not None:
            made[head] = from_
    edges.sort(key=lambda edge: (edge.to, edge.input))
    drawn = tuple(Output(name, made[key], 0) for key, name in outputs if key in made)
    graph = Graph(drawn, tuple(nodes), tuple(edges))
    return graph if drawn and not list(graph.problems()) else None


_KINDS: dict[str, Kind] = {
    "leaf": "leaf", "function": "function", "input": "input", "module": "module", "cut": "module",
}  # fmt: skip


def _node(id: int, kind: Kind, label: str) -> Node:
    name, shape = _words(label)
    op = "AccumulateGrad" if kind == "leaf" else ""
    if kind == "function" and name is not None:
        op, _, rest = name.partition(" ")
        name = rest or None
    meta = TensorMeta(shape, None, None)
    return Node(id, kind, op, None if name == "unnamed" else name, (meta,))


_ORDER = re.compile(r"^\d+\. ")
_SHAPE = re.compile(r"\((?:\d+(?:, \d+)*,?)?\)")


def _words(label: str) -> tuple[str | None, tuple[int, ...] | None]:
    """Split a label into the text before its first shape, and that shape."""
    label = _ORDER.sub("", " ".join(label.split()))
    found = _SHAPE.search(label)
    if found is None:
        return label or None, None
    shape = tuple(int(size) for size in re.findall(r"\d+", found[0]))
    return label[: found.start()].strip() or None, shape
