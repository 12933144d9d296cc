"""The JSON of a Graph: its canonical text, and reading it without trusting it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
"""What has more nodes or edges than this is not read."""


class GraphFormatError(ValueError):
    """Raised for what is not the JSON of a sound Graph, whatever is wrong with it."""


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
    outputs: tuple[Output, ...]  # a view around something may show none
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
    """The JSON of a view: one of a part of a graph may have none of its outputs."""

    outputs: tuple[Output, ...]


def _exact(value: object) -> object:
    """Make a subclass of a plain type plain, which a program may use for its names."""
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
    """Return what a text holds, with every type and bound checked; ``view`` for that of a view.

    Raises :exc:`GraphFormatError`.
    """
    try:
        document = (_view_decoder if view else _decoder).decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise GraphFormatError(f"not the JSON of a Graph: {_reason(error)}") from None
    for problem in problems(document.records()):
        raise GraphFormatError(f"not a Graph: {problem}")
    return document


def text_of(data: Any) -> bytes:
    """Return plain data as JSON, to be read as any other text is."""
    try:
        return _encoder.encode(data)
    except (TypeError, UnicodeError, RecursionError, OverflowError, msgspec.MsgspecError) as error:
        raise GraphFormatError(f"not the JSON of a Graph: {_reason(error)}") from None


def rows_to_plain(rows: Sequence[Record]) -> list[dict[str, Any]]:
    """Return rows of a table as plain data."""
    return msgspec.to_builtins(list(rows), enc_hook=_exact)  # type: ignore[no-any-return]


def rows_of(data: Any, kind: type[R]) -> tuple[R, ...]:
    """Return the rows of which ``data`` is the plain data; :exc:`GraphFormatError` if it is not."""
    try:
        return msgspec.convert(data, tuple[kind, ...])  # type: ignore[valid-type]
    except (msgspec.MsgspecError, RecursionError) as error:
        raise GraphFormatError(f"no rows of a table: {_reason(error)}") from None


def may_be_damaged(text: str) -> bool:
    """Whether a text that is no Graph may be one that was damaged: it has the shape of one.

    That may be so, too, of what is no JSON at all, as a merge leaves it.
    """
    try:
        data = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return True
    required = {field.name for field in msgspec.structs.fields(Document) if field.required}
    return isinstance(data, dict) and required <= set(data)


def plain(text: str) -> dict[str, Any]:
    """Return a canonical text as lists and dicts."""
    return _plain_decoder.decode(text)


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
    """Return what is written for a node: itself, or a form that its type alone does not give.

    That is so for the names of several outputs, which are written even where they are null, and
    for what was saved: a tensor is written with all that is known of it, a value with nothing else.
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


def _fields(record: Record) -> dict[str, Any]:
    """Return the fields of a record that are not at their defaults, as its encoding has them."""
    return dict(_changed(record))


def _changed(record: Record) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        if field.required or value != field.default:
            yield field.encode_name, value
