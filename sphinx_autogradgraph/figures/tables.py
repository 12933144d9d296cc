"""Tables of the option ``table``, for any host: tensors, parameters, nodes of the graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sphinx_autogradgraph.core.messages import Translate
from sphinx_autogradgraph.core.show import Show
from sphinx_autogradgraph.figures.option_values import TableName
from sphinx_autogradgraph.graph.model import Graph, Node, ParameterRow, Saved, TensorRow, source_of
from sphinx_autogradgraph.render.chain_rule import ChainRule
from sphinx_autogradgraph.render.text import (
    Span,
    bytes_text,
    marked,
    norm_text,
    shape_text,
    shape_text_of,
    value_text,
)
from sphinx_autogradgraph.runtime.result import Traced

MAX_ROWS = 1000
"""Maximum number of rows of a table: pages with more are slow to build and to read."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    ``line`` is the id of a line of code on the page.  ``call`` names a function that may be
    documented somewhere.  The first of the spans is to link to one of them.
    """

    spans: tuple[Span, ...]
    line: str | None = None
    call: str | None = None


@dataclass(frozen=True)
class Table:
    """A table.  ``name`` is its class, ``widths`` are in characters."""

    name: str
    widths: Sequence[int]
    heads: Sequence[Cell]
    body: Sequence[Sequence[Cell]]


def tables_of(
    wanted: Sequence[TableName],
    traced: Traced,
    lines: Mapping[int, str],
    translate: Translate,
    show: Collection[Show] = (),
) -> list[Table]:
    """Return the tables that are wanted, with the columns that ``show`` adds.

    ``lines`` are the ids of the lines that made nodes.  A table with more rows than
    :data:`MAX_ROWS` ends after them, and says so.
    """
    found = []
    for name in wanted:
        if name == "tensors":
            table = _tensors(traced.tensors[:MAX_ROWS], translate, show)
            count = len(traced.tensors)
        elif name == "parameters":
            table = _parameters(traced.parameters[:MAX_ROWS], translate)
            count = len(traced.parameters)
        else:
            table = _nodes(traced.graph, lines, translate, show)
            count = len(traced.graph.nodes)
        found.append(_with_rest(table, count, translate))
    return found


def _with_rest(table: Table, count: int, translate: Translate) -> Table:
    """Add a row for those that were left out of ``count``, if there are any."""
    if count <= MAX_ROWS:
        return table
    more = translate("and {count} more").format(count=f"{count - MAX_ROWS:,}")
    empty = [_text("")] * (len(table.heads) - 1)
    return replace(table, body=[*table.body, [_text(more), *empty]])


def _tensors(rows: Sequence[TensorRow], _: Translate, show: Collection[Show]) -> Table:
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
    widths = [16, 12, 9, 15, 20]
    if "flags" in show:
        heads += [_literal("retains_grad"), _literal("grad")]
        widths += [14, 12]
        for row, cells in zip(rows, body, strict=True):
            grad = "None" if row.grad is None else shape_text_of(row.grad)
            cells += [_text(str(row.retains_grad)), _text(grad)]
    return Table("autogradgraph-tensors", widths, heads, body)


def _parameters(rows: Sequence[ParameterRow], _: Translate) -> Table:
    """Return the table of the program's parameters: the gradient of each, or why it has none."""
    heads = [_text(_("parameter")), _literal("shape"), _text(_("gradient"))]
    body = []
    for row in rows:
        if row.gradient is not None:
            said = norm_text(row.gradient, _)
        else:
            said = _("none: {why}").format(why=row.why.sentence(_)) if row.why else ""
        body.append(
            [_literal(row.name), _text(shape_text_of(row.shape)), Cell(tuple(marked(said)))]
        )
    return Table("autogradgraph-parameters", [24, 14, 40], heads, body)


def _nodes(graph: Graph, lines: Mapping[int, str], _: Translate, show: Collection[Show]) -> Table:
    names = [_("node"), _("operation"), _("shape"), _("line"), _("inputs")]
    widths = [5, 24, 12, 16, 18]
    measured = any(node.gradient is not None for node in graph.nodes)
    if measured:
        names += [_("gradient"), _("order")]
        widths += [14, 6]
    holds = "memory" in show and any(node.saved_bytes is not None for node in graph.nodes)
    if holds:
        names.append(_("memory"))
        widths.append(8)
    keeps = "saved" in show and any(node.saved is not None for node in graph.nodes)
    if keeps:
        names.append(_("saved"))
        widths.append(24)
    rules = "formulas" in show
    if rules:
        names.append(_("formulas"))
        widths.append(32)
    heads = [_text(name) for name in names]
    body = []
    for node in graph.nodes[:MAX_ROWS]:
        inputs = [graph.nodes[edge.from_] for edge in graph.inputs_of.get(node.id, ())]
        shapes = ", ".join(filter(None, (shape_text(meta) for meta in node.outputs)))
        cells = [
            _text(str(node.id)),
            _operation(node, _),
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
        if holds:
            held = node.saved_bytes
            cells.append(_text("" if held is None else bytes_text(held)))
        if keeps:
            cells.append(_text(", ".join(_saved(graph, saved, _) for saved in node.saved or ())))
        if rules:
            cells.append(_formulas(graph, node, _))
        body.append(cells)
    return Table("autogradgraph-nodes", widths, heads, body)


def _formulas(graph: Graph, node: Node, _: Translate) -> Cell:
    """Return the formulas of a node's gradients, with their names explained.

    For a custom Function it is the code of its ``backward``.
    """
    if node.backward is not None:
        return Cell((Span("literal", " ".join(node.backward.split())),))
    rule = ChainRule(graph, _)
    spans: list[Span] = []
    for text in rule.formulas(node):
        arrow, _colon, formula = text.partition(": ")
        between = "; " if spans else ""
        spans += [Span("text", f"{between}{arrow}: "), Span("literal", formula)]
    spans += [Span("text", f"; {text}") for text in rule.origins(node)]
    return Cell(tuple(spans) or (Span("text", ""),))


def _saved(graph: Graph, saved: Saved, _: Translate) -> str:
    """Return the text of a saved value: «self X (10, 2)», «exponent=2»."""
    if saved.value is not None:
        return f"{saved.role}={value_text(saved.value)}"
    if saved.freed:
        return _("{name} (freed)").format(name=saved.role)
    source = None if saved.node is None else graph.nodes[saved.node]
    name = saved.name if source is None else source.name
    return " ".join(filter(None, [saved.role, name, shape_text_of(saved.shape)]))


def _operation(node: Node, _: Translate) -> Cell:
    if node.kind == "leaf":
        text = _("leaf")
    elif node.kind == "input":
        text = _("input")
    else:
        spans = [Span("text", node.op)]
        if node.name is not None:
            spans += [Span("text", " "), Span("literal", node.name)]
        return Cell(tuple(spans), call=node.call)
    name = Span("literal", node.name) if node.name else Span("text", _("unnamed"))
    return Cell((Span("text", f"{text} "), name))


def _line(node: Node, lines: Mapping[int, str]) -> Cell:
    source = source_of(node)
    if source is None:
        return _text("")
    why = "" if node.reason is None else f"{node.reason.why}, "
    span = Span("text", f"{why}{source.file}:{source.line}")
    return Cell((span,), line=lines.get(node.id))


def _text(text: str) -> Cell:
    return Cell((Span("text", text),))


def _literal(text: str) -> Cell:
    return Cell((Span("literal", text),))
