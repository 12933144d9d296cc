"""Links from boxes to the code that made their nodes, and to documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from sphinx_autogradgraph.render.diagram import Box


@dataclass(frozen=True)
class Link:
    """Link with its address, and a label for assistive tools besides the words that are seen."""

    url: str
    label: str

    def around(self, body: str, kind: str, words: str | None) -> str:
        """Return the body as a link, which assistive tools call by the ``words`` in it.

        Without ``words``, the keyboard skips it: another link beside it leads to the same place.
        """
        called = None if words is None else escape(f"{words}, {self.label}")
        skip = ' tabindex="-1"' if called is None else f' aria-label="{called}"'
        return f'<a class="{kind}" href="{escape(self.url)}"{skip}>{body}</a>'


def shared_link(box: Box, links: Mapping[int, Link]) -> Link | None:
    """Return the link that all nodes of a box share, None if they have several or none."""
    if box.kind not in ("function", "module") or not links:
        return None
    found = {links[node] for node in box.nodes if node in links}
    return found.pop() if len(found) == 1 else None
