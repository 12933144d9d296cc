"""Reader of the directives and code in the text of a MyST page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sphinx_autogradgraph.program.fences import FIGURE, REFERENCE, SETUP, SKIP, Fence

_START = re.compile(
    r"[ \t>]*(?P<fence>`{3,}|~{3,}|:{3,})[ \t]*(?:\{(?P<name>[\w:-]+)\}|(?P<plain>[\w+-]*))"
    r"[ \t]*(?P<argument>(?![ \t])[^`\n]*)$"
)
_OPTION = re.compile(r"[ \t>]*:(?P<key>[\w-]+):[ \t]*(?P<value>.*)$")
_YAML = re.compile(r"(?P<key>[\w-]+)[ \t]*:[ \t]*(?P<value>.*)$")

CODE = ("code", "code-block", "code-cell")
"""Directives that hold code; their argument is its language."""


def myst_fences(lines: Sequence[str]) -> Iterator[Fence]:
    """Yield the code and figures of a page, also those inside of other directives."""
    at = 0
    while at < len(lines):
        match = _START.match(lines[at])
        if match is None:
            at += 1
            continue
        name = match["name"]
        is_figure = name in (FIGURE, SETUP)
        is_code = name in CODE or (name is None and match["fence"][0] != ":")
        if not is_figure and not is_code:
            at += 1  # what is inside counts
            continue
        end = _end(lines, at, match["fence"])
        read = _figure if is_figure else _code
        yield read(match, lines[at + 1 : end], at + 1)
        at = end + 1


def _end(lines: Sequence[str], start: int, fence: str) -> int:
    for index in range(start + 1, len(lines)):
        text = lines[index].strip(" \t>")
        if len(text) >= len(fence) and not text.strip(fence[0]):
            return index
    return len(lines)


def _options(lines: Sequence[str]) -> tuple[dict[str, str], int]:
    """Return the options at the beginning of a directive, and their number of lines."""
    options: dict[str, str] = {}
    if lines and lines[0].strip() == "---":
        for index, line in enumerate(lines[1:], 1):
            if line.strip() == "---":
                return options, index + 1
            match = _YAML.match(line.strip())
            if match:
                options[match["key"]] = match["value"].strip("'\"")
    for index, line in enumerate(lines):
        match = _OPTION.match(line)
        if match is None:
            return options, index
        options[match["key"]] = match["value"].strip()
    return options, len(lines)


def _figure(match: re.Match[str], lines: Sequence[str], line: int) -> Fence:
    options, taken = _options(lines)
    options.pop("form", None)
    if match["argument"].strip() and match["name"] == FIGURE:
        options[REFERENCE] = match["argument"].strip()
    return Fence.of(match["name"], options, "\n".join(lines[taken:]), line=line)


def _code(match: re.Match[str], lines: Sequence[str], line: int) -> Fence:
    if match["name"] is None:
        return Fence.of(match["plain"], {}, "\n".join(lines), line=line)
    options, taken = _options(lines)
    words = f"{options.get('class', '')} {options.get('tags', '')}"
    classes = [SKIP] if SKIP in words else []
    language = match["argument"].strip() or "python"
    return Fence.of(language, {}, "\n".join(lines[taken:]), "", classes, line)
