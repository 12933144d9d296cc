"""Reader of the fences in the text of a page.

SuperFences hands its formatters one fence at a time; a page that is a program, and a check that
converts nothing, need all of them, with their lines.  What is a fence, and what its header says,
is read here as SuperFences reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sphinx_autogradgraph.program.notebook_cells import is_python

FIGURE, SETUP, SKIP = "autogradgraph", "autogradgraph-setup", "autogradgraph-skip"
"""Languages of this package's fences, and the class of Python blocks that are left out."""

REFERENCE = "reference"
"""Option of a fence for the reference, which is the argument of a directive."""

_START = re.compile(
    r"""(?P<indent>[>\s]*)(?P<fence>`{3,}|~{3,})[ \t]*
    (?:\.?(?P<language>[\w#.+-]+)(?=[ \t]|$)[ \t]*)?
    (?:\{(?P<attributes>[^\n]*)\}[ \t]*
    |(?P<options>(?![ \t])(?:[^`"'\n]|"[^"\n]*"|'[^'\n]*')*))$""",
    re.VERBOSE,
)
_ANY_START = re.compile(r"(?P<indent>[>\s]*)(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})(?P<info>[^\n]*)$")
_ITEM = re.compile(r"[>\s]*(?:[-*+]|\d+[.)])[ \t]")
"""Beginning of a list item."""

_OPTION = re.compile(
    r"""(?P<key>[a-zA-Z][\w-]*)(?:=(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>\S+)))?"""
    r"""|\#(?P<id>[\w-]+)|\.(?P<class>[\w.+-]+)"""
)
_PLAIN = re.compile(r"""(?:[ \t]*[a-zA-Z][a-zA-Z0-9_]*(?:="[^"]*"|='[^']*')?(?=[ \t]|$))*""")
"""Header without braces that SuperFences accepts."""


@dataclass(frozen=True)
class Fence:
    """A fence: its language, the options of its header, and its text.

    ``line`` is the number of its first line, from 1.  ``header`` is a header that SuperFences does
    not understand; it then shows the fence as code.
    """

    language: str
    options: Mapping[str, str]
    body: str
    id: str = ""
    classes: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)
    header: str = field(default="", compare=False)

    @classmethod
    def of(
        cls,
        language: str,
        options: Mapping[str, str],
        body: str,
        id: str = "",
        classes: Sequence[str] = (),
        line: int = 0,
    ) -> Fence:
        """Make a fence of the options that SuperFences, or a reader like it, found in its header.

        SuperFences gives an option without a value its own name as value.  Headers without braces
        cannot have hyphens, so underscores stand for them.
        """
        values = {
            key.replace("_", "-"): "" if value == key else value for key, value in options.items()
        }
        return cls(language, values, body.strip("\n").rstrip(), id, tuple(classes), line)

    @property
    def runs(self) -> bool:
        """Whether the fence is a block of the page's program."""
        return self.language == SETUP or (is_python(self.language) and SKIP not in self.classes)


def fences(lines: Sequence[str]) -> Iterator[Fence]:
    """Yield the fences of a page in order, without fences inside of others."""
    at = 0
    closing = _Closing(lines)
    while at < len(lines):
        match = _START.match(lines[at].rstrip("\r"))
        end = None if match is None else closing.after(at, match["indent"], match["fence"])
        if match is None or end is None:
            at += 1
            continue
        body = [_within(line, match["indent"]) for line in lines[at + 1 : end]]
        yield _fence(match, "\n".join(body), at + 1)
        at = end + 1


