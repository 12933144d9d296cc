"""The Graph, plain data of what autograd recorded.

This is the hub of the package.  Everything before it (running the program, tracing its tensors)
needs torch; nothing after it (layout, pages, snapshots, the command line) does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sphinx_autogradgraph.graph import codec, order
from sphinx_autogradgraph.graph.checks import problems
from sphinx_autogradgraph.graph.diff import differences
from sphinx_autogradgraph.graph.records import (
    EXTRAS,
    KINDS,
    Derivative,
    Edge,
    EdgeGradient,
    Extra,
    Flags,
    Fold,
    FoldKind,
    Gradient,
    GraphRecords,
    Kind,
    ModuleCall,
    Node,
    Output,
    ParameterRow,
    Reason,
    Saved,
    Source,
    TensorMeta,
    TensorRow,
    Values,
    Why,
    source_of,
)

__all__ = [
    "EXTRAS",
    "KINDS",
    "Derivative",
    "Edge",
    "EdgeGradient",
    "Extra",
    "Flags",
    "Fold",
    "FoldKind",
    "Gradient",
    "Graph",
    "Kind",
    "ModuleCall",
    "Node",
    "Output",
    "ParameterRow",
    "Reason",
    "Saved",
    "Source",
    "TensorMeta",
    "TensorRow",
    "Values",
    "Why",
    "source_of",
]


@dataclass(frozen=True, repr=False)
class Graph(GraphRecords):
    """The autograd graph of one or several tensors.

    Nodes are numbered in forward order (a node comes after everything it used) and ``nodes[i].id``
    is ``i``; edges are sorted by the node they go to and its input.  ``modules`` are the calls of
    modules in the order of their first nodes, the outer ones first.  Two graphs are equal when
    their JSON is.

    A *view* of a Graph is a Graph, too: some of its nodes stand for many (see
    :mod:`~sphinx_autogradgraph.views.module_folds`).
    """

    def __repr__(self) -> str:
        names = ", ".join(output.name or "an unnamed tensor" for output in self.outputs[:5])
        more = ", …" if len(self.outputs) > 5 else ""
        return f"<Graph of {names}{more}: {len(self.nodes)} nodes, {len(self.edges)} edges>"

    @property
    def chain(self) -> tuple[str, ...]:
        """The ops from the first output's grad_fn along the longest path to a leaf.

        Only function nodes count.  Among equally long paths it is the one through the lowest input
        index.  Where no leaf can be reached, it is the longest path there is.
        """
        return tuple(self.nodes[id].op for id in self.chain_ids)

    @cached_property
    def chain_ids(self) -> tuple[int, ...]:
        """The ids of the nodes of :attr:`chain`."""
        return order.chain_ids(self)

    @cached_property
    def backward_order(self) -> Mapping[int, int]:
        """The place, from 1, of each node in a backward from the outputs; none is run."""
        return order.backward_order(self)

    def structure(self) -> Graph:
        """Return the graph without extras, which are there on request only, and without hooks.

        Inputs are kept.
        """
        return replace(
            self,
            nodes=tuple(
                node.replace(
                    gradient=None,
                    saved=None,
                    outputs=tuple(meta.replace(values=None, flags=None) for meta in node.outputs),
                    derivatives=None,
                    backward=None,
                    saved_bytes=None,
                    reason=None,
                    hooks=(),
                )
                for node in self.nodes
            ),
            edges=tuple(edge.replace(gradient=None) for edge in self.edges),
        )

    def reaches(self, name: str) -> bool:
        """Whether a backward reaches a node or tensor of that name.

        A tensor that does not require grad is not reached, even if the graph shows it.
        """
        return any(
            node.kind != "input"
            and (node.name == name or any(meta.name == name for meta in node.outputs))
            for node in self.nodes
        )

    def passes_through(self, op: str) -> bool:
        """Whether the graph has an operation of that name, such as ``"MmBackward0"``."""
        return any(node.kind == "function" and node.op == op for node in self.nodes)

    def diff(self, other: Graph) -> list[str]:
        """Return the differences of ``other`` from this graph, a text for each line of code.

        Nothing if they are the same but for lines, calls and devices: see
        :func:`~sphinx_autogradgraph.graph.diff.differences`.
        """
        return differences(self, other)

    def problems(self) -> Iterator[str]:
        """Defects of this Graph, in words: ids, ends of edges, order.  Nothing if it is sound."""
        return problems(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form as plain lists and dicts."""
        return codec.plain(self, self.chain)

    def to_json(self) -> str:
        """Return the canonical text: one line a node and an edge, the same bytes everywhere."""
        return self._canonical_text

    # Several ask for it: the cache, the page and the file of its data.
    @cached_property
    def _canonical_text(self) -> str:
        return codec.encode(self, self.chain)

    @classmethod
    def from_json(cls, text: str | bytes) -> Graph:
        """Return the Graph that :meth:`to_json` wrote.

        Every type and bound is checked.  Raises :exc:`.GraphFormatError`, which is a
        :exc:`ValueError`, for anything that is not the JSON of a sound Graph of this version.
        """
        return cls.of_records(codec.decode(text).records())

    @classmethod
    def from_canonical_json(cls, text: str) -> Graph:
        """Return the Graph of a text that :meth:`to_json` of this version wrote, and keep the text.

        To write a large one again would take as long as to read it.  It is checked all the same.
        """
        graph = cls.from_json(text)
        vars(graph)["_canonical_text"] = text
        return graph

    @classmethod
    def from_dict(cls, data: Any) -> Graph:
        """Return the Graph that :meth:`to_dict` wrote; checked as JSON is."""
        return cls.of_records(codec.decode(codec.text_of(data)).records())

    @classmethod
    def view_from_dict(cls, data: Any) -> Graph:
        """Return the view that :meth:`to_dict` wrote."""
        return cls.of_records(codec.decode(codec.text_of(data), view=True).records())

    @classmethod
    def of_records(cls, records: GraphRecords) -> Graph:
        """Return the Graph of records that are known to be sound."""
        return cls(records.outputs, records.nodes, records.edges, records.modules)
