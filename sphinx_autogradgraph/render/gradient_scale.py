"""Scale of gradients: where in a graph they vanish or explode."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.graph.model import Graph, Node

MANY = 10
"""Minimum number of measured gradients of a graph with a scale."""

RANGE = 100.0
"""Minimum ratio of the largest norm to the smallest of a graph with a scale."""

DECADES = 6
"""Number of powers of ten that the scale spans, down from the largest norm."""

STEEP = 10.0
"""Ratio of neighbouring norms from which a gradient vanishes or explodes there."""


@dataclass(frozen=True)
class GradientScale:
    """Logarithmic scale of the norms of gradients in a graph; ``largest`` is its upper end."""

    graph: Graph
    largest: float

    @classmethod
    def of(cls, graph: Graph) -> GradientScale | None:
        """Return the scale of a graph whose norms differ much; None where all are alike."""
        norms = [norm for node in graph.nodes if (norm := _norm(node))]
        if len(norms) < MANY or max(norms) < RANGE * min(norms):
            return None
        return cls(graph, max(norms))

    def sentence(self, translate: Translate = untranslated) -> str:
        """Return what the bars and ratios of a drawing mean."""
        text = translate(
            "Bars: norms of gradients on a logarithmic scale, full at {largest}, empty at a "
            "millionth of that; × is the ratio to the gradient that it was made from."
        )
        return text.format(largest=f"{self.largest:g}")

    def level(self, node: Node) -> float | None:
        """Return where the gradient of a node is on the scale, from 0 to 1; None without one."""
        norm = _norm(node)
        if norm is None:
            return None
        if norm == 0:
            return 0.0
        return max(0.0, round(1 + math.log10(norm / self.largest) / DECADES, 2))

    def ratio_text(self, node: Node) -> str:
        """Return the ratio of a norm to that of the one node from which the gradient came.

        «× 0.27», or «▼ × 0.03» where the gradient vanishes; empty without one such node.
        """
        users = {edge.to for edge in self.graph.users_of.get(node.id, ())}
        norm = _norm(node)
        before = _only(_norm(self.graph.nodes[user]) for user in users)
        if norm is None or not before:
            return ""
        ratio = norm / before
        sign = "▼ " if ratio <= 1 / STEEP else "▲ " if ratio >= STEEP else ""
        return f"{sign}× {ratio:.2g}"


def _only(norms: Iterable[float | None]) -> float | None:
    """Return the only one of the norms; None if there are several."""
    found = list(norms)
    return found[0] if len(found) == 1 else None


def _norm(node: Node) -> float | None:
    return None if node.gradient is None else node.gradient.norm
