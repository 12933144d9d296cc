"""``assert_graph`` in somebody's test suite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sphinx_autogradgraph.graph.model import Edge, Graph, Node, Output, TensorMeta

SUITE = """
import torch
from sphinx_autogradgraph import trace
from sphinx_autogradgraph.testing import assert_graph

x = torch.ones(2, requires_grad=True)
y = x.exp()

def test_same():
    assert_graph(y, "graphs/same.json")

def test_drifted():
    assert_graph(trace(y), "graphs/drifted.json")

def test_missing():
    assert_graph(y, "graphs/deep/missing.json", params={"the x": x})

def test_broken():
    assert_graph(y, "graphs/broken.json")

def test_no_graph():
    assert_graph(y.detach(), "graphs/same.json")
"""


def graph(op: str) -> Graph:
    meta = (TensorMeta((2,), "float32", "cpu"),)
    nodes = (Node(0, "leaf", "AccumulateGrad", "x", meta), Node(1, "function", op, "y", meta))
    return Graph((Output("y", 1, 0),), nodes, (Edge(0, 1, 0, 0),))


def run(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "suite/test_it.py", *arguments],
        cwd=directory, capture_output=True, text=True, timeout=300,
        env={**os.environ, "COLUMNS": "500"},
    )  # fmt: skip
    return done.stdout + done.stderr


def test_a_suite_holds_graphs_and_accepts_new_ones(tmp_path: Path) -> None:
    graphs = tmp_path / "suite" / "graphs"
    graphs.mkdir(parents=True)
    (tmp_path / "suite" / "test_it.py").write_text(SUITE)
    same = graph("ExpBackward0").to_json()
    (graphs / "same.json").write_text(same)
    (graphs / "drifted.json").write_text(graph("SinBackward0").to_json())
    (graphs / "broken.json").write_text("{}")
    before = {path: path.read_text() for path in graphs.rglob("*.json")}

    text = run(tmp_path)
    assert "4 failed, 1 passed" in text
    assert "SinBackward0 became ExpBackward0" in text
    assert (
        "graphs/deep/missing.json; keep the graph of today with pytest --autogradgraph-update"
        in text
    )
    assert "the snapshot graphs/broken.json cannot be read: " in text
    assert "it was detached or computed under torch.no_grad()" in text
    assert before == {path: path.read_text() for path in graphs.rglob("*.json")}

    assert "2 failed, 3 passed" in run(tmp_path, "--autogradgraph-update")
    assert (graphs / "broken.json").read_text() == "{}", "what is not ours is not overwritten"
    assert (graphs / "same.json").read_text() == same
    kept = Graph.from_json((graphs / "drifted.json").read_text())
    assert kept.chain == ("ExpBackward0",)
    assert Graph.from_json((graphs / "deep" / "missing.json").read_text()).leaves == ("the x",)
