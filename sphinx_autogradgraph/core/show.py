"""Words of the option ``show``, and how they are read."""

from __future__ import annotations

from typing import Literal, TypeVar, get_args

from sphinx_autogradgraph.core.messages import MessageError

W = TypeVar("W", bound=str)

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


def parse_show(text: str) -> tuple[Show, ...]:
    """Parse words of :data:`.SHOW`."""
    return known_words(text, SHOW)


def known_words(text: str, known: tuple[W, ...]) -> tuple[W, ...]:
    """Parse known words, separated by spaces or commas; return each once."""
    by_text: dict[str, W] = {word: word for word in known}
    words = text.replace(",", " ").split()
    for word in words:
        if word not in by_text:
            values = {"word": repr(word), "choices": ", ".join(known)}
            raise MessageError("there is no {word}; choose from {choices}", values)
    return tuple(by_text[word] for word in dict.fromkeys(words))
