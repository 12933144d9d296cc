"""The light colours of the style sheet, for forms that have none: DOT, PDF."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """Fill and outline of a kind of box."""

    fill: str
    stroke: str


TEXT, MUTED, EDGE, GRADIENT, SAVED = (
    "#1f2328", "#57606a", "#6e7781", "#9a3412", "#6639a6",
)  # fmt: skip

BOXES = {
    "leaf": Colours("#dbeafe", "#1d5fbf"),
    "function": Colours("#f6f8fa", "#767f89"),
    "input": Colours("#f6f8fa", "#767f89"),
    "output": Colours("#dcf5e0", "#1a7f37"),
    "base": Colours("#dcf5e0", "#1a7f37"),
    "saved": Colours("#f5ecff", "#7c4dbf"),
    "module": Colours("#fff4e5", "#9a6700"),
    "cut": Colours("#ffffff", "#767f89"),
}

CLUSTER, CLUSTER_FILL = "#b9a27a", "#fffaf2"

WORDS = {
    "order": TEXT,
    "op": MUTED,
    "call": TEXT,
    "name": TEXT,
    "meta": MUTED,
    "saved": SAVED,
    "gradient": GRADIENT,
}
"""The colour of each role of a word; an operation's is muted."""
