"""Syntax tree of mystmd, as JSON has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]

MARKER = "autogradgraph"
"""Type of the nodes that directives leave for the transform."""


def walk(root: Node) -> Iterator[tuple[Node, Node]]:
    """Yield the nodes of a page in their order, each with its parent."""
    stack = [(child, root) for child in reversed(root.get("children") or ())]
    while stack:
        node, parent = stack.pop()
        yield node, parent
        stack += [(child, node) for child in reversed(node.get("children") or ())]
