"""Colours of drawings, for formats without a style sheet: DOT, PDF.

They stand in ``palette.json``, from which the style sheet is made, too: a name is that of a custom
property there, and has its value on light pages, on dark ones, and for readers who have chosen
colours of their own for all pages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

PALETTE: dict[str, tuple[str, str, str]] = json.loads(
    (files("sphinx_autogradgraph") / "render" / "palette.json").read_text("utf-8")
)

LIGHT = {name: light for name, (light, _, _) in PALETTE.items()}


@dataclass(frozen=True)
class Colours:
    """Fill and outline of a kind of box."""

    fill: str
    stroke: str


def _box(kind: str) -> Colours:
    return Colours(LIGHT[f"{kind}-fill"], LIGHT[f"{kind}-stroke"])


TEXT, MUTED, EDGE = LIGHT["text"], LIGHT["muted"], LIGHT["edge"]

BOXES = {kind: _box(kind) for kind in ("leaf", "function", "input", "output", "saved", "module")}
BOXES["base"] = BOXES["output"]
BOXES["cut"] = Colours(LIGHT["background"], LIGHT["input-stroke"])

CLUSTER, CLUSTER_FILL = LIGHT["cluster-stroke"], LIGHT["cluster-fill"]

WORDS = {
    "order": TEXT,
    "op": MUTED,
    "call": TEXT,
    "name": TEXT,
    "meta": MUTED,
    "saved": LIGHT["saved"],
    "gradient": LIGHT["gradient"],
    "formula": LIGHT["gradient"],
}
"""Colour of each role of a word; that of an operation is muted."""
