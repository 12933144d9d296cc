"""The fences in the text of a page.

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
"""The languages of our fences, and the class of Python blocks that are left out."""

_START = re.compile(
    r"""(?P<indent>[>\s]*)(?P<fence>`{3,}|~{3,})[ \t]*
    (?:\.?(?P<language>[\w#.+-]+)(?=[ \t]|$))?[ \t]*
    (?:\{(?P<attributes>[^\n]*)\}|(?P<options>(?:[^`"'\n]|"[^"\n]*"|'[^'\n]*')*))[ \t]*$""",
    re.VERBOSE,
)
_ANY_START = re.compile(r"(?P<indent>[>\s]*)(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})(?P<info>[^\n]*)$")
_ITEM = re.compile(r"[>\s]*(?:[-*+]|\d+[.)])[ \t]")
"""The beginning of an item of a list."""

_OPTION = re.compile(
    r"""(?P<key>[a-zA-Z][\w-]*)(?:=(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>\S+)))?"""
    r"""|\#(?P<id>[\w-]+)|\.(?P<class>[\w.+-]+)"""
)
_PLAIN = re.compile(r"""(?:[ \t]*[a-zA-Z][a-zA-Z0-9_]*(?:="[^"]*"|='[^']*')?(?=[ \t]|$))*""")
"""What SuperFences takes for a header without braces."""


@dataclass(frozen=True)
class Fence:
    """A fence: its language, what its header says, and its text.  ``line`` is its first, from 1;
    ``header`` is what SuperFences does not understand of its header, and then shows it as code."""

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
        """A fence from what SuperFences, or who reads like it, has found in its header.

        An option without a value has its own name as its value there; a header without braces
        cannot have hyphens, which stand as underscores.
        """
        values = {
            key.replace("_", "-"): "" if value == key else value for key, value in options.items()
        }
        return cls(language, values, body.strip("\n").rstrip(), id, tuple(classes), line)

    @property
    def runs(self) -> bool:
        """Whether it is a block of the page's program."""
        return self.language == SETUP or (is_python(self.language) and SKIP not in self.classes)


def fences(lines: Sequence[str]) -> Iterator[Fence]:
    """Yield the fences of a page in order; one inside of another is none."""
    at = 0
    while at < len(lines):
        match = _START.match(lines[at].rstrip("\r"))
        end = None if match is None else _end(lines, at, match["indent"], match["fence"])
        if match is None or end is None:
            at += 1
            continue
        body = [_within(line, match["indent"]) for line in lines[at + 1 : end]]
        yield _fence(match, "\n".join(body), at + 1)
        at = end + 1


def commonmark_fences(lines: Sequence[str]) -> Iterator[tuple[Fence, range]]:
    """Yield the fences of a text as CommonMark has them, each with its lines, from 1.

    Unlike in SuperFences what closes a fence may be longer than what opened it, any header will do,
    and what is never closed ends with the text, the quotation or the item of a list.
    """
    at = 0
    while at < len(lines):
        match = _ANY_START.match(lines[at].rstrip("\r"))
        if match is None:
            at += 1
            continue
        indent = match["indent"]
        end, closed = _commonmark_end(lines, at, indent, match["fence"])
        body = "\n".join(_outdented(line, indent) for line in lines[at + 1 : end])
        read = _START.match(lines[at].rstrip("\r"))
        language = match["info"].strip().partition(" ")[0]
        fence = Fence.of(language, {}, body, line=at + 1)
        if read is not None:
            fence = _fence(read, body, at + 1)
        yield fence, range(at + 1, end + 1 + closed)
        at = end + closed


def _commonmark_end(lines: Sequence[str], start: int, indent: str, fence: str) -> tuple[int, bool]:
    """The index of the line that ends a fence, and whether it belongs to the fence."""
    quoted, in_item = indent.count(">"), in_list_item(lines, start, indent)
    for index in range(start + 1, len(lines)):
        line = lines[index].rstrip()
        text = line.lstrip(" \t>")
        before = line[: len(line) - len(text)]
        if before.count(">") < quoted or (text and in_item and len(before) < len(indent)):
            return index, False
        if len(text) >= len(fence) and not text.strip(fence[0]):
            return index, True
    return len(lines), False


def in_list_item(lines: Sequence[str], index: int, indent: str) -> bool:
    """Whether the line of that index, which is indented so, belongs to an item of a list."""
    for line in reversed(lines[:index]):
        before = len(line) - len(line.lstrip(" \t>"))
        if line.strip(" \t>") and before < len(indent):
            return _ITEM.match(line) is not None
    return False


def _outdented(line: str, indent: str) -> str:
    """A line inside of a fence, without as much of what is before it as the fence has."""
    kept = line.lstrip(" \t>")
    before = min(len(indent), len(line) - len(kept))
    return line[before:].rstrip("\r")


def header_options(text: str) -> tuple[dict[str, str], str]:
    """The options ``key="value"`` in a text, and what else stands there."""
    options: dict[str, str] = {}

    def take(found: re.Match[str]) -> str:
        if found["key"] is None:
            return found[0]
        options[found["key"]] = found["double"] or found["single"] or found["bare"] or ""
        return ""

    return options, _OPTION.sub(take, text).strip()


def _end(lines: Sequence[str], start: int, indent: str, fence: str) -> int | None:
    """The index of the line that closes a fence; None if the text outside goes on before that."""
    for index in range(start + 1, len(lines)):
        line = lines[index].rstrip()
        if line and line[: len(indent)].strip(" \t>"):
            return None
        if line[len(indent) :] == fence:
            return index
    return None


def _within(line: str, indent: str) -> str:
    """A line inside of a fence, without what is before each of them."""
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
