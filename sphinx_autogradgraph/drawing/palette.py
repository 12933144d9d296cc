"""The light colours of the style sheet, for forms that have none: DOT, PDF."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """Fill and outline of a kind of box."""

    fill: str
    stroke: str


TEXT, MUTED, EDGE, GRADIENT = "#1f2328", "#57606a", "#6e7781", "#9a3412"

BOXES = {
    "leaf": Colours("#dbeafe", "#1d5fbf"),
    "function": Colours("#f6f8fa", "#767f89"),
    "input": Colours("#f6f8fa", "#767f89"),
    "output": Colours("#dcf5e0", "#1a7f37"),
}

WORDS = {
    "order": TEXT,
    "op": MUTED,
    "call": TEXT,
    "name": TEXT,
    "meta": MUTED,
    "gradient": GRADIENT,
}
"""The colour of each role of a word; an operation's is muted."""
