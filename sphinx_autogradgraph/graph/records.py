"""The records that a Graph is made of, and their shapes in JSON.

The types are the only definition: msgspec encodes and checks the JSON by them, and the schema in
``graph.schema.json`` is made from them (``python -m sphinx_autogradgraph.graph.schema``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar, get_args

from msgspec import Meta, Struct
from msgspec import structs as _structs

from sphinx_autogradgraph.core.messages import Message

Kind = Literal["leaf", "function", "input", "module"]
KINDS: tuple[Kind, ...] = ("leaf", "function", "input", "module")

Extra = Literal["inputs", "saved", "memory", "values", "flags", "formulas", "gradients"]
EXTRAS: tuple[Extra, ...] = get_args(Extra)
"""Parts of a Graph that it has on request only.

They are the tensors that do not require grad, what nodes saved for backward, how much memory that
holds, the values of small tensors, the flags of living ones, the formulas of derivatives, and the
gradients that arrive.
"""

_MOST = 2**63 - 1
_FINITE = 1.7e308

Count = Annotated[int, Meta(ge=0, le=_MOST)]
Id = Annotated[int, Meta(ge=0, le=_MOST, description="The index of a node.")]
Position = Annotated[int, Meta(ge=1, le=_MOST)]
Shape = tuple[Count, ...] | None
"""Number of elements per dimension; None where torch cannot tell."""

Norm = Annotated[float, Meta(ge=0, le=_FINITE)] | None
"""A Euclidean norm, to four digits; None if it is not finite."""

Values = bool | int | float | str | list[Any] | None
"""The elements of a small tensor as :meth:`torch.Tensor.tolist` gives them, for JSON: numbers to
four digits; ``"nan"``, ``"inf"`` and complex numbers as texts."""

R = TypeVar("R", bound="Record")


class Record(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """An immutable record.

    A large graph has many.  They are made in a fifth of the time of named tuples.  The garbage
    collector skips them, which is safe because no record refers to itself.
    """

    def replace(self: R, **changes: Any) -> R:
        """Return a copy of which some fields are changed."""
        return _structs.replace(self, **changes)


class Flags(Record, frozen=True, omit_defaults=False):
    """The flags of a living tensor: whether it is a leaf, requires grad and keeps its gradient.

    ``grad`` is the shape of its ``.grad``, None where it has none.
    """

    is_leaf: bool
    requires_grad: bool
    retains_grad: bool
    grad: Annotated[Shape, Meta(description="The shape of its .grad.")]


class TensorMeta(Record, frozen=True):
    """The metadata of a tensor, and its values on request only.

    ``shape`` is in elements per dimension.  ``dtype`` and ``device`` are torch's names without the
    ``torch.`` prefix (``float32``, ``cuda:0``).  Each is None where torch cannot tell, as for the
    shape of a nested tensor.  ``name`` is used on nodes with several outputs only.  ``values`` are
    the elements of a small tensor, ``flags`` those of a living one; both are there on request only.
    """

    shape: Shape
    dtype: str | None
    device: str | None
    name: str | None = None
    values: Values = None
    flags: Flags | None = None


class Source(Record, frozen=True):
    """The line of the author's text that made a node: file (relative), line (from 1), text."""

    file: str
    line: Position
    text: str


class Gradient(Record, frozen=True):
    """The gradient that arrived at a node in a real backward.

    ``norm`` is the Euclidean norm, to four digits, None if it is not finite; ``order`` counts the
    nodes in the order in which gradients arrived, from 1.
    """

    shape: Shape
    norm: Norm
    order: Position
    values: Values = None


class EdgeGradient(Record, frozen=True):
    """The gradient that a node passed along one of its edges in a real backward.

    ``norm`` is the Euclidean norm, to four digits, None if it is not finite.
    """

    shape: Shape
    norm: Norm
    values: Values = None


class Derivative(Record, frozen=True):
    """The rule by which a node makes the gradient of its input number ``input``.

    ``formula`` is a Python expression of ``grad``, the gradient that arrived; ``names`` says for
    each other name in it which of the node's saved tensors it stands for.
    """

    input: Count
    formula: str
    names: Mapping[str, str]


Why = Literal["created", "frozen", "detached", "no_grad", "dtype"]
"""Cause that a tensor does not require grad.

Nobody asked for it (``created``), it is a frozen parameter, it was detached from its graph, it was
computed where gradients are off, or its dtype has none.
"""


class Reason(Record, frozen=True):
    """The reason that a tensor does not require grad.

    ``source`` is the line where that came about, ``of`` the id of the node that the tensor was cut
    from, if that is in the Graph.
    """

    why: Why
    source: Source | None = None
    of: Id | None = None


