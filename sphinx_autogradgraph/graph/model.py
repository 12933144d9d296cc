"""The Graph: what autograd recorded, as plain data.

This is the hub of the package.  Everything before it (running the program, tracing its tensors)
needs torch; nothing after it (layout, pages, snapshots, the command line) does.  The module uses
the standard library only.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

VERSION = 1
"""The version of the JSON form."""

Kind = Literal["leaf", "function", "input", "module"]
KINDS: tuple[Kind, ...] = ("leaf", "function", "input", "module")

Extra = Literal["inputs", "saved", "values", "flags", "formulas", "gradients"]
EXTRAS: tuple[Extra, ...] = get_args(Extra)
"""What a Graph holds only when it is asked for: the tensors that do not require grad, what nodes
saved for backward, the values of small tensors, the flags of living ones, the formulas of what
nodes send back, and the gradients that arrive."""

Values = Any
"""The elements of a small tensor as :meth:`torch.Tensor.tolist` gives them, for JSON: numbers to
four digits; ``"nan"``, ``"inf"`` and complex numbers as texts."""


class Flags(NamedTuple):
    """What a living tensor answers when it is asked.

    ``grad`` is the shape of its ``.grad``, None where it has none.
    """

    is_leaf: bool
    requires_grad: bool
    retains_grad: bool
    grad: tuple[int, ...] | None = None


class TensorMeta(NamedTuple):
    """What is known of one tensor without its values.

    (This, nodes and edges are named tuples, for a large graph has many: they are made in a third
    of the time of dataclasses.)

    ``shape`` is in elements per dimension, ``dtype`` and ``device`` are torch's names without the
    ``torch.`` prefix (``float32``, ``cuda:0``).  Each is None where torch cannot tell, as for the
    shape of a nested tensor.  ``name`` is used on nodes with several outputs only; ``values`` are
    the elements of a small tensor and ``flags`` what a living one answers, where they were asked
    for.
    """

    shape: tuple[int, ...] | None
    dtype: str | None
    device: str | None
    name: str | None = None
    values: Values = None
    flags: Flags | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The line of the author's text that made a node: file (relative), line (from 1), text."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Gradient:
    """The gradient that arrived at a node in a real backward.

    ``norm`` is the Euclidean norm, to four digits, None if it is not finite; ``order`` counts the
    nodes in the order in which gradients arrived, from 1.
    """

    shape: tuple[int, ...] | None
    norm: float | None
    order: int
    values: Values = None


class EdgeGradient(NamedTuple):
    """The gradient that a node passed along one of its edges in a real backward.

    ``norm`` is the Euclidean norm, to four digits, None if it is not finite.
    """

    shape: tuple[int, ...] | None
    norm: float | None
    values: Values = None


class Derivative(NamedTuple):
    """The rule by which a node makes the gradient of its input number ``input``.

    ``formula`` is a Python expression of ``grad``, the gradient that arrived; ``names`` says for
    each other name in it which of the node's saved tensors it stands for.
    """

    input: int
    formula: str
    names: Mapping[str, str]


Why = Literal["created", "frozen", "detached", "no_grad", "dtype"]
"""Why a tensor does not require grad: nobody asked for it, it is a frozen parameter, it was cut
from its graph, it was computed where gradients are off, its dtype has none."""


class Reason(NamedTuple):
    """Why a tensor does not require grad.

    ``source`` is the line where that came about, ``of`` the id of the node that the tensor was cut
    from, if that is in the Graph.
    """

    why: Why
    source: Source | None = None
    of: int | None = None


class Saved(NamedTuple):
    """What a node saved for backward under the name ``role``: a tensor, or another ``value``.

    For a tensor, ``value`` is None: ``node`` is the id of the node that produced it, if that is in
    the Graph; ``name`` what the program calls it where that node does not say it.  ``freed`` ones
    are gone with a backward; nothing else is known of them, nor of those that hooks have packed.
    ``changed`` ones have been changed in place since, so a backward would fail.
    """

    role: str
    value: bool | int | float | str | list[Any] | None = None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    node: int | None = None
    freed: bool = False
    name: str | None = None
    changed: bool = False


FoldKind = Literal["modules", "repeats", "lines", "parts", "cut"]
"""What a fold stands for: a call of a module, equal repetitions, what a line made, a part of a
graph that has no structure, what was cut off."""


class Fold(NamedTuple):
    """What a node of kind ``module`` stands for, which is only in views.

    ``operations`` counts the function nodes in it, ``parameters`` the elements of the leaves that
    are folded with them, ``times`` the repetitions.  Folds of equal structure have the same
    ``digest``.
    """

    kind: FoldKind
    operations: int
    parameters: int = 0
    times: int = 1
    digest: int = 0


class ModuleCall(NamedTuple):
    """A call of a module: its path and class, and the first and last function node that it made.

    Two calls are one in the other or have no node in common.
    """

    path: str
    type: str
    first: int
    last: int


class Node(NamedTuple):
    """A node of the autograd graph.

    ``kind`` is ``leaf`` (a tensor that requires grad, one with its ``AccumulateGrad``),
    ``function`` (a ``grad_fn``), ``input`` (a tensor that does not require grad and went into an
    operation) or ``module`` (a folded group; only in views).  ``outputs`` describes the tensors
    that the forward operation produced, by output number.  In a view, ``members`` are the ids that
    what it shows has in the whole graph.

    Where they were asked for: ``gradient`` is what arrived in a real backward, ``saved`` what the
    node keeps for it and ``saved_bytes`` how much memory that holds, ``derivatives`` the rules of
    an operation, by its inputs, and ``backward`` the first lines of a custom Function's own;
    ``reason`` says why an input does not require grad.
    """

    id: int
    kind: Kind
    op: str
    name: str | None
    outputs: tuple[TensorMeta, ...]
    source: Source | None = None
    module: str | None = None
    call: str | None = None
    gradient: Gradient | None = None
    saved: tuple[Saved, ...] | None = None
    fold: Fold | None = None
    members: tuple[int, ...] = ()
    derivatives: tuple[Derivative, ...] | None = None
    backward: str | None = None
    saved_bytes: int | None = None
    reason: Reason | None = None


class Edge(NamedTuple):
    """A use of a tensor, in forward direction.

    Node ``from_`` produced output number ``output``, which node ``to`` took as its differentiable
    input number ``input`` (the index in its ``next_functions``).  ``gradient`` is what ``to``
    passed to ``from_`` along it in a real backward, where that was asked for.
    """

    from_: int
    to: int
    output: int
    input: int
    gradient: EdgeGradient | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """A tensor that was asked for: its name and the node and output number that produced it.

    Of a view, ``base`` is the tensor that it is a view of, if that is in the Graph.
    """

    name: str | None
    node: int
    index: int
    base: Output | None = None


@dataclass(frozen=True, slots=True)
class TensorRow:
    """What a tensor of a program answers when it is asked: a row of a table.

    ``grad_fn`` is the op of its ``grad_fn``, None for a leaf.
    """

    name: str
    shape: tuple[int, ...] | None
    dtype: str | None
    is_leaf: bool
    requires_grad: bool
    grad_fn: str | None

    def to_dict(self) -> dict[str, Any]:
        """The row as plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TensorRow:
        """The row of which ``data`` is the :meth:`to_dict`; :exc:`ValueError` if it is none."""
        try:
            shape = data["shape"]
            return cls(**{**data, "shape": None if shape is None else tuple(shape)})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a row of a table of tensors: {error!r}") from error


