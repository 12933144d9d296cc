"""The chain rule in words: formulas of nodes, gradients of edges, sums of gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.graph.model import Edge, EdgeGradient, Flags, Graph, Node, Values
from sphinx_autogradgraph.render.text import norm_text, shape_text_of, value_text

SHORT = 26
"""Maximum number of characters of the values on an edge."""

MAX_SUM = 44
"""Maximum number of characters of a sum; a longer one is given as a count."""


@dataclass(frozen=True)
class ChainRule:
    """Texts about the gradients of a graph, in the language of ``translate``."""

    graph: Graph
    translate: Translate = untranslated

    def formulas(self, node: Node) -> Iterator[str]:
        """Yield the formula of the gradient for each input of a node: «→ w: X.T @ grad»."""
        for rule in node.derivatives or ():
            yield f"→{self._input_name(node, rule.input)}: {rule.formula}"

    def origins(self, node: Node) -> Iterator[str]:
        """Explain the names that formulas take from torch: «self: what SubBackward0 made»."""
        roles = {
            role: None
            for rule in node.derivatives or ()
            for name, role in rule.names.items()
            if name == role
        }
        for saved in node.saved or ():
            if saved.role in roles and saved.node is not None:
                text = self.translate("{name}: what {operation} made")
                made = self.graph.nodes[saved.node]
                if made.kind in ("function", "module") and made.op:
                    yield text.format(name=saved.role, operation=made.op)

    def _input_name(self, node: Node, input: int) -> str:
        for edge in self.graph.inputs_of.get(node.id, ()):
            if edge.input == input:
                name = self._name_of(edge)
                return f" {name}" if name else ""
        return ""

    def _name_of(self, edge: Edge) -> str | None:
        made = self.graph.nodes[edge.from_]
        return made.outputs[edge.output].name if len(made.outputs) > 1 else made.name

    def sum_of(self, node: Node) -> str | None:
        """Return the sum of gradients of a tensor that is used more than once: «Σ −6 + 4 = −2»."""
        if node.gradient is None or len(node.outputs) != 1:
            return None
        parts: list[Values] = [
            edge.gradient.values if edge.gradient else None
            for edge in self.graph.users_of.get(node.id, ())
        ]
        parts += [1.0] * sum(output.node == node.id for output in self.graph.outputs)
        if len(parts) < 2:
            return None
        if None not in parts and isinstance(node.gradient.values, float):
            total = signed(node.gradient.values)
            text = f"Σ {' + '.join(map(signed, parts)).replace('+ −', '− ')} = {total}"
            if len(text) <= MAX_SUM:
                return text
        return self.translate("Σ of {count}").format(count=len(parts))

    def carried(self, gradient: EdgeGradient) -> str:
        """Return the gradient on an edge: its values where they are short, else shape and norm."""
        if gradient.values is not None and len(value_text(gradient.values)) <= SHORT:
            return signed(gradient.values)
        return f"{shape_text_of(gradient.shape)} {norm_text(gradient, self.translate)}"

    def seed(self, index: int) -> str:
        """Return the text of the gradient with which backward begins at an output."""
        shape = self.graph.tensor(self.graph.outputs[index]).shape
        return "1" if not shape else self.translate("ones {shape}").format(shape=tuple(shape))


def signed(values: Values) -> str:
    """Return values as text, with the minus sign that is as wide as a plus."""
    return value_text(values).replace("-", "−")


def flags_text(flags: Flags) -> list[str]:
    """Return the four autograd flags of a tensor: «is_leaf=True», «requires_grad=True» …"""
    grad = "None" if flags.grad is None else shape_text_of(flags.grad)
    return [
        f"is_leaf={flags.is_leaf}",
        f"requires_grad={flags.requires_grad}",
        f"retains_grad={flags.retains_grad}",
        f"grad={grad}",
    ]
