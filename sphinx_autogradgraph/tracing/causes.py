"""Causes why tensors do not require grad, as the recorder keeps them."""

from __future__ import annotations

import weakref
from typing import Literal, NamedTuple

import torch

from sphinx_autogradgraph.graph.model import Why

Place = tuple[str, int]
"""A line of the author's code: the path of the file and its number."""


GRADIENT = "grad"
"""The function of causes of gradients that were computed without a graph of their own."""


class Cut(NamedTuple):
    """The origin of a cut tensor: the node of that sequence number and op, or a leaf."""

    number: int
    op: str
    leaf: weakref.ref[torch.Tensor] | None = None


Doubt = Literal["", "numbers", "unrecorded"]
"""What is not known of a tensor that nobody is known to have cut: where its numbers came from, or
how it was made at all."""


class Cause(NamedTuple):
    """The cause why a tensor does not require grad: line and function, and what it was cut from."""

    why: Why
    place: Place | None = None
    of: Cut | None = None
    function: str = ""
    doubt: Doubt = ""

    @property
    def strength(self) -> int:
        """Precedence of the cause: a result inherits that of the operand with the highest."""
        return 2 if self.of is not None else 1 if self.why == "frozen" else 0