@dataclass(frozen=True)
class Graph:
    """The autograd graph of one or several tensors.

    Nodes are numbered in forward order (a node comes after everything it used) and ``nodes[i].id``
    is ``i``; edges are sorted by the node they go to and its input.  ``modules`` are the calls of
    modules in the order of their first nodes, the outer ones first.  Two graphs are equal when
    their JSON is.

    A *view* of a Graph is a Graph, too: some of its nodes stand for many (see
    :mod:`~sphinx_autogradgraph.views.module_folds`).
    """

    outputs: tuple[Output, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    modules: tuple[ModuleCall, ...] = ()

    def __repr__(self) -> str:
        names = ", ".join(output.name or "an unnamed tensor" for output in self.outputs[:5])
        more = ", …" if len(self.outputs) > 5 else ""
        return f"<Graph of {names}{more}: {len(self.nodes)} nodes, {len(self.edges)} edges>"

    @cached_property
    def leaf_nodes(self) -> tuple[Node, ...]:
        """The leaf nodes in order of first use by the forward pass."""
        return tuple(node for node in self.nodes if node.kind == "leaf")

    @property
    def leaves(self) -> tuple[str | None, ...]:
        """The names of the leaves in order of first use; None for a leaf without a name."""
        return tuple(node.name for node in self.leaf_nodes)

    @cached_property
    def inputs_of(self) -> Mapping[int, tuple[Edge, ...]]:
        """The edges into each node, by input number; nodes without any are missing."""
        found: dict[int, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.to, []).append(edge)
        return {to: tuple(edges) for to, edges in found.items()}

    @cached_property
    def chain(self) -> tuple[str, ...]:
        """Ops from the first output's grad_fn along the longest path to a leaf.

        Function nodes only; among equally long paths the one through the lowest input index.
        Where no leaf can be reached, the longest path there is.
        """
        return tuple(self.nodes[id].op for id in self.chain_ids)

    @cached_property
    def chain_ids(self) -> tuple[int, ...]:
        """The ids of the nodes of :attr:`chain`."""
        if not self.outputs:
            return ()
        # (reaches a leaf, functions on the way): compared as tuples, so a path that ends at a
        # leaf beats every path that does not.
        rank: list[tuple[bool, int]] = []
        follow: list[int | None] = []
        for node in self.nodes:
            if node.kind != "function":
                rank.append((node.kind == "leaf", 0))
                follow.append(None)
                continue
            best: tuple[bool, int] = (False, 0)
            step = None
            for edge in self.inputs_of.get(node.id, ()):
                if step is None or rank[edge.from_] > best:
                    best, step = rank[edge.from_], edge.from_
            rank.append((best[0], best[1] + 1))
            follow.append(step)
        found = []
        at: int | None = self.outputs[0].node
        while at is not None:
            if self.nodes[at].kind == "function":
                found.append(at)
            at = follow[at]
        return tuple(found)

    @cached_property
    def backward_order(self) -> Mapping[int, int]:
        """The place, from 1, of each node in a backward from the outputs, without running it.

        As autograd's engine does: a node is visited once all that used it have been, a leaf as
        soon as that is so, else the node that the forward pass made last.
        """
        waiting = [0] * len(self.nodes)
        for edge in self.edges:
            waiting[edge.from_] += 1

        def rank(id: int) -> tuple[bool, int]:
            return self.nodes[id].kind != "leaf", -id

        # What nothing uses is an output: every node can be reached from one.
        ready = [rank(node.id) for node in self.nodes if not waiting[node.id]]
        heapq.heapify(ready)
        order: dict[int, int] = {}
        while ready:
            id = -heapq.heappop(ready)[1]
            order[id] = len(order) + 1
            for edge in self.inputs_of.get(id, ()):
                waiting[edge.from_] -= 1
                if not waiting[edge.from_] and self.nodes[edge.from_].kind != "input":
                    heapq.heappush(ready, rank(edge.from_))
        return order

    def structure(self) -> Graph:
        """The same graph without what is there only when asked for, but for its inputs."""
        return replace(
            self,
            nodes=tuple(
                node._replace(
                    gradient=None,
                    saved=None,
                    outputs=tuple(meta._replace(values=None, flags=None) for meta in node.outputs),
                    derivatives=None,
                    backward=None,
                    saved_bytes=None,
                    reason=None,
                )
                for node in self.nodes
            ),
            edges=tuple(edge._replace(gradient=None) for edge in self.edges),
        )

    def reaches(self, name: str) -> bool:
        """Whether the graph has a node or a tensor of that name: a backward gets there.

        A tensor that does not require grad is not reached, even if the graph shows it.
        """
        return any(
            node.kind != "input"
            and (node.name == name or any(meta.name == name for meta in node.outputs))
            for node in self.nodes
        )

    def passes_through(self, op: str) -> bool:
        """Whether an operation of that name is in the graph: ``"MmBackward0"``."""
        return any(node.kind == "function" and node.op == op for node in self.nodes)

    def diff(self, other: Graph) -> list[str]:
        """What became of this graph in ``other``, in words, a line for each line of code.

        Nothing if they are the same but for lines, calls and devices: see
        :func:`~sphinx_autogradgraph.graph.diff.differences`.
        """
        from sphinx_autogradgraph.graph.diff import differences  # it is above this module

        return differences(self, other)

    def tensor(self, output: Output) -> TensorMeta:
        """What is known of the tensor ``output``."""
        return self.nodes[output.node].outputs[output.index]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form as plain lists and dicts."""
        data = {
            "version": VERSION,
            "outputs": [_output_to_dict(output) for output in self.outputs],
            "nodes": [_node_to_dict(node) for node in self.nodes],
            "edges": [_edge_to_dict(edge) for edge in self.edges],
            "leaves": list(self.leaves),
            "chain": list(self.chain),
        }
        if self.modules:
            data["modules"] = [call._asdict() for call in self.modules]
        return data

    def to_json(self) -> str:
        """The canonical JSON text: one line a node and an edge, the same bytes everywhere."""
        lines = []
        for key, value in self.to_dict().items():
            if key in ("outputs", "nodes", "edges", "modules") and value:
                rows = ",\n".join(_dumps(item) for item in value)
                lines.append(f'"{key}": [\n{rows}\n]')
            else:
                lines.append(f'"{key}": {_dumps(value)}')
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> Graph:
        """The Graph that :meth:`to_json` wrote.

        Raises :exc:`ValueError` when the text is not the JSON of a Graph of this version.
        """
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, data: Any) -> Graph:
        """The Graph of which ``data`` is the :meth:`to_dict`; :exc:`ValueError` if it is none."""
        if not isinstance(data, dict) or data.get("version") != VERSION:
            raise ValueError(f"not the JSON of a Graph of version {VERSION}")
        try:
            graph = cls(
                outputs=tuple(_output_from_dict(output) for output in data["outputs"]),
                nodes=tuple(_node_from_dict(node) for node in data["nodes"]),
                edges=tuple(_edge_from_dict(edge) for edge in data["edges"]),
                modules=tuple(ModuleCall(**call) for call in data.get("modules", ())),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the JSON of a Graph: {error!r}") from error
        for problem in graph.problems():
            raise ValueError(f"not a Graph: {problem}")
        return graph

    def problems(self) -> Iterator[str]:
        """What is wrong with this Graph, in words: ids, ends of edges, order.  Nothing if sound."""
        count = len(self.nodes)
        for index, node in enumerate(self.nodes):
            yield from _node_problems(node, index, count)
        for edge in self.edges:
            if not 0 <= edge.from_ < edge.to < count:
                yield f"edge {edge.from_} → {edge.to} does not run forward between nodes"
            elif not 0 <= edge.output < len(self.nodes[edge.from_].outputs):
                yield f"edge {edge.from_} → {edge.to} leaves from no output {edge.output}"
        for call in self.modules:
            if not 0 <= call.first <= call.last < count:
                yield f"the call of module {call.path} is at no nodes"
        bases = [output.base for output in self.outputs if output.base is not None]
        for output in (*self.outputs, *bases):
            if not 0 <= output.node < count:
                yield f"output {output.name} is at no node"
            elif not 0 <= output.index < len(self.nodes[output.node].outputs):
                yield f"output {output.name} is no output of node {output.node}"


def _node_problems(node: Node, index: int, count: int) -> Iterator[str]:
    if node.id != index:
        yield f"node {index} has the id {node.id}"
    if node.kind not in KINDS:
        yield f"node {index} is of no known kind: {node.kind}"
    for saved in node.saved or ():
        if saved.node is not None and not 0 <= saved.node < count:
            yield f"what node {index} saved as {saved.role} is at no node"


_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def _output_to_dict(output: Output) -> dict[str, Any]:
    data: dict[str, Any] = {"name": output.name, "node": output.node, "index": output.index}
    if output.base is not None:
        data["base"] = _output_to_dict(output.base)
    return data


def _output_from_dict(data: Mapping[str, Any]) -> Output:
    base = data.get("base")
    base = None if base is None else Output(base["name"], base["node"], base["index"])
    return Output(data["name"], data["node"], data["index"], base)


def _edge_to_dict(edge: Edge) -> dict[str, Any]:
    data: dict[str, Any] = {
        "from": edge.from_, "to": edge.to, "output": edge.output, "input": edge.input
    }  # fmt: skip
    if edge.gradient is not None:
        data["gradient"] = _gradient_to_dict(edge.gradient)
    return data


def _edge_from_dict(data: Mapping[str, Any]) -> Edge:
    gradient = data.get("gradient")
    if gradient is not None:
        gradient = EdgeGradient(_shape(gradient["shape"]), gradient["norm"], gradient.get("values"))
    return Edge(data["from"], data["to"], data["output"], data["input"], gradient)


def _gradient_to_dict(gradient: Gradient | EdgeGradient) -> dict[str, Any]:
    shape = None if gradient.shape is None else list(gradient.shape)
    data: dict[str, Any] = {"shape": shape, "norm": gradient.norm}
    if isinstance(gradient, Gradient):
        data["order"] = gradient.order
    if gradient.values is not None:
        data["values"] = gradient.values
    return data


def _reason_to_dict(reason: Reason) -> dict[str, Any]:
    data: dict[str, Any] = {"why": reason.why}
    if reason.source is not None:
        data["source"] = asdict(reason.source)
    if reason.of is not None:
        data["of"] = reason.of
    return data


def _reason_from_dict(data: Mapping[str, Any]) -> Reason:
    source = data.get("source")
    return Reason(data["why"], None if source is None else Source(**source), data.get("of"))


def _node_to_dict(node: Node) -> dict[str, Any]:
    several = len(node.outputs) > 1
    data: dict[str, Any] = {
        "id": node.id,
        "kind": node.kind,
        "op": node.op,
        "name": node.name,
        "outputs": [
            _meta_to_dict(meta, with_name=several or node.fold is not None) for meta in node.outputs
        ],
    }
    if node.source is not None:
        source = node.source
        data["source"] = {"file": source.file, "line": source.line, "text": source.text}
    if node.module is not None:
        data["module"] = node.module
    if node.call is not None:
        data["call"] = node.call
    data.update(_asked_for(node))
    if node.fold is not None:
        data["fold"] = node.fold._asdict()
    if node.members:
        data["members"] = list(node.members)
    return data


def _asked_for(node: Node) -> dict[str, Any]:
    """What a node has only where it was asked for."""
    data: dict[str, Any] = {}
    if node.gradient is not None:
        data["gradient"] = _gradient_to_dict(node.gradient)
    if node.saved is not None:
        data["saved"] = [_saved_to_dict(saved) for saved in node.saved]
    if node.saved_bytes is not None:
        data["saved_bytes"] = node.saved_bytes
    if node.derivatives is not None:
        data["derivatives"] = [
            {"input": rule.input, "formula": rule.formula, "names": dict(rule.names)}
            for rule in node.derivatives
        ]
    if node.backward is not None:
        data["backward"] = node.backward
    if node.reason is not None:
        data["reason"] = _reason_to_dict(node.reason)
    return data


def _saved_to_dict(saved: Saved) -> dict[str, Any]:
    if saved.value is not None:
        return {"role": saved.role, "value": saved.value}
    data: dict[str, Any] = {
        "role": saved.role,
        "shape": None if saved.shape is None else list(saved.shape),
        "dtype": saved.dtype,
        "node": saved.node,
        "freed": saved.freed,
    }
    if saved.name is not None:
        data["name"] = saved.name
    if saved.changed:
        data["changed"] = True
    return data


def _saved_from_dict(data: Mapping[str, Any]) -> Saved:
    return Saved(**{**data, "shape": _shape(data.get("shape"))})


def _meta_to_dict(meta: TensorMeta, *, with_name: bool) -> dict[str, Any]:
    shape = None if meta.shape is None else list(meta.shape)
    data: dict[str, Any] = {"shape": shape, "dtype": meta.dtype, "device": meta.device}
    if with_name:
        data["name"] = meta.name
    if meta.values is not None:
        data["values"] = meta.values
    if meta.flags is not None:
        flags = meta.flags._asdict()
        data["flags"] = {**flags, "grad": None if meta.flags.grad is None else [*meta.flags.grad]}
    return data


def _node_from_dict(data: Mapping[str, Any]) -> Node:
    source, gradient = data.get("source"), data.get("gradient")
    return Node(
        id=data["id"],
        kind=data["kind"],
        op=data["op"],
        name=data["name"],
        outputs=tuple(_meta_from_dict(meta) for meta in data["outputs"]),
        source=None if source is None else Source(source["file"], source["line"], source["text"]),
        module=data.get("module"),
        call=data.get("call"),
        gradient=None
        if gradient is None
        else Gradient(
            _shape(gradient["shape"]),
            gradient["norm"],
            gradient["order"],
            gradient.get("values"),
        ),
        saved=None
        if data.get("saved") is None
        else tuple(_saved_from_dict(saved) for saved in data["saved"]),
        fold=None if data.get("fold") is None else Fold(**data["fold"]),
        members=tuple(data.get("members", ())),
        derivatives=None
        if data.get("derivatives") is None
        else tuple(Derivative(**rule) for rule in data["derivatives"]),
        backward=data.get("backward"),
        saved_bytes=data.get("saved_bytes"),
        reason=None if data.get("reason") is None else _reason_from_dict(data["reason"]),
    )


def _shape(sizes: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if sizes is None else tuple(sizes)


def _meta_from_dict(data: Mapping[str, Any]) -> TensorMeta:
    return TensorMeta(
        shape=_shape(data["shape"]),
        dtype=data["dtype"],
        device=data["device"],
        name=data.get("name"),
        values=data.get("values"),
        flags=None
        if data.get("flags") is None
        else Flags(**{**data["flags"], "grad": _shape(data["flags"]["grad"])}),
    )
