"""Canonical JSON of a Graph: writing it, and reading it without trusting it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from sphinx_autogradgraph.graph.checks import problems
from sphinx_autogradgraph.graph.records import (
    Edge,
    GraphRecords,
    ModuleCall,
    Node,
    Output,
    R,
    Record,
    TensorMeta,
    TensorRow,
)

VERSION = 1
"""The version of the JSON form."""

MAX_NODES = 500_000
MAX_EDGES = 4 * MAX_NODES
"""Limits of nodes and edges: a larger graph is not read."""


class GraphFormatError(ValueError):
    """Raised for a text or data that is not the JSON of a sound Graph."""


class Document(Record, frozen=True, omit_defaults=False):
    """The JSON of a Graph: the tensors that were asked for, the nodes and the edges.

    ``nodes`` are in forward order (a node comes after everything it used), and a node's id is its
    index.  ``edges`` has one for every entry of next_functions that is not None, in forward
    direction.  ``leaves`` are the names of the leaves in order of first use by the forward pass,
    ``chain`` the ops on the longest path from the first output's grad_fn to a leaf, ``modules`` the
    calls of modules, in the order of their first nodes, the outer ones first.  In snapshots
    ``tensors`` are the rows of a table of tensors, ``torch`` is the version that made it and
    ``project`` the directory of the pages that it is for.
    """

    version: Literal[1]
    outputs: Annotated[tuple[Output, ...], Meta(min_length=1)]
    nodes: Annotated[tuple[Node, ...], Meta(min_length=1, max_length=MAX_NODES)]
    edges: Annotated[tuple[Edge, ...], Meta(max_length=MAX_EDGES)]
    leaves: tuple[str | None, ...]
    chain: tuple[str, ...]
    modules: tuple[ModuleCall, ...] = ()
    tensors: tuple[TensorRow, ...] = ()
    torch: str | None = None
    project: str | None = None

    def records(self) -> GraphRecords:
        """Return the records of the graph."""
        return GraphRecords(self.outputs, self.nodes, self.edges, self.modules)


class ViewDocument(Document, frozen=True, omit_defaults=False):
    """The JSON of a view, which may lack outputs: a view may show only a part of its graph."""

    outputs: tuple[Output, ...]


def _exact(value: object) -> object:
    """Return the plain value of an instance of a subclass of ``str``, ``int`` or ``float``.

    A program may use such instances as names of its tensors.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    raise TypeError(f"no JSON has a {type(value).__name__}")


_encoder = msgspec.json.Encoder(enc_hook=_exact)
_decoder = msgspec.json.Decoder(Document)
_view_decoder = msgspec.json.Decoder(ViewDocument)
_plain_decoder = msgspec.json.Decoder(dict[str, Any])


