"""A directive of this documentation: reStructuredText, shown and then as what it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class Example(SphinxDirective):
    """``.. example::`` with reStructuredText as its content."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The content as a block of code, and below it what it makes."""
        text = "\n".join(self.content)
        shown = nodes.literal_block(text, text, language="rst")
        made = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, made)
        return [shown, *made.children]


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive; called by Sphinx."""
    app.add_directive("example", Example)
    return {"parallel_read_safe": True}
