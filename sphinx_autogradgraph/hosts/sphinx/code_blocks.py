"""Python blocks of a page: their code, and the source of each of their lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from docutils import nodes
from sphinx import addnodes

from sphinx_autogradgraph.hosts.sphinx.docstrings import lines_at
from sphinx_autogradgraph.hosts.sphinx.gallery import GalleryScript, is_gallery_page
from sphinx_autogradgraph.program.fences import SKIP
from sphinx_autogradgraph.program.notebook_cells import is_python, python_of
from sphinx_autogradgraph.program.program import Block, display_path
from sphinx_autogradgraph.program.source_lines import line_of_code, lines_of_part, source_lines

Line = tuple[str, int]
"""A line of the author's text: its file as displayed, and its number from 1."""


@dataclass
class Shown:
    """A block of Python that the page shows.

    ``lines`` holds the line of the author's text for each shown line.  ``block`` is the code to
    run, None for a block that is left out.
    """

    node: nodes.Element
    lines: Sequence[Line]
    block: Block | None = None
    prefix: str = field(default="")

    def link(self, index: int) -> str:
        """Return the id of the line with that index, and put it on the line."""
        arguments: dict[str, Any] = self.node.setdefault("highlight_args", {})
        # Pygments numbers the ids from the first line number that it shows.
        arguments["linespans"] = self.prefix
        return f"{self.prefix}-{arguments.get('linenostart', 1) + index}"


def python_blocks(
    document: nodes.document, default_language: str, root: str
) -> Iterator[Shown | nodes.Node]:
    """Yield the Python blocks of a page in order, and between them every other node.

    ``default_language`` is ``highlight_language`` of ``conf.py``; files are named from ``root``.
    """
    language = default_language
    script = GalleryScript(document) if is_gallery_page(document) else None
    for node in document.findall():
        if script is not None and isinstance(node, nodes.comment):
            script.pass_comment(node)
        if isinstance(node, addnodes.highlightlang):
            language = node["lang"]
        elif isinstance(node, nodes.doctest_block) or (
            isinstance(node, nodes.literal_block) and _is_python(node, language)
        ):
            shown = _shown(node, root)
            if _is_skipped(node) or (script is not None and not script.has(node)):
                shown.block = None
            yield shown
        else:
            yield node


def _is_python(node: nodes.literal_block, default_language: str) -> bool:
    if "language" in node:
        return is_python(node["language"])
    return is_python(default_language) or str(node.get("source", "")).endswith(".py")


def _is_skipped(node: nodes.Node) -> bool:
    at: nodes.Node | None = node
    while at is not None:
        if isinstance(at, nodes.Element) and SKIP in at["classes"]:
            return True
        at = at.parent
    return False


def _shown(node: nodes.Element, root: str) -> Shown:
    text = node.astext().rstrip("\n")
    code = python_of(text)
    included = node.get("source")
    if included:  # by literalinclude
        lines = lines_of_part(text, source_lines(included))
        if lines is not None:
            file = display_path(included, root)
            shown = [(file, line) for line in lines]
            return Shown(node, shown, Block(_spread(code, lines), file, included, lines[0]))
    path = node.source or str(node.document["source"] if node.document else "")
    file = display_path(path, root)
    start = node.line or 1
    first = line_of_code(text, lines_at(path), start) or start
    return Shown(node, lines_from(file, first, text), Block(code, file, path, first))


def lines_from(file: str, first: int, text: str) -> list[Line]:
    """Return the lines of a text that stands in one piece in a file."""
    return [(file, first + offset) for offset in range(text.count("\n") + 1)]


def _spread(code: str, lines: Sequence[int]) -> str:
    """Add blank lines for left out lines of the file, so that each line keeps its number."""
    spread = [""] * (lines[-1] - lines[0] + 1)
    for line, text in zip(lines, code.split("\n"), strict=True):
        spread[line - lines[0]] = text
    return "\n".join(spread)