def encode(
    graph: GraphRecords,
    chain: Sequence[str],
    tensors: Sequence[TensorRow] = (),
    torch: str | None = None,
    project: str | None = None,
) -> str:
    """Return the canonical text: one line a node and an edge, the same bytes everywhere."""
    parts = [
        f'"version": {VERSION}',
        _rows("outputs", graph.outputs),
        _rows("nodes", map(_node_form, graph.nodes)),
        _rows("edges", graph.edges),
        f'"leaves": {_line(graph.leaves)}',
        f'"chain": {_line(chain)}',
    ]
    if graph.modules:
        parts.append(_rows("modules", graph.modules))
    if tensors:
        parts.append(_rows("tensors", tensors))
    if torch is not None:
        parts.append(f'"torch": {_line(torch)}')
    if project is not None:
        parts.append(f'"project": {_line(project)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def decode(text: str | bytes, *, view: bool = False) -> Document:
    """Return the document in a text, with every type and bound checked.

    With ``view``, the text is that of a view.  Raises :exc:`GraphFormatError`.
    """
    try:
        document = (_view_decoder if view else _decoder).decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise GraphFormatError(f"not the JSON of a Graph: {_reason(error)}") from None
    for problem in problems(document.records()):
        raise GraphFormatError(f"not a Graph: {problem}")
    return document


def text_of(data: Any) -> bytes:
    """Return plain data as JSON, so that it is checked in the same way as a text."""
    try:
        return _encoder.encode(data)
    except (TypeError, UnicodeError, RecursionError, OverflowError, msgspec.MsgspecError) as error:
        raise GraphFormatError(f"not the JSON of a Graph: {_reason(error)}") from None


def rows_to_plain(rows: Sequence[Record]) -> list[dict[str, Any]]:
    """Return rows of a table as plain data."""
    return msgspec.to_builtins(list(rows), enc_hook=_exact)  # type: ignore[no-any-return]


def rows_of(data: Any, kind: type[R]) -> tuple[R, ...]:
    """Read what :func:`rows_to_plain` wrote; raise :exc:`GraphFormatError` for anything else."""
    try:
        return msgspec.convert(data, tuple[kind, ...])  # type: ignore[valid-type]
    except (msgspec.MsgspecError, RecursionError) as error:
        raise GraphFormatError(f"no rows of a table: {_reason(error)}") from None


def may_be_damaged(text: str) -> bool:
    """Whether an unreadable text looks like that of a Graph that was damaged.

    Such a text need not be JSON: a merge may have left its marks in it.
    """
    try:
        data = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return True
    required = {field.name for field in msgspec.structs.fields(Document) if field.required}
    return isinstance(data, dict) and required <= set(data)


def plain(graph: GraphRecords, chain: Sequence[str]) -> dict[str, Any]:
    """Return what :func:`encode` writes as lists and dicts."""
    data = {
        "version": VERSION,
        "outputs": graph.outputs,
        "nodes": list(map(_node_form, graph.nodes)),
        "edges": graph.edges,
        "leaves": graph.leaves,
        "chain": chain,
        **({"modules": graph.modules} if graph.modules else {}),
    }
    return _plain_decoder.decode(_encoder.encode(data))


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error).partition("\n")[0]


def _line(value: object) -> str:
    return msgspec.json.format(_encoder.encode(value), indent=0).decode()


def _rows(name: str, items: Iterable[object]) -> str:
    lines = _encoder.encode_lines(list(items)).splitlines()
    if not lines:
        return f'"{name}": []'
    rows = b",\n".join(msgspec.json.format(line, indent=0) for line in lines)
    return f'"{name}": [\n{rows.decode()}\n]'


def _node_form(node: Node) -> Node | dict[str, Any]:
    """Return a node as it is written: itself, or a dict where its type is not enough.

    The outputs of a node with several are written with all fields, even those that are null.
    A saved tensor is written with all that is known of it, a saved value with its role only.
    """
    if len(node.outputs) < 2 and node.fold is None and node.saved is None:
        return node
    data = _fields(node)
    if len(node.outputs) > 1 or node.fold is not None:
        data["outputs"] = [_output_form(meta) for meta in node.outputs]
    if node.saved is not None:
        data["saved"] = [
            {"role": saved.role, "value": saved.value}
            if saved.value is not None
            else {
                "role": saved.role,
                "shape": saved.shape,
                "dtype": saved.dtype,
                "node": saved.node,
                "freed": saved.freed,
                **({} if saved.name is None else {"name": saved.name}),
                **({"changed": True} if saved.changed else {}),
            }
            for saved in node.saved
        ]
    return data


def _output_form(meta: TensorMeta) -> dict[str, Any]:
    first = {"shape": meta.shape, "dtype": meta.dtype, "device": meta.device, "name": meta.name}
    return {**first, **_fields(meta)}


# Held, since reading the annotations of a class takes longer than writing a record.
_declared = cache(msgspec.structs.fields)


def _fields(record: Record) -> dict[str, Any]:
    """Return the fields of a record that differ from their defaults, by their names in JSON."""
    return dict(_changed(record))


def _changed(record: Record) -> Iterator[tuple[str, Any]]:
    for field in _declared(type(record)):
        value = getattr(record, field.name)
        if field.required or value != field.default:
            yield field.encode_name, value
