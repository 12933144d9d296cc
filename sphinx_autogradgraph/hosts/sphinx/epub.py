"""EPUB: declare the pages with SVG, and ship a style sheet that e-readers understand.

The manifest of an EPUB has to name the pages with SVG in them (EPUB 3, «manifest properties»), and
Sphinx does not know of the SVG of figures.  E-readers know less of CSS than browsers do.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MANIFEST = "content.opf"
STYLE = "autogradgraph.css"


def setup_epub(app: Sphinx) -> None:
    """Amend the manifest as soon as it is written: no event comes before it is packed."""
    app.connect("builder-inited", _watch)


def _watch(app: Sphinx) -> None:
    builder = app.builder
    if builder.name != "epub" or not hasattr(builder, "build_content"):
        return
    write_manifest = builder.build_content

    def build_content() -> None:
        simplify(Path(app.outdir, "_static", STYLE))
        write_manifest()
        declare_svg(Path(app.outdir))

    builder.build_content = build_content


def simplify(sheet: Path) -> None:
    """Reduce the style sheet to the rules that drawings need, in light colours."""
    from sphinx_autogradgraph.render.style_sheet import style_sheet

    if sheet.is_file():  # the first colour of each pair is the light one
        sheet.write_text(re.sub(r"light-dark\(([^,]+),[^)]+\)", r"\1", style_sheet()), "utf-8")


def declare_svg(directory: Path) -> None:
    """Give pages with SVG the property ``svg`` in the manifest of a directory."""
    manifest = directory / MANIFEST

    def amended(match: re.Match[str]) -> str:
        page = directory / match["href"]
        holds = page.is_file() and "<svg" in page.read_text("utf-8")
        return match[0].replace("<item ", '<item properties="svg" ') if holds else match[0]

    text = manifest.read_text("utf-8")
    item = r'<item (?![^>]*properties=)[^>]*href="(?P<href>[^"]+\.xhtml)"[^>]*>'
    manifest.write_text(re.sub(item, amended, text), "utf-8")
