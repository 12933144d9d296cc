"""Parsers of option values; :exc:`.MessageError` for invalid texts."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Literal, TypeVar, get_args

from sphinx_autogradgraph.core.messages import Message, MessageError
from sphinx_autogradgraph.core.show import known_words
from sphinx_autogradgraph.render.diagram import DIRECTIONS, Direction
from sphinx_autogradgraph.views.choice import FOLDS, FoldWord, fold_words

W = TypeVar("W", bound=str)

TableName = Literal["tensors", "nodes", "parameters"]
TABLES: tuple[TableName, ...] = get_args(TableName)

ALIGN = ("left", "center", "right")
UNITS = ("px", "%", "em", "ex", "rem", "ch", "vw", "vh", "cm", "mm", "in", "pt", "pc", "Q")
"""Units of CSS that a width may have."""


def parse_text(text: str) -> str:
    """Accept any text."""
    return text


def _choice(choices: tuple[W, ...], text: str) -> W:
    for word in choices:
        if text.strip().lower() == word.lower():
            return word
    raise MessageError("choose from {choices}", {"choices": ", ".join(choices)})


def parse_align(text: str) -> str:
    """Parse the alignment of a figure."""
    return _choice(ALIGN, text)


def parse_direction(text: str) -> Direction:
    """Parse the direction in which data flows."""
    return _choice(DIRECTIONS, text)


def parse_width(text: str) -> str:
    """Parse a length of CSS; without a unit it is in pixels."""
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([A-Za-z%]*)\s*", text)
    unit = "px" if match and not match[2] else match[2] if match else ""
    if match is None or unit not in UNITS:
        values = {"units": ", ".join(UNITS)}
        raise MessageError("a length is needed, in one of the units {units}", values)
    return f"{match[1]}{unit}"


def parse_classes(text: str) -> tuple[str, ...]:
    """Parse class names as docutils does: ``Big_Figure`` is ``big-figure``."""
    names = []
    for word in text.split():
        ascii_only = unicodedata.normalize("NFKD", word.lower()).encode("ascii", "ignore").decode()
        name = re.sub(r"^[-0-9]+|-+$", "", re.sub(r"[^a-z0-9]+", "-", ascii_only))
        if not name:
            raise MessageError("{word} makes no class name", {"word": repr(word)})
        names.append(name)
    return tuple(names)


def parse_table(text: str) -> tuple[TableName, ...]:
    """Parse words of :data:`TABLES`."""
    return known_words(text, TABLES)


def parse_depth(text: str) -> int:
    """Parse a depth of modules, from 1."""
    return _whole(text, 1, None, Message("a whole number from 1 is needed"))


def parse_seed(text: str) -> int:
    """Parse a seed that torch accepts."""
    return _whole(text, 0, 2**64 - 1, Message("a whole number from 0 to 2**64 - 1 is needed"))


def _whole(text: str, least: int, most: int | None, otherwise: Message) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least or (most is not None and number > most):
        raise MessageError(otherwise.text)
    return number


def parse_seconds(text: str) -> float:
    """Parse a time in seconds, above 0."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise MessageError("a number of seconds above 0 is needed")
    return seconds


def parse_fold(text: str) -> tuple[FoldWord, ...]:
    """Parse words of :data:`.FOLDS`."""
    words = fold_words(text.replace(",", " ").split())
    if not words:
        raise MessageError("choose from {choices}", {"choices": ", ".join(FOLDS)})
    return words


def parse_named(text: str) -> str:
    """Parse the name of a tensor or a module."""
    if not text.strip():
        raise MessageError("the name of a tensor or a module is needed")
    return text.strip()


def parse_yes_or_no(text: str) -> bool:
    """Parse yes or no; an empty text is yes."""
    word = text.strip().lower()
    if word in ("", "yes", "true"):
        return True
    if word in ("no", "false"):
        return False
    raise MessageError("choose from {choices}", {"choices": "yes, no"})


def parse_exception(text: str) -> str:
    """Parse the name of an exception, with dots."""
    name = text.strip()
    if not all(part.isidentifier() for part in name.split(".")):
        raise MessageError("the name of an exception is needed")
    return name
