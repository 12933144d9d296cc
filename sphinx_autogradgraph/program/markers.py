"""Markers: pairs of comments in a text, between which graphs are put.

``<!-- autogradgraph tensor="l" -->`` … ``<!-- /autogradgraph -->``; in MDX, where comments are
``{/* autogradgraph tensor="l" */}``, those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.program.fences import (
    Fence,
    commonmark_fences,
    header_options,
    in_list_items,
)

_MARKER = re.compile(
    r"""(?P<indent>\ufeff?[>\s]*)(?:<!--|\{/\*)[ \t]*
    (?P<end>/?)autogradgraph(?P<options>(?:[ \t][^\n]*?)?)(?:-->|\*/\})[ \t]*$""",
    re.VERBOSE,
)
_CODE = 4
"""Indentation from which a line is code, unless it belongs to an item of a list."""


@dataclass(frozen=True)
class Marker:
    """Place for a graph: the lines of its two comments, from 1, and their indentation."""

    line: int
    end: int
    indent: str
    options: Mapping[str, str]


class MarkerError(ValueError):
    """Raised for comments that form no pair, with the line of one of them."""

    def __init__(self, line: int, message: Message) -> None:
        super().__init__(message.sentence())
        self.line = line
        self.message = message


def lines_of_text(text: str) -> list[str]:
    """Split a text into lines, each with its own line ending."""
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$", text)


def markers_and_fences(lines: Sequence[str]) -> list[Marker | Fence]:
    """Return the markers of a text and the fences outside of them, in order.

    ``lines`` have no line endings.

    A comment inside of a fence, of a line or of an indented block of code is text.  Raises
    :exc:`MarkerError`.
    """
    found = list(commonmark_fences(lines))
    inside = {line for _, span in found for line in span}
    items: list[Marker | Fence] = []
    opened: tuple[int, re.Match[str]] | None = None
    for line, match in _comments(lines):
        if line in inside:
            continue
        if match["end"]:
            if opened is None:
                raise MarkerError(line, Message("nothing is open that this comment could close"))
            start, first = opened
            options, rest = header_options(first["options"])
            if rest:
                message = Message('cannot read {text}; write key="value"', {"text": repr(rest)})
                raise MarkerError(start, message)
            items.append(Marker(start, line, first["indent"].lstrip("\ufeff"), options))
            opened = None
        elif opened is not None:
            break
        else:
            opened = line, match
    if opened is not None:
        raise MarkerError(opened[0], Message("no comment /autogradgraph closes this one"))
    spans = [range(item.line, item.end) for item in items if isinstance(item, Marker)]
    taken = set(chain.from_iterable(spans))
    items += [fence for fence, _ in found if fence.line not in taken]
    return sorted(items, key=lambda item: item.line)


def _comments(lines: Sequence[str]) -> Iterator[tuple[int, re.Match[str]]]:
    """Yield the lines that are comments of markers, with their numbers."""
    inside = in_list_items(lines)
    for number, line in enumerate(lines, 1):
        match = _MARKER.match(line)
        if match is not None and (inside[number - 1] or not _is_code(match["indent"])):
            yield number, match


def _is_code(indent: str) -> bool:
    """Whether an indentation is so deep that what follows is code."""
    return len(indent.expandtabs(_CODE).rpartition(">")[2]) >= _CODE
