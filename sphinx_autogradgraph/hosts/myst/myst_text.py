"""Page of mystmd as a text, for a check without mystmd."""

from __future__ import annotations

from dataclasses import replace

from sphinx_autogradgraph.hosts.markdown.markdown_page import MarkdownPage
from sphinx_autogradgraph.program.fences import Fence
from sphinx_autogradgraph.program.myst_fences import myst_fences
from sphinx_autogradgraph.program.program import Block
from sphinx_autogradgraph.program.source_lines import line_of_code


class MystTextPage(MarkdownPage):
    """A page of mystmd, read from its text."""

    def fences(self) -> list[Fence]:
        """Return its code and its figures."""
        return list(myst_fences(self.lines))

    def _line(self, fence: Fence) -> int:
        """Return the line of a fence, which mystmd gives for all but code cells."""
        return fence.line or (line_of_code(fence.body, self.lines, 1) or 1) - 1

    def _block(self, fence: Fence) -> Block:
        """Return the code of a fence with its place in the file, below a directive's options."""
        block = super()._block(fence)
        line = line_of_code(fence.body, self.lines, max(fence.line, 1))
        return block if line is None else replace(block, line=line)
