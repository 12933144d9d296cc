"""A Graph in words: labels, the caption's sentences, the text alternative."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.graph.model import EdgeGradient, Gradient, Graph, Node, TensorMeta
from sphinx_autogradgraph.render.leaf_groups import LeafGroup, grouped

MAX_CHAIN = 12
"""Number of ops above which a chain is shortened in a caption, in its middle."""

ENDS = 3
"""Number of ops that a shortened chain keeps at either end."""

MAX_NAMES = 12
"""Number of outputs above which a caption shortens them."""

MAX_LEAVES = 6
"""Number of leaves above which a caption groups them by module."""

MAX_ALTERNATIVE = 300
"""Number of nodes above which the text alternative gives counts and ends alone."""

MAX_LISTED = 2_000
"""Number of nodes above which no whole lists stand beside the caption."""

ARROW = " → "


SpanKind = Literal["text", "literal"]


@dataclass(frozen=True)
class Span:
    """A piece of a sentence: plain text, or a name from the program, which is set as a literal."""

    kind: SpanKind
    text: str


def shape_text(meta: TensorMeta) -> str:
    """Return the shape of a tensor as torch prints it, ``(10, 1)``; empty if it is not known."""
    return shape_text_of(meta.shape)


def shape_text_of(shape: Sequence[int] | None) -> str:
    """Return a shape as torch prints it, ``(10, 1)``; empty for None."""
    return "" if shape is None else str(tuple(shape))


def value_text(value: Any) -> str:
    """Return a saved value or a tensor's values as Python writes them, without quotes."""
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def norm_text(gradient: Gradient | EdgeGradient, translate: Translate = untranslated) -> str:
    """Return the norm of a gradient: «norm 10.76»."""
    if gradient.norm is None:
        return translate("not finite")
    return translate("norm {norm}").format(norm=f"{gradient.norm:g}")


