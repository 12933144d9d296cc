"""Check and update of a Markdown site's snapshots, without converting its pages."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sphinx_autogradgraph.core.messages import not_utf8
from sphinx_autogradgraph.figures.stage_times import StageTimes
from sphinx_autogradgraph.hosts.markdown.converters import (
    MYST,
    PROJECT_FILES,
    PageHost,
    pages_below,
    project_root,
)
from sphinx_autogradgraph.hosts.markdown.markdown_page import MarkdownPage
from sphinx_autogradgraph.hosts.markdown.site import MarkdownSite, logger
from sphinx_autogradgraph.hosts.myst.myst_text import MystTextPage
from sphinx_autogradgraph.program.program import display_path
from sphinx_autogradgraph.program.source_lines import split_lines
from sphinx_autogradgraph.snapshots.comparison import SnapshotComparison
from sphinx_autogradgraph.snapshots.part import WHOLE, Part
from sphinx_autogradgraph.snapshots.policy import Purpose
from sphinx_autogradgraph.snapshots.report import Report


class NoSiteError(Exception):
    """Raised for a directory without a Markdown site whose pages can be read and have snapshots."""


@dataclass(frozen=True)
class CheckedSite:
    """The report on a site, the files of its pages, the number of diagnostics, and times."""

    report: Report
    files: Mapping[str, str]
    diagnostics: int
    times: StageTimes


def check_site(
    directory: Path, purpose: Purpose, part: Part = WHOLE, without: str | None = None
) -> CheckedSite:
    """Run all code of a site and compare its graphs with their snapshots, or accept them.

    ``directory`` is that of the pages, or of the project.  Faults and what is not in sync are
    printed.  Only pages of the ``part`` are run, and none in the directory ``without``, relative to
    that of the pages.  Raises :exc:`NoSiteError`.
    """
    docs = docs_of(directory.absolute())
    root = project_root(docs)
    is_myst = (root / MYST).is_file()
    page_class: type[MarkdownPage] = MystTextPage if is_myst else MarkdownPage
    files = {
        path.relative_to(root if is_myst else docs).with_suffix("").as_posix(): path
        for path in pages_below(docs, is_myst=is_myst)
        if without is None or not path.is_relative_to(docs / without)
    }
    if not files:
        raise NoSiteError(f"there is no conf.py in {directory}, and no Markdown page")
    site = MarkdownSite(root, purpose, pages=root if is_myst else docs)
    if site.diagnostic is not None:
        raise NoSiteError(site.diagnostic.sentence())
    if site.settings.execution == "never":
        raise NoSiteError(
            "execution is 'never' in [tool.autogradgraph] of pyproject.toml: a check runs the code "
            "of the pages, so there is none without"
        )
    if site.snapshots is None:
        raise NoSiteError(
            "there are no snapshots to check: set snapshots in [tool.autogradgraph] of "
            f"pyproject.toml in {display_path(root, Path.cwd()) or '.'}"
        )
    diagnostics = _Counter()
    logger.addHandler(diagnostics)
    comparisons: dict[str, list[SnapshotComparison]] = {}
    try:
        for name, file in files.items():
            host = PageHost(root, str(file), name, docs)
            drawn = page_class(site, host, lines_of(file, (root, docs)))
            if part.has(name, files):
                drawn.draw()
            else:
                drawn.pass_over()
            comparisons[name] = drawn.comparisons
    finally:
        site.close()
        logger.removeHandler(diagnostics)
    report = Report.of(comparisons, site.snapshots, part=part)
    shown = {name: display_path(file, root) for name, file in files.items()}
    if purpose == "check":
        for page, line, subtype, text in report.complaints():
            place = "" if page is None else f"{shown[page]}:{line}: "
            print(f"{place}WARNING: {text} [autogradgraph.{subtype}]")
    return CheckedSite(report, shown, diagnostics.count, site.times)


class _Counter(logging.StreamHandler):  # type: ignore[type-arg]
    """Handler that prints warnings and counts them."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self.setFormatter(logging.Formatter("%(message)s"))
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        super().emit(record)


def docs_of(directory: Path) -> Path:
    """Return the directory of the pages, if ``directory`` is a project's; else ``directory``."""
    if (directory / MYST).is_file():
        return directory
    for mark in PROJECT_FILES:
        file = directory / mark
        if file.is_file() and mark != "pyproject.toml":
            named = re.search(
                r"""^\s*docs_dir\s*[:=]\s*["']?([^"'#\n]+)""", file.read_text("utf-8"), re.MULTILINE
            )
            return directory / (named[1].strip() if named else "docs")
    return directory


def lines_of(file: Path, places: Sequence[Path]) -> list[str]:
    """Read the lines of a page as converters have them, with front matter blanked, snippets in.

    ``places`` are the directories in which ``pymdownx.snippets`` looks for files.
    """
    try:
        lines = split_lines(file.read_text("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise NoSiteError(not_utf8(str(file), error).sentence()) from None
    if lines and lines[0].rstrip() == "---":
        end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), 0)
        lines[: end + 1] = [""] * (end + 1)
    if not any("-8<-" in line for line in lines):
        return lines
    try:
        from markdown import Markdown
        from pymdownx.snippets import SnippetExtension
    except ImportError:
        return lines
    extension = SnippetExtension(base_path=[str(place) for place in places], check_paths=False)
    (processor,) = (
        item for item in Markdown(extensions=[extension]).preprocessors if "Snippet" in repr(item)
    )
    return list(processor.run(lines))
