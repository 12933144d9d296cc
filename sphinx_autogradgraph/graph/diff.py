"""Differences of two Graphs, in words.

Only what autograd computes is compared.  Numbers of nodes do not count, because they follow the
order of statements; neither do lines, calls and devices.  Standard library only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from sphinx_autogradgraph.core.messages import Message, Translate, untranslated
from sphinx_autogradgraph.graph.records import GraphRecords, Kind, Node, TensorMeta

MAX_ALIGNED = 2_000
"""Maximum number of differing nodes to align; more are only counted."""


def canonical_order(graph: GraphRecords) -> list[Node]:
    """Return the nodes in an order that depends on the graph alone: depth first from the outputs.

    Inputs are followed in their order, and each node comes where it is first met.  Equal graphs
    whose nodes are numbered differently have the same sequence.
    """
    order: dict[int, None] = {}
    stack = [output.node for output in reversed(graph.outputs)]
    while stack:
        id = stack.pop()
        if id in order:
            continue
        order[id] = None
        stack += [edge.from_ for edge in reversed(graph.inputs_of.get(id, ()))]
    return [graph.nodes[id] for id in order]


def same(one: GraphRecords, other: GraphRecords) -> bool:
    """Whether two graphs are the same: outputs, ops, edges, shapes, dtypes, names, modules."""
    return _compared(one) == _compared(other)


def _compared(graph: GraphRecords) -> list[Any]:
    order = canonical_order(graph)
    place = {node.id: index for index, node in enumerate(order)}
    compared: list[Any] = [
        [(output.name, place[output.node], output.index) for output in graph.outputs],
        _classes(graph),
    ]
    compared += [
        (
            node.kind,
            node.op,
            node.name,
            node.module or None,  # in no module, whether that was recorded or not
            [(meta.shape, meta.dtype, meta.name) for meta in node.outputs],
            [
                (place[edge.from_], edge.output, edge.input)
                for edge in graph.inputs_of.get(node.id, ())
            ],
        )
        for node in order
    ]
    return compared


def _classes(graph: GraphRecords) -> dict[str, str]:
    """Return the classes of the modules that were called, by their paths."""
    return {call.path: call.type for call in graph.modules}


@dataclass(frozen=True)
class _Change:
    """A change in words, and the node where it happened, for its line."""

    message: Message
    node: Node | None = None


def differences(
    old: GraphRecords, new: GraphRecords, translate: Translate = untranslated
) -> list[str]:
    """Return the differences of ``new`` from ``old``, a text for each line of code.

    Nothing if they are the same.  Example:
    «examples/linreg.py:12  PowBackward0 became MulBackward0; leaf b: shape (1,) became (1, 1)»
    """
    if same(old, new):
        return []
    changes = [*_outputs(old, new), *_nodes(old, new), *_modules(old, new)]
    if not changes:
        changes = [*_edges(old, new)] or [_Change(Message("its edges changed"))]
    lines: dict[str, list[str]] = {}
    last = ""
    for change in changes:
        source = change.node.source if change.node is not None else None
        # What has no line of its own, as a leaf, stands with what was said before it.
        last = last if source is None else f"{source.file}:{source.line}"
        lines.setdefault(last, []).append(change.message.sentence(translate))
    return [
        (f"{place}  " if place else "") + "; ".join(_first(list(dict.fromkeys(texts)), translate))
        for place, texts in lines.items()
    ]


MAX_CHANGES = 12
"""Maximum number of changes reported for one line of code."""


def _first(texts: list[str], translate: Translate) -> list[str]:
    """Return the first of many texts, and a note of how many more there are."""
    if len(texts) <= MAX_CHANGES:
        return texts
    more = translate("and {count} more").format(count=f"{len(texts) - MAX_CHANGES:,}")
    return [*texts[:MAX_CHANGES], more]


def _outputs(old: GraphRecords, new: GraphRecords) -> Iterator[_Change]:
    before = [output.name or "?" for output in old.outputs]
    after = [output.name or "?" for output in new.outputs]
    if before != after:
        yield _Change(_became(Message("outputs"), ", ".join(before), ", ".join(after)))


def _modules(old: GraphRecords, new: GraphRecords) -> Iterator[_Change]:
    before, after = _classes(old), _classes(new)
    for path in sorted({*before, *after}):
        if path in before and path in after and before[path] != after[path]:
            what = Message("module {path}: class", {"path": path})
            yield _Change(_became(what, before[path], after[path]))
    gone, come = sorted({*before} - {*after}), sorted({*after} - {*before})
    if gone or come:
        before_, after_ = (", ".join(_first(paths, untranslated)) for paths in (gone, come))
        yield _Change(_became(Message("modules"), before_, after_))


def _nodes(old: GraphRecords, new: GraphRecords) -> Iterator[_Change]:
    whole = canonical_order(old), canonical_order(new)
    pairs, before, after = _tensors_in_both(*whole)
    keys = [_key(node) for node in before], [_key(node) for node in after]
    if Counter(keys[0]) == Counter(keys[1]):  # the same nodes, in other places if need be
        yield from _rearranged(*whole)
        return
    start = 0
    while start < min(map(len, keys)) and keys[0][start] == keys[1][start]:
        start += 1
    end = 0
    while end < min(map(len, keys)) - start and keys[0][-1 - end] == keys[1][-1 - end]:
        end += 1
    pairs += zip(before[:start], after[:start], strict=True)
    middle = before[start : len(before) - end], after[start : len(after) - end]
    if max(map(len, middle)) > MAX_ALIGNED:
        counts = {"before": str(len(middle[0])), "after": str(len(middle[1]))}
        text = Message("{before} nodes became {after} others", counts)
        yield _Change(text, middle[1][0])
    else:
        aligned = [[_key(node) for node in nodes] for nodes in middle]
        matcher = SequenceMatcher(None, aligned[0], aligned[1], autojunk=False)
        for tag, a, b, c, d in matcher.get_opcodes():
            if tag == "equal":
                pairs += zip(middle[0][a:b], middle[1][c:d], strict=True)
            else:
                yield from _replaced(middle[0][a:b], middle[1][c:d])
    if end:
        pairs += zip(before[-end:], after[-end:], strict=True)
    for one, other in pairs:
        yield from _attributes(one, other)


def _tensors_in_both(
    old: Sequence[Node], new: Sequence[Node]
) -> tuple[list[tuple[Node, Node]], list[Node], list[Node]]:
    """Return pairs of leaves and inputs that both graphs have by name, and the other nodes.

    Where a leaf stands depends on what uses it: one that is used elsewhere now is not another.
    """
    named = [
        {_key(node): node for node in nodes if node.kind != "function" and node.name is not None}
        for nodes in (old, new)
    ]
    both = named[0].keys() & named[1].keys()
    pairs = [(node, named[1][key]) for key, node in named[0].items() if key in both]
    paired = {id(node) for pair in pairs for node in pair}
    left = [[node for node in nodes if id(node) not in paired] for nodes in (old, new)]
    return pairs, left[0], left[1]


def _rearranged(old: Sequence[Node], new: Sequence[Node]) -> Iterator[_Change]:
    """Compare the attributes of equal nodes that stand in another order, paired in their order."""
    waiting: dict[object, list[Node]] = {}
    for node in reversed(old):
        waiting.setdefault(_key(node), []).append(node)
    for node in new:
        yield from _attributes(waiting[_key(node)].pop(), node)


def _key(node: Node) -> tuple[str, str, str | None]:
    return node.kind, node.op, node.name if node.kind != "function" else None


def _replaced(old: Sequence[Node], new: Sequence[Node]) -> Iterator[_Change]:
    common = min(len(old), len(new))
    for one, other in zip(old[:common], new[:common], strict=True):
        yield _Change(
            Message("{before} became {after}", {"before": _named(one), "after": _named(other)}),
            other,
        )
        yield from _metas(one, other)
    for node in old[common:]:
        yield _Change(Message("{node} is gone", {"node": _named(node)}), node)
    for node in new[common:]:
        yield _Change(Message("{node} is new", {"node": _named(node)}), node)


def _became(what: Message, before: object, after: object) -> Message:
    """Return the message of a change: «outputs l became loss».

    ``what`` is translated when the message is shown, and so is the word for a missing value.
    """
    values = {
        "what": what,
        "before": Message("none") if before in (None, "") else str(before),
        "after": Message("none") if after in (None, "") else str(after),
    }
    return Message("{what} {before} became {after}", values)


KIND_WORDS: Mapping[Kind, Message] = {
    "leaf": Message("leaf"),
    "input": Message("input"),
    "function": Message("operation"),
    "module": Message("module"),
}
META_WORDS = {"shape": Message("shape"), "dtype": Message("dtype"), "name": Message("name")}


def _of(node: str | Message, what: Message) -> Message:
    """Return an attribute of a node as a message: «leaf b: shape»."""
    return Message("{node}: {what}", {"node": node, "what": what})


def _named(node: Node) -> str | Message:
    """Return how messages call a node: «MmBackward0», «leaf b»."""
    if node.kind == "function":
        return node.op
    name = Message("without a name") if node.name is None else node.name
    return Message("{kind} {name}", {"kind": KIND_WORDS[node.kind], "name": name})


def _short(node: Node) -> str:
    return node.op if node.kind == "function" else f"{node.kind} {node.name or '?'}"


def _attributes(old: Node, new: Node) -> Iterator[_Change]:
    name = _named(old)
    if old.name != new.name:
        yield _Change(_became(_of(name, Message("name")), old.name, new.name), new)
    if (old.module or None) != (new.module or None):
        yield _Change(_became(_of(name, Message("module")), old.module, new.module), new)
    yield from _metas(old, new)


def _metas(old: Node, new: Node) -> Iterator[_Change]:
    name = _named(new)
    if len(old.outputs) != len(new.outputs):
        counts = {"before": str(len(old.outputs)), "after": str(len(new.outputs))}
        text = Message("{node}: {before} outputs became {after}", {"node": name, **counts})
        yield _Change(text, new)
    for index, (one, other) in enumerate(zip(old.outputs, new.outputs, strict=False)):
        which = name
        if len(new.outputs) > 1:
            which = Message("{node} output {number}", {"node": name, "number": str(index)})
        for what, before, after in _meta(one, other):
            yield _Change(_became(_of(which, what), before, after), new)


def _meta(old: TensorMeta, new: TensorMeta) -> Iterator[tuple[Message, object, object]]:
    for what, word in META_WORDS.items():
        before, after = getattr(old, what), getattr(new, what)
        if before != after:
            yield word, before, after


def _edges(old: GraphRecords, new: GraphRecords) -> Iterator[_Change]:
    """Yield the functions that take inputs from other nodes, of graphs with the same nodes."""
    functions = [
        [node for node in canonical_order(graph) if node.kind == "function"] for graph in (old, new)
    ]
    for one, other in zip(*functions, strict=True):
        before = [_short(old.nodes[edge.from_]) for edge in old.inputs_of.get(one.id, ())]
        after = [_short(new.nodes[edge.from_]) for edge in new.inputs_of.get(other.id, ())]
        if before != after:
            text = _became(
                _of(_named(other), Message("inputs")), ", ".join(before), ", ".join(after)
            )
            yield _Change(text, other)
