"""HTML page of a report: a single file, light or dark as the reader's system."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from sphinx_autogradgraph.core.messages import Translate
from sphinx_autogradgraph.render.style_sheet import style_sheet

_STYLE = """
:root {
  color-scheme: light dark;
  --removed: light-dark(#b3261e, #ff8b82); --removed-fill: light-dark(#ffebe9, #3d1513);
  --added: light-dark(#1a7f37, #4ac26b); --added-fill: light-dark(#dafbe1, #10331b);
  --changed: light-dark(#8a5a00, #e3b341); --changed-fill: light-dark(#fff1dc, #33260d);
  --line: light-dark(#d0d7de, #3d444d);
}
body {
  font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 80rem; padding: 1rem;
  background: light-dark(#fff, #0d1117); color: light-dark(#1f2328, #e6edf3);
}
a { color: light-dark(#0550ae, #79b8ff); }
code { font: .9em ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: light-dark(#f6f8fa, #161b22); padding: .75rem 1rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); margin-top: 2rem; }
h3 { margin-bottom: .25rem; }
.drawings { display: grid; gap: 1rem; grid-template-columns: repeat(2, minmax(0, 1fr)); }
@media (max-width: 60rem) { .drawings { grid-template-columns: minmax(0, 1fr); } }
.drawings > figure:first-child:nth-last-child(3) { grid-column: 1 / -1; }
.drawings > figure { margin: 0; min-width: 0; }
.autogradgraph-canvas { border: 1px solid var(--line); max-height: none; padding: .5rem; }
.signs { display: flex; flex-wrap: wrap; gap: 1rem; list-style: none; padding: 0; }
.signs span { background: var(--fill); border: 2px solid var(--at); padding: .1rem .6rem; }
.signs .removed { --at: var(--removed); --fill: var(--removed-fill); border-style: dashed; }
.signs .added { --at: var(--added); --fill: var(--added-fill); border-width: 4px; }
.signs .changed { --at: var(--changed); --fill: var(--changed-fill); border-style: dotted; }
.autogradgraph-svg .node.removed > :is(rect, path) {
  fill: var(--removed-fill); stroke: var(--removed); stroke-width: 2; stroke-dasharray: 7 4;
}
.autogradgraph-svg .node.removed text { text-decoration: line-through; }
.autogradgraph-svg .node.added > :is(rect, path) {
  fill: var(--added-fill); stroke: var(--added); stroke-width: 3.5;
}
.autogradgraph-svg .node.changed > :is(rect, path) {
  fill: var(--changed-fill); stroke: var(--changed); stroke-width: 2; stroke-dasharray: 2 3;
}
.autogradgraph-svg .edge.removed path { stroke: var(--removed); stroke-dasharray: 7 4; }
.autogradgraph-svg .edge.added path { stroke: var(--added); stroke-width: 2.5; }
.autogradgraph-svg .edge.removed .head { fill: var(--removed); stroke-dasharray: none; }
.autogradgraph-svg .edge.added .head { fill: var(--added); }
"""


def page_html(
    summary: str,
    contents: Sequence[tuple[str, str, str]],
    sections: Sequence[str],
    orphans: Sequence[str],
    language: str,
    translate: Translate,
) -> str:
    """Return the page of all sections; ``contents`` are the place, the file and the id of each."""
    _ = translate
    name = escape(_("Autograd graphs"))
    links = "\n".join(
        f'<li><a href="#{id}"><code>{escape(place)}</code></a> {escape(file)}</li>'
        for place, file, id in contents
    )
    lost = "\n".join(
        f"<li>{_names(_('no figure has the snapshot {file}').format(file=f'`{file}`'))}</li>"
        for file in orphans
    )
    signs = "\n".join(
        f'<li><span class="{mark}">{escape(text)}</span></li>'
        for mark, text in (
            ("added", _("+ came")), ("removed", _("− went")), ("changed", _("~ changed")),
        )
    )  # fmt: skip
    nav = f'<nav aria-label="{escape(_("Figures"))}"><ul>\n{links}\n</ul></nav>' if links else ""
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{name}</title>\n'
        f"<style>{style_sheet(page=True)}{_STYLE}</style>\n</head>\n<body>\n<header>\n"
        f"<h1>{name}</h1>\n<p>{escape(summary)}</p>\n{nav}\n"
        + (f'<ul class="signs">\n{signs}\n</ul>\n' if sections else "")
        + "</header>\n<main>\n"
        + "\n".join(sections)
        + (f"<ul>\n{lost}\n</ul>\n" if lost else "")
        + "</main>\n</body>\n</html>\n"
    )


def section_html(
    id: str,
    place: str,
    file: str,
    words: Sequence[str],
    meaning: Sequence[str],
    drawings: Sequence[tuple[str, str]],
    translate: Translate,
) -> str:
    """Return the section of one figure; ``drawings`` are pairs of a title and an SVG."""
    _ = translate
    means = ""
    if meaning:
        items = "\n".join(f"<li>{_names(sentence)}</li>" for sentence in meaning)
        means = f"<h3>{escape(_('What it means'))}</h3>\n<ul>\n{items}\n</ul>\n"
    figures = "\n".join(
        f'<figure class="autogradgraph"><figcaption><h3>{escape(name)}</h3></figcaption>\n'
        f'<div class="autogradgraph-canvas" role="region" tabindex="0" '
        f'aria-label="{escape(f"{place}: {name}")}">\n{svg}\n</div></figure>'
        for name, svg in drawings
    )
    text = escape("\n".join(words))
    return (
        f'<section aria-labelledby="{id}">\n<h2 id="{id}"><code>{escape(place)}</code></h2>\n'
        f"<p>{escape(file)}</p>\n<h3>{escape(_('What changed'))}</h3>\n"
        f'<pre tabindex="0">{text}</pre>\n{means}<div class="drawings">\n{figures}\n</div>\n'
        "</section>\n"
    )


def _names(sentence: str) -> str:
    """Return a sentence as HTML, with names in backquotes as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(sentence))
