"""What boxes and frames say: words with their roles, and how wide they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.graph.model import (
    EXTRAS,
    Edge,
    Extra,
    Fold,
    Gradient,
    Graph,
    Node,
    TensorMeta,
)
from sphinx_autogradgraph.render.chain_rule import ChainRule, flags_text
from sphinx_autogradgraph.render.text import (
    bytes_text,
    norm_text,
    operations_text,
    shape_text,
    step_text,
    times_text,
    value_text,
)

Show = Literal[
    "shape",
    "dtype",
    "device",
    "values",
    "flags",
    "saved",
    "memory",
    "inputs",
    "formulas",
    "gradients",
    "modules",
    "calls",
    "order",
    "legend",
]
SHOW: tuple[Show, ...] = get_args(Show)
"""What can be shown: of the tensors that nodes produce and, if they are small, their values, and of
those that are alive their flags; what nodes saved for backward and its bytes, the tensors that do
not require grad, the formulas of what nodes send back, the gradients that arrived, the modules and
the calls that made nodes, the order in which backward visits them, and a legend."""


def extras_of(show: Collection[str]) -> tuple[Extra, ...]:
    """What a Graph has to hold to be shown so.

    Formulas want what was saved, too: it tells which box ``self`` is.
    """
    wanted = {*show, "saved"} if "formulas" in show else set(show)
    return tuple(extra for extra in EXTRAS if extra in wanted)


META: tuple[Show, ...] = ("shape", "dtype", "device")

FONT_SIZE = 13.0
"""Size of the labels, in the units of the drawing (CSS pixels at 100 %)."""

CLUSTER_FONT_SIZE = 11.0
"""Size of the names of frames."""

CHARACTER = 0.602
"""Width of a character of a monospace font, in its size: that of the widest in use (DejaVu Sans
Mono, Menlo); Courier and Liberation Mono have 0.6, Consolas 0.55."""

MAX_LABEL = 60
"""A word of a label with more characters is cut; its whole is in the tooltip."""

Lines = Literal[1, 2]
"""On how many lines the words of a box stand, besides those that have a line of their own."""

SHORT = 8
"""Words with at most as many letters are not broken."""

CUT = "✂"
"""The sign of a tensor that was cut from the graph."""

Role = Literal["order", "op", "call", "name", "meta", "saved", "gradient", "formula"]
Word = tuple[Role, str]


@dataclass(frozen=True)
class Labels:
    """The words of what is drawn: those of ``show``, in the language of ``translate``."""

    show: tuple[Show, ...]
    translate: Translate = untranslated
    lines: Lines = 1

    def of_node(self, graph: Graph, node: Node, *, twice: bool) -> tuple[list[Word], list[Word]]:
        """What the box of a node says, on its first line and on its second.

        ``twice`` if its name and values stand right beside it.
        """
        if node.fold is not None:
            return self._of_fold(graph, node, node.fold)
        words: list[Word] = [("op", node.op)] if node.kind == "function" else []
        if node.call is not None and "calls" in self.show:
            words.append(("call", node.call))
        if node.kind in ("leaf", "input"):
            words.append(self.name(node.name))
        elif not twice and node.name is not None:
            words.append(("name", node.name))
        metas = [meta.replace(values=None) for meta in node.outputs] if twice else node.outputs
        return words + self.of_tensors(metas), []

    def broken(self, words: Sequence[Word], *below: Sequence[Word]) -> list[Sequence[Word]]:
        """The lines of a box that says ``words`` and, on lines of their own, what is ``below``.

        On two lines, an operation, or else the first word, stands above the others; a few letters
        stay on one.
        """
        letters = sum(len(word) + 1 for _, word in words) - 1
        if self.lines == 1 or len(words) < 2 or letters <= SHORT or any(below[:1]):
            return [words, *below]
        head = [word for word in words if word[0] in ("order", "op")] or words[:1]
        rest = [word for word in words if word not in head]
        if "call" in {role for role, _ in rest}:
            call = [word for word in rest if word[0] == "call"]
            rest = [word for word in rest if word[0] != "call"]
            below = (rest, *below)
            rest = call
        return [head, rest, *below]

    def name(self, name: str | None) -> Word:
        """The name of a tensor, or that it has none."""
        return ("meta", self.translate("unnamed")) if name is None else ("name", name)

    def of_tensors(self, metas: Sequence[TensorMeta]) -> list[Word]:
        """Shape, dtype, device, values; said once, with a count, of tensors that are alike."""
        said: dict[str, int] = {}
        for meta in metas:
            shown = {"shape": shape_text(meta), "dtype": meta.dtype, "device": meta.device}
            texts = [shown[word] or "" for word in META if word in self.show]
            if "values" in self.show and meta.values is not None:
                texts.append(f"= {value_text(meta.values)}")
            text = " ".join(texts).strip()
            if text:
                said[text] = said.get(text, 0) + 1
        texts = [text if count == 1 else f"{count} × {text}" for text, count in said.items()]
        if len(texts) > 3:
            texts = [*texts[:2], "…"]
        return [("meta", ", ".join(texts))] if texts else []

    def of_gradient(self, graph: Graph, node: Node, gradient: Gradient) -> list[Word]:
        """The gradient that arrived: how it adds up, its values if they are wanted, its norm."""
        total = ChainRule(graph, self.translate).sum_of(node)
        parts = ["grad"]
        if total is not None:
            parts.append(total)
        if total is None or "=" not in total:
            if "values" in self.show and gradient.values is not None:
                parts.append(value_text(gradient.values))
            if len(parts) == 1 or gradient.shape != ():  # the norm of one number says no more
                parts.append(norm_text(gradient, self.translate))
        return [("gradient", " ".join(parts))]

    def of_flags(self, node: Node) -> list[list[Word]]:
        """Lines of what the tensor that a node made answers, if it is still there."""
        flags = node.outputs[0].flags if node.outputs and "flags" in self.show else None
        return [] if flags is None else [[("meta", text)] for text in flags_text(flags)]

    def of_formulas(self, graph: Graph, node: Node) -> list[list[Word]]:
        """Lines of what a node sends to each of its inputs, and of what the formulas speak of."""
        if "formulas" not in self.show:
            return []
        rule = ChainRule(graph, self.translate)
        lines: list[list[Word]] = [[("formula", text)] for text in rule.formulas(node)]
        return lines + [[("meta", text)] for text in rule.origins(node)]

    def of_edge(self, graph: Graph, edge: Edge) -> tuple[Word, ...]:
        """What an edge carries in the backward pass, if that is wanted and was measured."""
        if edge.gradient is None or "gradients" not in self.show:
            return ()
        return (("gradient", ChainRule(graph, self.translate).carried(edge.gradient)),)

    def of_seed(self, graph: Graph, index: int) -> tuple[Word, ...]:
        """The gradient that a backward begins with at an output, if gradients were measured."""
        measured = graph.nodes[graph.outputs[index].node].gradient
        if measured is None or "gradients" not in self.show:
            return ()
        return (("gradient", ChainRule(graph, self.translate).seed(index)),)

    def of_arguments(self, node: Node) -> list[Word]:
        """What a function saved that is no tensor, and what is gone: «exponent=2 self freed»."""
        words: list[Word] = []
        for saved in node.saved or ():
            if saved.value is not None and not (saved.role in SCALES and saved.value == 1):
                words.append(("saved", f"{saved.role}={value_text(saved.value)}"))
            elif saved.freed:
                words.append(("saved", self.translate("{name} freed").format(name=saved.role)))
            elif saved.changed:
                text = self.translate("{name} changed in place")
                words.append(("saved", text.format(name=saved.role)))
        return words

    def of_memory(self, node: Node) -> list[Word]:
        """The memory that a node keeps for backward and none before it: «40 B»."""
        return [] if node.saved_bytes is None else [("saved", bytes_text(node.saved_bytes))]

    def of_reason(self, node: Node) -> list[Word]:
        """Why an input does not require grad, where there is more to it than that it is data."""
        reason = node.reason
        if reason is None or (reason.why == "created" and reason.of is None):
            return []
        words = {
            "created": "created",
            "frozen": self.translate("frozen"),
            "detached": self.translate("detached"),
            "no_grad": "no_grad",
            "dtype": "dtype",
        }
        word = words[reason.why]
        return [("meta", word if reason.of is None else f"{CUT} {word}")]

    def saved_as(self, roles: Sequence[str]) -> list[Word]:
        """The names under which functions saved a leaf or an input, if any did."""
        text = self.translate("saved as {names}").format(names=", ".join(roles))
        return [("saved", text)] if roles else []

    def _of_fold(self, graph: Graph, node: Node, fold: Fold) -> tuple[list[Word], list[Word]]:
        used = {
            (edge.from_, edge.output): graph.nodes[edge.from_].outputs[edge.output]
            for edge in graph.inputs_of.get(node.id, ())
            if graph.nodes[edge.from_].kind != "leaf"
        }
        before, after = self.of_tensors(list(used.values())), self.of_tensors(node.outputs)
        operations = operations_text(fold.operations, self.translate)
        if fold.kind == "cut":
            beyond = [operations] if fold.operations else []
            return [("op", " ".join(["⋯", *beyond])), *after], []
        flow: list[Word] = after
        if before and after:
            flow = [("meta", f"{before[0][1]} → {after[0][1]}")]
        words: list[Word] = []
        if fold.kind == "repeats":
            words.append(("name", times_text(fold.times, self.translate)))
            step = step_text(node, self.translate)
            words += [("meta", step)] if step else []
        if node.name is not None:
            words.append(("name", node.name))
        if node.op:
            words.append(("op", node.op))
        if not words:
            return [("op", operations)], flow
        if fold.parameters:
            one, many = self.translate("{count} parameter"), self.translate("{count} parameters")
            text = one if fold.parameters == 1 else many
            operations += ", " + text.format(count=f"{fold.parameters:,}")
        return words, [("meta", f"{operations} ·" if flow else operations), *flow]


SCALES = ("alpha", "beta")
"""Factors that most calls leave at 1, and that are worth no word then."""


def cut(word: str) -> str:
    """The word, shortened if it is too long for a box."""
    return word if len(word) <= MAX_LABEL else f"{word[: MAX_LABEL - 1]}…"


def printable(text: str) -> str:
    """The text on one line, without what XML forbids, what is invisible or what turns the
    direction of writing (which could make a name read as another)."""
    kept = []
    for char in text:
        category = unicodedata.category(char)
        if char.isspace():
            kept.append(" ")
        elif category in ("Cc", "Cs", "Cn", "Co") or char in _BIDI or char in "\ufffe\uffff":
            kept.append("\N{REPLACEMENT CHARACTER}")
        else:
            kept.append(char)
    return "".join(kept)


_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def text_width(text: str) -> float:
    """The width of a text in a monospace font, in its size.

    East Asian wide characters come from another font, where they are 1 em; signs that combine
    with the one before have no width.
    """
    return sum(_character_width(char) for char in text)


def _character_width(char: str) -> float:
    if ord(char) < 256:
        return CHARACTER
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    # Fonts differ on the rest, and a fallback font may be wider: be generous.
    return 0.75 if unicodedata.category(char)[0] == "L" else 0.9
