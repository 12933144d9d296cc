"""Files of a check's report: ``report.md`` for a comment, ``index.html`` with the drawings."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path

from sphinx_autogradgraph.core.atomic_files import write_aside
from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.figures.report_page import page_html, section_html
from sphinx_autogradgraph.graph.matching import Matching
from sphinx_autogradgraph.graph.meaning import meaning_of
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.arrange import arrange
from sphinx_autogradgraph.render.difference import Difference
from sphinx_autogradgraph.render.lettering import printable
from sphinx_autogradgraph.render.mermaid import fits
from sphinx_autogradgraph.render.svg import svg_of
from sphinx_autogradgraph.render.text import alternative, plain, title_of
from sphinx_autogradgraph.snapshots.comparison import SnapshotComparison
from sphinx_autogradgraph.snapshots.part import Part
from sphinx_autogradgraph.snapshots.report import Report
from sphinx_autogradgraph.views.choice import Scope

MARK = "<!-- autogradgraph report -->\n"
"""Last line of each file of a report, by which it is known as one that may be overwritten."""

MAX_COMMENT = 60_000
"""Maximum number of characters of ``report.md``: GitHub's comments have at most 65,536."""

SCOPE = Scope(limit=100)
"""Scope of the drawings before and after: larger ones fold."""


@dataclass(frozen=True)
class Entry:
    """Entry of the report for a figure that is not in sync, with the place of its directive."""

    place: str
    file: str
    comparison: SnapshotComparison
    report: Report
    prefix: str

    @cached_property
    def matching(self) -> Matching | None:
        """The matching of the nodes before and after; None unless there are both graphs."""
        before, after = self.comparison.before, self.comparison.after
        return None if before is None or after is None else Matching(before, after)

    @cached_property
    def difference(self) -> Difference | None:
        """The drawing of both graphs; None unless there are both."""
        if self.matching is None:
            return None
        return Difference(self.matching, self.report.translate)

    @property
    def words(self) -> list[str]:
        """Lines on how the graphs differ, or why there is nothing to compare."""
        _ = self.report.translate
        if self.comparison.status == "missing":
            return [_("there is no snapshot {file}").format(file=self.file)]
        return [printable(line) for line in self.comparison.words]

    @property
    def meaning(self) -> list[str]:
        """Sentences on the meaning of the differences, with names in backquotes."""
        if self.matching is None:
            return []
        _ = self.report.translate
        return [printable(text.sentence(_)) for text in meaning_of(self.matching)]

    def drawings(self) -> Iterator[tuple[str, str]]:
        """Yield the title and SVG of each drawing: both graphs in one, before, after."""
        _, comparison = self.report.translate, self.comparison
        if self.difference is not None and comparison.after is not None:
            svg = self.difference.svg(
                prefix=f"{self.prefix}-both",
                title=self._title(comparison.after),
                description=" ".join([*self.words, *self.meaning]),
            )
            yield _("Both in one"), svg
        if comparison.before is not None:
            yield _("Before"), self._svg(comparison.before, "before")
        if comparison.after is not None:
            yield _("After"), self._svg(comparison.after, "after")

    def _title(self, graph: Graph) -> str:
        return plain(title_of(graph, self.report.translate))

    def _svg(self, graph: Graph, which: str) -> str:
        arranged = arrange(graph, SCOPE, translate=self.report.translate)
        return svg_of(
            arranged.diagram,
            arranged.layout,
            prefix=f"{self.prefix}-{which}",
            title=self._title(graph),
            description=alternative(graph, self.report.translate),
        )

    def mermaid(self) -> str | None:
        """Return the drawing of both as Mermaid text, if it is within Mermaid's limits."""
        after = self.comparison.after
        if self.difference is None or after is None:
            return None
        text = self.difference.mermaid(self._title(after), " ".join(self.words))
        return text if fits(self.difference.diagram, text) else None


def write_report(
    report: Report,
    directory: Path,
    place_of: Callable[[str, int | None], str],
    *,
    part: Part,
    mermaid: bool = False,
    language: str = "en",
) -> None:
    """Write the files of a report; raise :exc:`OSError` if that fails.

    A file that is no report is not overwritten: the directory may hold a site of its own.
    ``place_of`` names a page and a line of it as people read it; ``mermaid`` puts drawings into
    ``report.md``, too.
    """
    html_file = directory / f"index{part.suffix}.html"
    text_file = directory / f"report{part.suffix}.md"
    for file in (html_file, text_file):
        _demand_ours(file)
    entries = [
        Entry(
            place_of(page, comparison.line),
            report.policy.display(comparison.path),
            comparison,
            report,
            f"d{number}",
        )
        for number, (page, comparison) in enumerate(report.entries, 1)
        if comparison.status != "same"
    ]
    orphans = [report.policy.display(path) for path in report.orphans]
    html = page_html(
        report.summary(),
        [(entry.place, entry.file, entry.prefix) for entry in entries],
        [_section(entry) for entry in entries],
        orphans,
        language,
        report.translate,
    )
    write_aside(html_file, (html + MARK).encode())
    text = _markdown(report, entries, orphans, mermaid)
    write_aside(text_file, (text + MARK).encode())


def _demand_ours(file: Path) -> None:
    """Raise :exc:`FileExistsError` for a file that is no report, nor empty, nor missing."""
    if not os.path.lexists(file):
        return
    if file.is_file():  # a pipe would keep us waiting
        data = file.read_bytes()
        if not data or MARK.encode() in data:
            return
    text = Message(
        "{file} is no report of autogradgraph, and is not overwritten; name another directory",
        {"file": str(file)},
    )
    raise FileExistsError(text.sentence())


def _section(entry: Entry) -> str:
    drawings: list[tuple[str, str]] = []
    try:
        drawings += entry.drawings()
    except DiagnosticError as error:  # of a layout: the words are there all the same
        sentence = error.diagnostic.sentence(entry.report.translate)
        drawings.append((entry.report.translate("Both in one"), f"<p>{escape(sentence)}</p>"))
    return section_html(
        entry.prefix,
        entry.place,
        entry.file,
        entry.words,
        entry.meaning,
        drawings,
        entry.report.translate,
    )


def _markdown(report: Report, entries: list[Entry], orphans: list[str], mermaid: bool) -> str:
    """Return the report for a comment: words and, if wanted, Mermaid drawings."""
    _ = report.translate
    parts = [f"## {_('Autograd graphs')}", report.summary()]
    for number, entry in enumerate(entries):
        section = "\n\n".join(_entry_markdown(entry, mermaid))
        if sum(map(len, parts)) + len(section) > MAX_COMMENT:
            more = _("and {count} more").format(count=f"{len(entries) - number:,}")
            parts.append(f"{more}: index.html")
            break
        parts.append(section)
    parts += [
        _("no figure has the snapshot {file}").format(file=_code(file)) for file in orphans[:50]
    ]
    return "\n\n".join(parts) + "\n"


def _entry_markdown(entry: Entry, mermaid: bool) -> Iterator[str]:
    yield f"### {_code(entry.place)} · {_code(entry.file)}"
    text = "\n".join(entry.words)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}text\n{text}\n{fence}"
    if entry.meaning:
        yield "\n".join(f"- {sentence}" for sentence in entry.meaning)
    drawing = entry.mermaid() if mermaid else None
    if drawing is not None:
        signs = entry.report.translate("+ came, − went, ~ changed")
        yield f"<details open><summary>{signs}</summary>"
        yield f"```mermaid\n{drawing}```"
        yield "</details>"


def _code(text: str) -> str:
    """Return the text as a code span."""
    return f"`{printable(text).replace('`', chr(39))}`"
