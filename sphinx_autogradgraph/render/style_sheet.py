"""Style sheet of drawings, which is a part of that of pages."""

from __future__ import annotations

import re
from importlib.resources import files


def style_sheet(*, page: bool = False) -> str:
    """Return the rules for drawings from the style sheet of pages, without those for its script.

    With ``page``, drawings are light or dark as the page around them is.  The rules have no blank
    line between them, because HTML in Markdown would end there.
    """
    sheet = files("sphinx_autogradgraph") / "static" / "autogradgraph.css"
    _, drawing, in_page, _ = _PART.split(sheet.read_text("utf-8"))
    return drawing + in_page if page else drawing


_PART = re.compile(r"/\* === \w+ === \*/\n")
"""Heading of a part of the style sheet: drawing, page, controls."""
