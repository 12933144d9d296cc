"""Graph: canonical JSON, chain, leaves."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from sphinx_autogradgraph.graph.codec import GraphFormatError
from sphinx_autogradgraph.graph.model import (
    Derivative,
    Edge,
    EdgeGradient,
    Flags,
    Graph,
    Node,
    Output,
    Reason,
    Saved,
    Source,
    TensorMeta,
)
from sphinx_autogradgraph.graph.schema import FILE as SCHEMA
from sphinx_autogradgraph.graph.schema import schema_text

F32 = TensorMeta((2, 1), "float32", "cpu")


def function(id: int, op: str, outputs: int = 1) -> Node:
    return Node(id, "function", op, None, (F32,) * outputs)


def leaf(id: int, name: str | None) -> Node:
    return Node(id, "leaf", "AccumulateGrad", name, (F32,))


def graph(nodes: list[Node], edges: list[tuple[int, int, int]]) -> Graph:
    return Graph(
        (Output("l", len(nodes) - 1, 0),),
        tuple(nodes),
        tuple(Edge(from_, to, 0, input) for from_, to, input in edges),
    )


def test_the_chain_is_the_longest_path_to_a_leaf() -> None:
    #  w → A → C ← B, and B is reached from no leaf though its path is longer
    nodes = [leaf(0, "w"), function(1, "X"), function(2, "Y"), function(3, "A"), function(4, "C")]
    found = graph(nodes, [(0, 3, 0), (1, 2, 0), (2, 4, 0), (3, 4, 1)])
    assert found.chain == ("C", "A")
    assert found.leaves == ("w",)


def test_among_equal_paths_the_chain_takes_the_lowest_input() -> None:
    nodes = [leaf(0, "w"), function(1, "First"), function(2, "Second"), function(3, "Add")]
    edges = [(0, 1, 0), (0, 2, 0), (2, 3, 0), (1, 3, 1)]
    assert graph(nodes, edges).chain == ("Add", "Second")


def test_without_any_leaf_the_chain_is_the_longest_path() -> None:
    nodes = [function(0, "A"), function(1, "B"), function(2, "C")]
    assert graph(nodes, [(0, 1, 0), (1, 2, 0)]).chain == ("C", "B", "A")


def test_an_output_that_is_a_leaf_has_no_chain() -> None:
    assert graph([leaf(0, "w")], []).chain == ()


def test_json_round_trip_and_form() -> None:
    made = Node(
        1, "function", "MmBackward0", None, (F32,),
        Source("examples/linreg.py", 12, "y_hat = torch.mm(X, w) + b"), "", "torch.mm",
    )  # fmt: skip
    several = Node(2, "function", "Unbind", "a", (TensorMeta(None, None, None, "a"), F32))
    found = graph([leaf(0, None), made, several], [(0, 1, 1), (1, 2, 0)])
    text = found.to_json()
    assert Graph.from_json(text) == found
    assert Graph.from_json(text).to_json() == text
    data = json.loads(text)
    assert list(data) == ["version", "outputs", "nodes", "edges", "leaves", "chain"]
    assert data["leaves"] == [None]
    assert data["nodes"][0] == {
        "id": 0, "kind": "leaf", "op": "AccumulateGrad", "name": None,
        "outputs": [{"shape": [2, 1], "dtype": "float32", "device": "cpu"}],
    }  # fmt: skip
    assert data["nodes"][1]["source"]["line"] == 12
    assert [meta["name"] for meta in data["nodes"][2]["outputs"]] == ["a", None]
    # a line a node, so that a difference reads well
    assert sum('"kind"' in line for line in text.splitlines()) == 3


def edited(*path: str | int, to: object) -> object:
    """The JSON of a small graph of which one thing is another."""
    data: Any = graph([leaf(0, "w"), function(1, "A"), function(2, "B")], [(0, 1, 0), (1, 2, 0)])
    data = data.to_dict()
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = to
    return data


DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "data",
    [
        None, 5, "", [], {}, {"version": 1}, {"version": 2}, DEEP, {"version": DEEP},
        edited("version", to=2), edited("version", to=True), edited("unknown", to=1),
        edited("outputs", to=[]), edited("outputs", to=None), edited("outputs", 0, "node", to=3),
        edited("outputs", 0, "index", to=1), edited("outputs", 0, "index", to=-1),
        edited("outputs", 0, "base", to={"name": None, "node": 9, "index": 0}),
        edited("nodes", to=[]), edited("nodes", 1, to=None), edited("nodes", 1, "id", to=0),
        edited("nodes", 1, "id", to="1"), edited("nodes", 1, "kind", to="<b>"),
        edited("nodes", 1, "kind", to="module"), edited("nodes", 1, "op", to=None),
        edited("nodes", 1, "outputs", to=[]), edited("nodes", 1, "outputs", 0, "shape", to=[-1]),
        edited("nodes", 1, "outputs", 0, "shape", to=[1e400]),
        edited("nodes", 1, "outputs", 0, "shape", to=[2**70]),
        edited("nodes", 1, "outputs", 0, "shape", to="12"),
        edited("nodes", 1, "outputs", 0, "values", to=DEEP),
        edited("nodes", 1, "outputs", 0, "values", to=[None]),
        edited("nodes", 1, "outputs", 0, "values", to={"a": 1}),
        edited("nodes", 1, "members", to=['"><script>alert(1)</script>']),
        edited("nodes", 1, "members", to=[-1]), edited("nodes", 1, "fold", to={}),
        edited("nodes", 1, "saved", to=[{"role": "self", "node": 7}]),
        edited("nodes", 1, "reason", to={"why": "created", "of": 7}),
        edited("nodes", 1, "source", to={"file": "a.py", "line": 0, "text": ""}),
        edited("nodes", 1, "name", to="\ud800"),
        edited("nodes", 1, "gradient", to={"shape": [], "norm": float("inf"), "order": True}),
        edited("edges", 0, "from", to=1), edited("edges", 0, "from", to=2),
        edited("edges", 1, "to", to=0), edited("edges", 1, "to", to=7),
        edited("edges", 0, "output", to=1), edited("edges", 1, to=edited("edges", 0, to=1)),
        edited("modules", to=[{"path": "", "type": "", "first": 1, "last": 9}]),
        edited("modules", to=[{"path": "", "type": "", "first": first, "last": first + 1}
                              for first in (0, 1)]),
    ],
    ids=lambda data: type(data).__name__,
)  # fmt: skip
def test_what_is_no_sound_graph_is_one_error(data: object) -> None:
    with pytest.raises(GraphFormatError, match="Graph"):
        Graph.from_dict(data)


@pytest.mark.parametrize(
    "text",
    ["", "{", "nul", "\ufeff{}", "\ud800", "[" * 100_000, '{"version": NaN}', '{"version": 1}}'],
)
def test_text_that_is_no_json_is_the_same_error(text: str) -> None:
    with pytest.raises(GraphFormatError, match="Graph"):
        Graph.from_json(text)


def test_a_graph_of_a_million_nodes_is_not_read() -> None:
    node = '{"id":0,"kind":"leaf","op":"","name":null,"outputs":[]}'
    text = '{"version":1,"outputs":[{"name":null,"node":0,"index":0}],"edges":[],"leaves":[],'
    with pytest.raises(GraphFormatError):
        Graph.from_json(text + f'"chain":[],"nodes":[{",".join([node] * 1_000_000)}]}}')


def test_the_repr_is_short_however_deep_the_graph() -> None:
    nodes = [leaf(0, "w"), *(function(id, "Mul") for id in range(1, 100_000))]
    found = graph(nodes, [(id, id + 1, 0) for id in range(99_999)])
    assert repr(found) == "<Graph of l: 100000 nodes, 99999 edges>"
    assert len(found.chain) == 99_999
    assert Graph.from_json(found.to_json()) == found


def test_what_is_asked_for_travels_as_json_and_is_no_part_of_the_structure() -> None:
    flags = Flags(is_leaf=True, requires_grad=True, retains_grad=False, grad=(2, 1))
    line = Source("a.py", 3, "y = x.detach()")
    whole = Graph(
        (Output("l", 2, 0),),
        (
            leaf(0, "w").replace(outputs=(F32.replace(values=[[1.0], [2.0]], flags=flags),)),
            Node(1, "input", "tensor", "x", (F32,), reason=Reason("detached", line, 0)),
            function(2, "MmBackward0").replace(
                saved=(Saved("self", shape=(2, 1), dtype="float32", node=1, changed=True),),
                saved_bytes=8,
                derivatives=(Derivative(0, "x.T @ grad", {"x": "self"}),),
                backward="return grad",
            ),
        ),
        (Edge(0, 2, 0, 0, EdgeGradient((2, 1), 1.5, [[1.0], [0.5]])), Edge(1, 2, 0, 1)),
    )
    data = json.loads(whole.to_json())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(data)
    assert Graph.from_json(whole.to_json()) == whole
    assert data["edges"][0]["gradient"] == {"shape": [2, 1], "norm": 1.5, "values": [[1.0], [0.5]]}
    assert data["nodes"][1]["reason"]["of"] == 0
    text = whole.structure().to_json()
    for word in ("flags", "values", "gradient", "reason", "derivatives", "backward", "saved"):
        assert f'"{word}' not in text


def test_what_a_graph_reaches_and_passes_through() -> None:
    several = Node(2, "function", "Unbind", None, (F32.replace(name="a"), F32.replace(name="b")))
    x = Node(1, "input", "tensor", "x", (F32,))
    found = graph([leaf(0, "w"), x, several], [(0, 2, 0), (1, 2, 1)])
    assert [found.reaches(name) for name in ("w", "b", "x", "elsewhere")] == [
        True,
        True,
        False,
        False,
    ]
    assert found.passes_through("Unbind")
    assert not found.passes_through("AccumulateGrad")
    assert not found.passes_through("MmBackward0")


def test_the_schema_is_that_of_the_records() -> None:
    assert SCHEMA.read_text("utf-8") == schema_text()
