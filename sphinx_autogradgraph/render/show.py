"""Words of the option ``show``, and the data of a Graph that they need."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

from sphinx_autogradgraph.graph.model import EXTRAS, Extra

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
"""Words of the option ``show``, each for something that a drawing can show.

They stand for: the tensors that nodes produce, their values if they are small, and their flags if
they are alive; what nodes saved for backward, and its bytes; the tensors that do not require grad;
the formulas of gradients, and the gradients that arrived; the modules and the calls that made
nodes; the order in which backward visits nodes; and a legend."""

META: tuple[Show, ...] = ("shape", "dtype", "device")
"""Words for what a label tells of a tensor, in this order."""


def extras_of(show: Collection[str]) -> tuple[Extra, ...]:
    """Return the extra data that a Graph needs for these words of ``show``.

    Formulas want what was saved, too: it tells which box ``self`` is.
    """
    wanted = {*show, "saved"} if "formulas" in show else set(show)
    return tuple(extra for extra in EXTRAS if extra in wanted)