class Saved(Record, frozen=True):
    """A tensor or another ``value`` that a node saved for backward under the name ``role``.

    For a tensor, ``value`` is None.  ``node`` is the id of the node that produced it, if that is in
    the Graph; ``name`` is the program's name for it where that node does not say it.  A ``freed``
    tensor was released by a backward; nothing else is known of it, nor of one that hooks packed.
    A ``changed`` tensor has been modified in place since, so a backward would fail.
    """

    role: str
    value: Values = None
    shape: Shape = None
    dtype: str | None = None
    node: Id | None = None
    freed: bool = False
    name: str | None = None
    changed: bool = False


FoldKind = Literal["modules", "repeats", "lines", "parts", "cut"]
"""Kind of a fold: a call of a module, equal repetitions, the nodes that a line made, a part of a
graph without structure, or nodes that were cut off."""


class Fold(Record, frozen=True, omit_defaults=False):
    """The nodes that a node of kind ``module`` stands for; only in views.

    ``operations`` counts the function nodes in it, ``parameters`` the elements of the leaves that
    are folded with them, ``times`` the repetitions.  Folds of equal structure have the same
    ``digest``.
    """

    kind: FoldKind
    operations: Count
    parameters: Count = 0
    times: Position = 1
    digest: Count = 0


class ModuleCall(Record, frozen=True):
    """A call of a module: its path and class, and the first and last function node that it made.

    Two calls are one in the other or have no node in common.
    """

    path: str
    type: str
    first: Id
    last: Id


class Node(Record, frozen=True):
    """A node of the autograd graph.

    ``kind`` is ``leaf`` (a tensor that requires grad, one with its ``AccumulateGrad``),
    ``function`` (a ``grad_fn``), ``input`` (a tensor that does not require grad and went into an
    operation) or ``module`` (a folded group; only in views).  ``outputs`` describes the tensors
    that the forward operation produced, by output number.  ``source`` is the innermost line of the
    author's own text that made it, ``module`` the path of the module in whose forward that
    happened, ``call`` the function that was called (``torch.mm``).  In a view, ``members`` are the
    ids that what it shows has in the whole graph.

    Where they were asked for: ``gradient`` is what arrived in a real backward, ``saved`` what the
    node keeps for it and ``saved_bytes`` how much memory that holds, ``derivatives`` the rules of
    an operation, by its inputs, and ``backward`` the first lines of a custom Function's own;
    ``reason`` says why an input does not require grad.

    ``hooks`` are the names of the hooks that the program registered on a node or its tensors, in
    the order in which they run.
    """

    id: Id
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
    members: tuple[Id, ...] = ()
    derivatives: tuple[Derivative, ...] | None = None
    backward: str | None = None
    saved_bytes: Count | None = None
    reason: Reason | None = None
    hooks: tuple[str, ...] = ()


class Edge(Record, frozen=True, rename={"from_": "from"}):
    """A use of a tensor, in forward direction.

    Node ``from_`` produced output number ``output``, which node ``to`` took as its differentiable
    input number ``input`` (the index in its ``next_functions``).  ``gradient`` is what ``to``
    passed to ``from_`` along it in a real backward, where that was asked for.
    """

    from_: Id
    to: Id
    output: Count
    input: Count
    gradient: EdgeGradient | None = None


class Output(Record, frozen=True):
    """A tensor that was traced: its name, and the node and output number that produced it.

    Of a view, ``base`` is the tensor that it is a view of, if that is in the Graph.
    """

    name: str | None
    node: Id
    index: Count
    base: Output | None = None


class TensorRow(Record, frozen=True):
    """A row of a table of tensors: the state of a tensor of the program.

    ``grad_fn`` is the op of its ``grad_fn``, None for a leaf; ``grad`` the shape of its ``.grad``.
    """

    name: str
    shape: Shape
    dtype: str | None
    is_leaf: bool
    requires_grad: bool
    grad_fn: str | None
    retains_grad: bool = False
    grad: Shape = None


def source_of(node: Node) -> Source | None:
    """Return the line that made a node, or for which an input does not require grad."""
    return node.source or (None if node.reason is None else node.reason.source)


class ParameterRow(Record, frozen=True):
    """A row of a table of parameters: a parameter of a module of the program.

    ``gradient`` is the one measured to arrive at it; where none does, ``why`` says the reason.
    """

    name: str
    shape: Shape
    gradient: Gradient | None = None
    why: Message | None = None


@dataclass(frozen=True)
class GraphRecords:
    """The records of a graph, with look-ups."""

    outputs: tuple[Output, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    modules: tuple[ModuleCall, ...] = ()

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
    def users_of(self) -> Mapping[int, tuple[Edge, ...]]:
        """The edges out of each node, by user; nodes without any are missing."""
        found: dict[int, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.from_, []).append(edge)
        return {from_: tuple(edges) for from_, edges in found.items()}

    def tensor(self, output: Output) -> TensorMeta:
        """Return the metadata of the tensor ``output``."""
        return self.nodes[output.node].outputs[output.index]
