"""Words of boxes and frames, with their roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.core.show import Show
from sphinx_autogradgraph.graph.model import Edge, Fold, Gradient, Graph, Node, TensorMeta
from sphinx_autogradgraph.render.chain_rule import ChainRule, flags_text
from sphinx_autogradgraph.render.gradient_scale import GradientScale
from sphinx_autogradgraph.render.operators import call_text
from sphinx_autogradgraph.render.text import (
    bytes_text,
    norm_text,
    operations_text,
    shape_text,
    step_text,
    times_text,
    value_text,
)

Lines = Literal[1, 2]
"""Number of lines for the words of a box, besides words with a line of their own."""

SHORT = 8
"""Maximum number of letters of words that stay on one line."""

NARROW = 30
"""Maximum number of letters of several words on a line of a box that is to be narrow."""

CUT = "✂"
"""Sign of a tensor that was cut from the graph."""

Role = Literal["order", "op", "call", "name", "meta", "saved", "gradient", "formula"]
Word = tuple[Role, str]


@dataclass(frozen=True)
class Labels:
    """Words of a drawing, as ``show`` asks for them, in the language of ``translate``."""

    show: tuple[Show, ...]
    translate: Translate = untranslated
    lines: Lines = 1

    def of_node(self, graph: Graph, node: Node, *, twice: bool) -> tuple[list[Word], list[Word]]:
        """Return the words of a node's box, for its first and for its second line.

        ``twice`` if its name and values stand right beside it.
        """
        if node.fold is not None:
            return self._of_fold(graph, node, node.fold)
        words: list[Word] = [("op", node.op)] if node.kind == "function" else []
        called = call_text(node) if "calls" in self.show else None
        if called is not None:
            words.append(("call", called))
        if node.kind in ("leaf", "input"):
            words.append(self.name(node.name))
        elif not twice and node.name is not None:
            words.append(("name", node.name))
        metas = [meta.replace(values=None) for meta in node.outputs] if twice else node.outputs
        return words + self.of_tensors(metas), []

    def broken(self, words: Sequence[Word], *below: Sequence[Word]) -> list[Sequence[Word]]:
        """Return the lines of a box: ``words`` on one or two, then what is ``below`` on its own.

        On two lines, an operation, or else the first word, stands above the others; a few letters
        stay on one.  What a function saved of its arguments, and what a fold holds, take as many
        lines as keep the box narrow.
        """
        if self.lines == 1:
            return [words, *below]
        if any(below[:1]):
            return [*filled(words), *filled(below[0]), *below[1:]]
        order = [word for word in words if word[0] == "order"]  # never alone
        said = words[len(order) :]
        letters = sum(len(word) + 1 for _, word in said) - 1
        if len(said) < 2 or letters <= SHORT:
            return [words, *below]
        if letters <= 20 and len(words[1][1]) <= 2 == len(words):  # «()» alone would look lost
            return [words, *below]
        head = [word for word in said if word[0] == "op"] or said[:1]
        rest = [word for word in said if word not in head]
        if "call" in {role for role, _ in rest}:
            call = [word for word in rest if word[0] == "call"]
            rest = [word for word in rest if word[0] != "call"]
            below = (rest, *below)
            rest = call
        return [[*order, *head], *filled(rest), *below]

    def name(self, name: str | None) -> Word:
        """Return the name of a tensor, or the word for a tensor without a name."""
        return ("meta", self.translate("unnamed")) if name is None else ("name", name)

    def of_tensors(self, metas: Sequence[TensorMeta]) -> list[Word]:
        """Return shape, dtype, device and values; equal tensors are given once, with a count."""
        said: dict[str, int] = {}
        for meta in metas:
            parts: list[str | None] = []
            if "shape" in self.show:
                parts.append(shape_text(meta))
            if "dtype" in self.show:
                parts.append(meta.dtype)
            if "device" in self.show:
                parts.append(meta.device)
            if "values" in self.show and meta.values is not None:
                parts.append(f"= {value_text(meta.values)}")
            text = " ".join(filter(None, parts))
            if text:
                said[text] = said.get(text, 0) + 1
        texts = [text if count == 1 else f"{count} × {text}" for text, count in said.items()]
        if len(texts) > 3:
            texts = [*texts[:2], "…"]
        return [("meta", ", ".join(texts))] if texts else []

    def of_gradient(
        self, graph: Graph, node: Node, gradient: Gradient, scale: GradientScale | None = None
    ) -> list[Word]:
        """Return the words of the gradient that arrived: sum, values if wanted, norm.

        With a ``scale`` comes the ratio to its neighbour's.
        """
        total = ChainRule(graph, self.translate).sum_of(node)
        parts = ["grad"]
        if total is not None:
            parts.append(total)
        if total is None or "=" not in total:
            if "values" in self.show and gradient.values is not None:
                parts.append(value_text(gradient.values))
            if len(parts) == 1 or gradient.shape != ():  # the norm of one number says no more
                parts.append(norm_text(gradient, self.translate))
        ratio = scale.ratio_text(node) if scale is not None else ""
        return [("gradient", " ".join(filter(None, [*parts, ratio])))]

    def of_flags(self, node: Node) -> list[list[Word]]:
        """Return the flags of the tensor that a node made, if it is still alive."""
        flags = node.outputs[0].flags if node.outputs and "flags" in self.show else None
        if flags is None:
            return []
        texts = flags_text(flags)
        lines = texts if self.lines == 2 else [" ".join(texts[:2]), " ".join(texts[2:])]
        return [[("meta", text)] for text in lines]

    def of_formulas(self, graph: Graph, node: Node) -> list[list[Word]]:
        """Return the formula of the gradient for each input, and the meaning of names in them."""
        if "formulas" not in self.show:
            return []
        rule = ChainRule(graph, self.translate)
        lines: list[list[Word]] = [[("formula", text)] for text in rule.formulas(node)]
        return lines + [[("meta", text)] for text in rule.origins(node)]

    def of_edge(self, graph: Graph, edge: Edge) -> tuple[Word, ...]:
        """Return the gradient on an edge, if it is wanted and was measured."""
        if edge.gradient is None or "gradients" not in self.show:
            return ()
        return (("gradient", ChainRule(graph, self.translate).carried(edge.gradient)),)

    def of_seed(self, graph: Graph, index: int) -> tuple[Word, ...]:
        """Return the gradient with which backward begins at an output, if it was measured."""
        measured = graph.nodes[graph.outputs[index].node].gradient
        if measured is None or "gradients" not in self.show:
            return ()
        return (("gradient", ChainRule(graph, self.translate).seed(index)),)

    def of_arguments(self, node: Node) -> list[Word]:
        """Return saved values that are no tensors, and freed ones: «exponent=2 self freed»."""
        words: list[Word] = []
        for saved in node.saved or ():
            if saved.value is not None and not (saved.role in SCALES and saved.value == 1):
                words.append(("saved", f"{saved.role}={value_text(saved.value)}"))
            elif saved.freed:
                words.append(("saved", self.translate("{name} freed").format(name=saved.role)))
            elif saved.changed:
                text = self.translate("{name} changed in place")
                words.append(("saved", text.format(name=saved.role)))
        # A checkpoint has a dozen; the table of nodes tells them all.
        return words if len(words) <= MAX_ARGUMENTS else [*words[:MAX_ARGUMENTS], ("saved", "…")]

    def of_memory(self, node: Node) -> list[Word]:
        """Return the memory that a node is the first to keep for backward: «40 B»."""
        return [] if node.saved_bytes is None else [("saved", bytes_text(node.saved_bytes))]

    def of_reason(self, node: Node) -> list[Word]:
        """Return why an input does not require grad, unless it is plain data."""
        reason = node.reason
        if reason is None or (reason.why == "created" and reason.of is None):
            return []
        words = {
            "created": "created",
            "frozen": self.translate("frozen"),
            "detached": self.translate("detached"),
            "no_grad": "no_grad",
            "dtype": (node.outputs[0].dtype if "dtype" not in self.show else None) or "dtype",
        }
        word = words[reason.why]
        return [("meta", word if reason.of is None else f"{CUT} {word}")]

    def of_hooks(self, node: Node) -> list[Word]:
        """Return a mark for a node with hooks: the name of the only one, or their number."""
        if not node.hooks:
            return []
        if len(node.hooks) == 1:
            return [("meta", self.translate("hook: {name}").format(name=node.hooks[0]))]
        return [("meta", self.translate("{count} hooks").format(count=len(node.hooks)))]

    def saved_as(self, roles: Sequence[str]) -> list[Word]:
        """Return the names under which functions saved a leaf or an input, if any did."""
        if not roles:
            return []
        return [("saved", self.translate("saved as {names}").format(names=", ".join(roles)))]

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
        letters = sum(len(text) + 3 for _, text in flow) + len(operations)
        if flow and (self.lines == 1 or letters <= NARROW):
            operations += " ·"
        return words, [("meta", operations), *flow]


def filled(words: Sequence[Word]) -> list[list[Word]]:
    """Break words into lines of at most :data:`NARROW` letters, or of one word that is longer."""
    lines: list[list[Word]] = [[]]
    for word in words:
        letters = sum(len(text) + 1 for _, text in [*lines[-1], word]) - 1
        if lines[-1] and letters > NARROW:
            lines.append([])
        lines[-1].append(word)
    return lines


MAX_ARGUMENTS = 3
"""Maximum number of saved values in a box."""

SCALES = ("alpha", "beta")
"""Factors that are left out when they are 1, as in most calls."""
