"""Tables of figures, whatever their size."""

from __future__ import annotations

import pytest

from sphinx_autogradgraph.core.messages import Message, untranslated
from sphinx_autogradgraph.figures.option_values import TableName
from sphinx_autogradgraph.figures.tables import MAX_ROWS, tables_of
from sphinx_autogradgraph.graph.model import (
    Edge,
    Graph,
    Node,
    Output,
    ParameterRow,
    TensorMeta,
    TensorRow,
)
from sphinx_autogradgraph.runtime.result import Traced


@pytest.mark.parametrize("count", [MAX_ROWS, MAX_ROWS + 1, 100_000])
def test_a_table_has_a_limit_and_says_so(count: int) -> None:
    meta = (TensorMeta((2,), "float32", "cpu"),)
    nodes = (
        Node(0, "leaf", "AccumulateGrad", "x", meta),
        *(Node(id, "function", "MulBackward0", None, meta) for id in range(1, count)),
    )
    edges = tuple(Edge(id - 1, id, 0, 0) for id in range(1, count))
    traced = Traced(
        Graph((Output("y", count - 1, 0),), nodes, edges),
        tensors=(TensorRow("x", (2,), "float32", True, True, None),) * count,
        parameters=(ParameterRow("w", (2,)),) * count,
    )
    wanted: list[TableName] = ["nodes", "tensors", "parameters"]
    for table in tables_of(wanted, traced, {}, untranslated):
        assert {len(row) for row in table.body} == {len(table.heads)}
        last = table.body[-1][0].spans[0].text
        if count == MAX_ROWS:
            assert len(table.body) == count
            assert "more" not in last
        else:
            assert len(table.body) == MAX_ROWS + 1
            assert last == f"and {count - MAX_ROWS:,} more"


def test_code_in_the_reason_of_a_parameter_is_set_as_code() -> None:
    meta = (TensorMeta((2,), "float32", "cpu"),)
    graph = Graph((Output("x", 0, 0),), (Node(0, "leaf", "AccumulateGrad", "x", meta),), ())
    row = ParameterRow("w", (2,), why=Message("`{name}` was detached", {"name": "h"}))
    (table,) = tables_of(["parameters"], Traced(graph, parameters=(row,)), {}, untranslated)
    spans = [(span.kind, span.text) for span in table.body[0][-1].spans]
    assert spans == [("text", "none: "), ("literal", "h"), ("text", " was detached")]
