"""The tables of ``:table:``: the program's tensors, and the nodes of the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from docutils import nodes

from sphinx_autogradgraph.drawing.text import norm_text, shape_text, shape_text_of, value_text
from sphinx_autogradgraph.execution.result import Traced
from sphinx_autogradgraph.figure.options import Table
from sphinx_autogradgraph.graph import Graph, Node, Saved, TensorRow
from sphinx_autogradgraph.sphinxext.messages import _

LINE, CALL = "autogradgraph-line", "autogradgraph-call"
"""The attributes of a paragraph that HTML makes a link: to the line with that id, and to the
documentation of that function."""

Cell = nodes.paragraph


def tables(wanted: Sequence[Table], traced: Traced, lines: Mapping[int, str]) -> list[nodes.table]:
    """The tables that are wanted; ``lines`` are the ids of the lines that made nodes."""
    made = []
    for table in wanted:
        if table == "tensors":
            made.append(_tensors(traced.tensors))
        else:
            made.append(_nodes(traced.graph, lines))
    return made


def _tensors(rows: Sequence[TensorRow]) -> nodes.table:
    # The headings are attributes of torch.Tensor: the same in every language.
    heads = [
        _text(_("tensor")),
        *(_literal(name) for name in ("shape", "is_leaf", "requires_grad", "grad_fn")),
    ]
    body = [
        [
            _literal(row.name),
            _text(shape_text_of(row.shape)),
            _text(str(row.is_leaf)),
            _text(str(row.requires_grad)),
            _text(str(row.grad_fn)),
        ]
        for row in rows
    ]
    return _table("autogradgraph-tensors", [16, 12, 9, 15, 20], heads, body)


def _nodes(graph: Graph, lines: Mapping[int, str]) -> nodes.table:
    names = [_("node"), _("operation"), _("shape"), _("line"), _("inputs")]
    widths = [5, 24, 12, 16, 18]
    measured = any(node.gradient is not None for node in graph.nodes)
    if measured:
        names += [_("gradient"), _("order")]
        widths += [14, 6]
    keeps = any(node.saved is not None for node in graph.nodes)
    if keeps:
        names.append(_("saved"))
        widths.append(24)
    heads = [_text(name) for name in names]
    body = []
    for node in graph.nodes:
        inputs = [graph.nodes[edge.from_] for edge in graph.inputs_of.get(node.id, ())]
        shapes = ", ".join(filter(None, (shape_text(meta) for meta in node.outputs)))
        cells = [
            _text(str(node.id)),
            _operation(node),
            _text(shapes),
            _line(node, lines),
            _text(", ".join(f"{used.id} {used.name or used.op}" for used in inputs)),
        ]
        if measured:
            gradient = node.gradient
            cells += [
                _text("" if gradient is None else norm_text(gradient, _)),
                _text("" if gradient is None else str(gradient.order)),
            ]
        if keeps:
            cells.append(_text(", ".join(_saved(graph, saved) for saved in node.saved or ())))
        body.append(cells)
    return _table("autogradgraph-nodes", widths, heads, body)


def _saved(graph: Graph, saved: Saved) -> str:
    """What a node saved, in a cell: «self X (10, 2)», «exponent=2»."""
    if saved.value is not None:
        return f"{saved.role}={value_text(saved.value)}"
    if saved.freed:
        return _("{name} (freed)").format(name=saved.role)
    source = None if saved.node is None else graph.nodes[saved.node]
    name = saved.name if source is None else source.name
    return " ".join(filter(None, [saved.role, name, shape_text_of(saved.shape)]))


def _operation(node: Node) -> Cell:
    if node.kind == "leaf":
        text = _("leaf")
    elif node.kind == "input":
        text = _("input")
    else:
        cell = _text(node.op)
        if node.call is not None:
            cell[CALL] = node.call
        if node.name is not None:
            cell += nodes.Text(" ")
            cell += nodes.literal(node.name, node.name)
        return cell
    cell = _text(f"{text} ")
    cell += nodes.literal(node.name, node.name) if node.name else nodes.Text(_("unnamed"))
    return cell


def _line(node: Node, lines: Mapping[int, str]) -> Cell:
    if node.source is None:
        return _text("")
    cell = _text(f"{node.source.file}:{node.source.line}")
    if node.id in lines:
        cell[LINE] = lines[node.id]
    return cell


def _text(text: str) -> Cell:
    return nodes.paragraph("", text)


def _literal(text: str) -> Cell:
    return nodes.paragraph("", "", nodes.literal(text, text))


def _table(
    name: str, widths: Sequence[int], heads: Sequence[Cell], body: Sequence[Sequence[Cell]]
) -> nodes.table:
    # Widths in characters, as the text builder takes them; others take their proportions.
    group = nodes.tgroup(cols=len(widths))
    group += [nodes.colspec(colwidth=width) for width in widths]
    group += nodes.thead("", _row(heads))
    group += nodes.tbody("", *(_row(cells) for cells in body))
    return nodes.table("", group, classes=["autogradgraph-table", name])


def _row(cells: Sequence[Cell]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", cell) for cell in cells))