def bytes_text(count: int) -> str:
    """Return an amount of memory: «40 B», «1.5 KiB»."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} GiB"


def times_text(times: int, translate: Translate = untranslated) -> str:
    """Return a number of repetitions: «× 198 more»."""
    return translate("× {count} more").format(count=f"{times:,}")


MAX_STEP = 32
"""Maximum number of characters of a line of code that repeats."""


def step_text(node: Node, translate: Translate = untranslated) -> str:
    """Return the line of code that repeats: «of step h = torch.tanh(x @ W…»; empty without one."""
    if node.source is None or node.op or node.name is not None:
        return ""
    text = " ".join(node.source.text.split())
    short = text if len(text) <= MAX_STEP else f"{text[: MAX_STEP - 1]}…"
    return translate("of step {line}").format(line=short)


def operations_text(count: int, translate: Translate = untranslated) -> str:
    """Return the number of operations of a fold: «64 ops»."""
    text = translate("{count} op") if count == 1 else translate("{count} ops")
    return text.format(count=f"{count:,}")


def _text(*parts: str) -> list[Span]:
    return [Span("text", part) for part in parts]


def plain(spans: Sequence[Span]) -> str:
    """Return the spans as plain text."""
    return "".join(span.text for span in spans)


def title(names: Sequence[str | None], translate: Translate = untranslated) -> list[Span]:
    """«Autograd graph of `l`.», for outputs of the given names; without any, that alone."""
    if not names:
        return _text(translate("Autograd graph."))
    spans: list[Span] = []
    for index, name in enumerate(names[:MAX_NAMES]):
        spans += _text(", ") if index else []
        spans.append(
            Span("text", translate("an unnamed tensor")) if name is None else Span("literal", name)
        )
    if len(names) > MAX_NAMES:
        spans += _text(" ", _more(len(names) - MAX_NAMES, translate))
    return _filled(translate("Autograd graph of {names}."), "{names}", spans)


def marked(sentence: str) -> list[Span]:
    """Return a sentence with what stands between backticks in it as literals."""
    parts = sentence.split("`")
    if len(parts) % 2 == 0:  # the author's code has backticks of its own
        return _text(sentence)
    kinds: Iterator[SpanKind] = cycle(("text", "literal"))
    return [Span(kind, part) for kind, part in zip(kinds, parts, strict=False) if part]


def summary(graph: Graph, translate: Translate = untranslated) -> list[Span]:
    """«Leaves: `w` (2, 1), `b` (1,). grad_fn chain: SumBackward0 → … → MmBackward0.»"""
    return [
        *_leaves(graph, translate),
        *_text(" "),
        *_chain(graph, translate),
        *_hooks(graph, translate),
    ]


def folded(graph: Graph, view: Graph, translate: Translate = untranslated) -> list[Span]:
    """«Folded for reading: 879 operations are drawn as 22 nodes. `fold: none` draws them all.»"""
    operations = sum(node.kind == "function" for node in graph.nodes)
    drawn = sum(node.kind in ("function", "module") for node in view.nodes)
    several = translate("Folded for reading: {operations} operations are drawn as {drawn} nodes.")
    one = translate("Folded for reading: {operations} operations are drawn as one node.")
    sentence = one if drawn == 1 else several
    spans = _text(sentence.format(operations=f"{operations:,}", drawn=f"{drawn:,}"), " ")
    whole = translate("{option} draws all of them.")
    return [*spans, *_filled(whole, "{option}", [Span("literal", "fold: none")])]


def title_of(graph: Graph, translate: Translate = untranslated) -> list[Span]:
    """Return the title of a Graph's drawing, which names its outputs."""
    return title([output.name for output in graph.outputs], translate)


def alternative(graph: Graph, translate: Translate = untranslated) -> str:
    """Return the text alternative of the drawing: outputs, the whole chain, the leaves.

    Of a graph of more than :data:`MAX_ALTERNATIVE` nodes, counts and ends.
    """
    names = [output.name for output in graph.outputs]
    whole = len(graph.nodes) <= MAX_ALTERNATIVE
    spans = [
        *title(names, translate),
        *_text(" "),
        *(_whole_chain(graph, translate) if whole else _chain(graph, translate)),
        *_text(" "),
        *(_every_leaf(graph, translate) if whole else _leaves(graph, translate)),
        *_hooks(graph, translate),
    ]
    return plain(spans)


def whole_lists(graph: Graph, translate: Translate = untranslated) -> list[list[Span]]:
    """Return the sentences that a summary shortens, in full; none if it shortens none.

    There are none, either, for a graph of more than :data:`MAX_LISTED` nodes: they would fill a
    page.
    """
    sentences = []
    if len(graph.nodes) <= MAX_LISTED:
        if len(graph.leaf_nodes) > MAX_LEAVES:
            sentences.append(_every_leaf(graph, translate))
        if len(graph.chain) > MAX_CHAIN:
            sentences.append(_whole_chain(graph, translate))
    return sentences


def _hooks(graph: Graph, translate: Translate) -> list[Span]:
    """« Hooks: `w` (clip), SumBackward0 (print).», with a space before it; nothing without any."""
    hooked = [node for node in graph.nodes if node.hooks]
    if not hooked:
        return []
    items = []
    for node in hooked[:MAX_LEAVES]:
        what = Span("text", node.op) if node.name is None else Span("literal", node.name)
        items.append([what, *_text(f" ({', '.join(node.hooks)})")])
    spans = _listed(items, translate)
    if len(hooked) > MAX_LEAVES:
        spans += _text(" ", _more(len(hooked) - MAX_LEAVES, translate))
    return [*_text(" "), *_filled(translate("Hooks: {hooks}."), "{hooks}", spans)]


def _every_leaf(graph: Graph, translate: Translate) -> list[Span]:
    spans = _listed([_leaf(leaf, translate) for leaf in graph.leaf_nodes], translate)
    return _filled(translate("Leaves: {leaves}."), "{leaves}", spans)


def _leaves(graph: Graph, translate: Translate) -> list[Span]:
    """Return all leaves if they are few, else their groups by module."""
    leaves = graph.leaf_nodes
    if len(leaves) <= MAX_LEAVES:
        return _every_leaf(graph, translate)
    groups = grouped(leaves, MAX_LEAVES)
    shown = groups if len(groups) <= MAX_LEAVES else groups[: MAX_LEAVES - 1]
    spans = _listed([_group(group, translate) for group in shown], translate)
    left = len(leaves) - sum(len(group.leaves) for group in shown)
    if left:
        spans += _text(" ", _more(left, translate))
    sentence = translate("{count} leaves: {leaves}.").replace("{count}", f"{len(leaves):,}")
    return _filled(sentence, "{leaves}", spans)


def _listed(items: Sequence[list[Span]], translate: Translate) -> list[Span]:
    """Return the items with commas between them, or that there are none."""
    if not items:
        return _text(translate("none"))
    spans = list(items[0])
    for item in items[1:]:
        spans += [*_text(", "), *item]
    return spans


def _leaf(leaf: Node, translate: Translate) -> list[Span]:
    shape = shape_text(leaf.outputs[0])
    if leaf.name is None:
        return _text(translate("unnamed {shape}").format(shape=shape).rstrip())
    return [Span("literal", leaf.name), *_text(f" {shape}".rstrip())]


def _group(group: LeafGroup, translate: Translate) -> list[Span]:
    """«`model.layers.0`–`5` (12 each)», «`model.head` (2)», «`w` (2, 1)»."""
    if len(group.leaves) == 1:
        return _leaf(group.leaves[0], translate)
    if group.path is None:
        count = len(group.leaves)
        return _text(translate("{count} unnamed").format(count=f"{count:,}"))
    if group.last is None:
        return [Span("literal", group.path), *_text(f" ({len(group.leaves):,})")]
    each = translate("{count} each").format(count=group.each)
    return [
        Span("literal", group.path), *_text("–"), Span("literal", group.last), *_text(f" ({each})"),
    ]  # fmt: skip


def _whole_chain(graph: Graph, translate: Translate) -> list[Span]:
    spans = _text(ARROW.join(graph.chain) or translate("none"))
    return _filled(translate("grad_fn chain: {chain}."), "{chain}", spans)


def _chain(graph: Graph, translate: Translate) -> list[Span]:
    """Return the chain, shortened in the middle if it is long."""
    ops = list(graph.chain)
    if len(ops) <= MAX_CHAIN:
        return _whole_chain(graph, translate)
    count = len(ops) - 2 * ENDS
    middle = translate("… {count} more …").format(count=f"{count:,}")
    spans = _text(ARROW.join([*ops[:ENDS], middle, *ops[-ENDS:]]))
    return _filled(translate("grad_fn chain: {chain}."), "{chain}", spans)


def _more(count: int, translate: Translate) -> str:
    return translate("and {count} more").format(count=f"{count:,}")


def _filled(sentence: str, place: str, spans: Sequence[Span]) -> list[Span]:
    """Fill spans into a sentence; empty spans are dropped, and adjacent texts are joined."""
    before, _, after = sentence.partition(place)
    joined: list[Span] = []
    for span in [Span("text", before), *spans, Span("text", after)]:
        if joined and joined[-1].kind == span.kind == "text":
            joined[-1] = Span("text", joined[-1].text + span.text)
        elif span.text:
            joined.append(span)
    return joined