def commonmark_fences(lines: Sequence[str]) -> Iterator[tuple[Fence, range]]:
    """Yield the fences of a text as CommonMark has them, each with its lines, from 1.

    Unlike in SuperFences, the closing marks may be longer than the opening ones, and any header is
    valid.  A fence that is never closed ends with the text, the quotation or the list item.
    """
    at = 0
    inside = in_list_items(lines)
    while at < len(lines):
        match = _ANY_START.match(lines[at].rstrip("\r"))
        if match is None:
            at += 1
            continue
        indent = match["indent"]
        end, closed = _commonmark_end(lines, at, match, in_item=inside[at])
        body = "\n".join(_outdented(line, indent) for line in lines[at + 1 : end])
        read = _START.match(lines[at].rstrip("\r"))
        language = match["info"].strip().partition(" ")[0]
        fence = Fence.of(language, {}, body, line=at + 1)
        if read is not None:
            fence = _fence(read, body, at + 1)
        yield fence, range(at + 1, end + 1 + closed)
        at = end + closed


def _commonmark_end(
    lines: Sequence[str], start: int, match: re.Match[str], *, in_item: bool
) -> tuple[int, bool]:
    """Return the index of the line that ends a fence, and whether it belongs to the fence."""
    indent, fence = match["indent"], match["fence"]
    quoted = indent.count(">")
    for index in range(start + 1, len(lines)):
        line = lines[index].rstrip()
        text = line.lstrip(" \t>")
        before = line[: len(line) - len(text)]
        if before.count(">") < quoted or (text and in_item and len(before) < len(indent)):
            return index, False
        if len(text) >= len(fence) and not text.strip(fence[0]):
            return index, True
    return len(lines), False


def in_list_items(lines: Sequence[str]) -> list[bool]:
    """Tell of each line whether it belongs to a list item: the last line less indented begins one.

    Empty lines belong to none.
    """
    found = []
    outer: list[tuple[int, bool]] = []  # indentation, and whether it begins an item
    for line in lines:
        text = line.lstrip(" \t>")
        before = len(line) - len(text)
        while text and outer and outer[-1][0] >= before:
            outer.pop()
        found.append(bool(text and outer and outer[-1][1]))
        if text:
            outer.append((before, _ITEM.match(line) is not None))
    return found


def _outdented(line: str, indent: str) -> str:
    """Remove from a line of a fence at most as much indentation as the fence has."""
    kept = line.lstrip(" \t>")
    before = min(len(indent), len(line) - len(kept))
    return line[before:].rstrip("\r")


def header_options(text: str) -> tuple[dict[str, str], str]:
    """Return the options ``key="value"`` of a text, and the rest of the text."""
    options: dict[str, str] = {}

    def take(found: re.Match[str]) -> str:
        if found["key"] is None:
            return found[0]
        options[found["key"]] = found["double"] or found["single"] or found["bare"] or ""
        return ""

    return options, _OPTION.sub(take, text).strip()


class _Closing:
    """Finds the lines that close fences."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        # The line up to which nothing closes fences of that indentation and these marks.
        self._open: dict[tuple[str, str], int] = {}

    def after(self, start: int, indent: str, fence: str) -> int | None:
        """Return the index of the line that closes a fence; None if text outside comes before."""
        if start < self._open.get((indent, fence), 0):
            return None
        for index in range(start + 1, len(self._lines)):
            line = self._lines[index].rstrip()
            if line and line[: len(indent)].strip(" \t>"):
                self._open[indent, fence] = index
                return None
            if line[len(indent) :] == fence:
                return index
        self._open[indent, fence] = len(self._lines)
        return None


def _within(line: str, indent: str) -> str:
    """Remove the indentation of a fence from a line of it."""
    return line[len(indent) :].rstrip("\r")


def _fence(match: re.Match[str], body: str, line: int) -> Fence:
    options: dict[str, str] = {}
    classes: list[str] = []
    id = ""
    for found in _OPTION.finditer(match["attributes"] or match["options"] or ""):
        if found["id"]:
            id = found["id"]
        elif found["class"]:
            classes.append(found["class"])
        else:
            value = found["double"] or found["single"] or found["bare"]
            options[found["key"]] = value if value is not None else ""
    language = match["language"] or (classes.pop(0) if classes else "")
    fence = Fence.of(language, options, body, id, classes, line)
    plain = (match["options"] or "").strip()
    return fence if _PLAIN.fullmatch(plain) else replace(fence, header=plain)
