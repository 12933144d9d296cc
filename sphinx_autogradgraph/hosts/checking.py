"""``autogradgraph check`` and ``update``, of a Sphinx project or a Markdown site."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx_autogradgraph.core.messages import not_utf8, untranslated
from sphinx_autogradgraph.figures.report_files import write_report
from sphinx_autogradgraph.snapshots.part import WHOLE, Part
from sphinx_autogradgraph.snapshots.report import Report

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def check_or_update(options: argparse.Namespace) -> int:
    """Run the command; return 0 if all is well, 1 if not in sync or failed, 2 for wrong usage."""
    try:
        if Path(options.conf or options.docs, "conf.py").is_file():
            return _sphinx_project(options)
        if not options.conf:
            return _markdown_site(options)
    except OSError as error:  # of the report's
        print(f"autogradgraph: {error}", file=sys.stderr)
        return 1
    print(f"autogradgraph: there is no conf.py in {options.conf}", file=sys.stderr)
    return 2


def _part_of(options: argparse.Namespace, docs: Path) -> Part:
    """Return the part of the pages to take; pages are given by name or file."""
    part = getattr(options, "shard", WHOLE)
    assert isinstance(part, Part), "the parser made it"
    only = set()
    for page in getattr(options, "pages", ()):
        path = Path(page)
        if path.is_file() and path.resolve().is_relative_to(docs.resolve()):
            path = path.resolve().relative_to(docs.resolve()).with_suffix("")
        only.add(path.as_posix())
    return replace(part, only=frozenset(only))


def _report_inside(options: argparse.Namespace, docs: Path) -> str | None:
    """Return the directory of the report, relative to that of the pages, if it lies there.

    Its Markdown is no page: it would move pages from one part of a check to another.
    """
    if options.report is None:
        return None
    report, docs = options.report.resolve(), docs.resolve()
    if report == docs or not report.is_relative_to(docs):
        return None
    return report.relative_to(docs).as_posix()  # type: ignore[no-any-return]


def _tell(
    options: argparse.Namespace,
    report: Report,
    part: Part,
    file_of: Callable[[str], str],
    language: str = "en",
) -> None:
    """Print the conclusion of a report; write its files, if a directory for them is given."""

    def place_of(page: str, line: int | None) -> str:
        file = file_of(page).replace(os.sep, "/")
        return file if line is None else f"{file}:{line}"

    print(*report.conclusion(options.command), sep="\n")
    if options.report is not None:
        write_report(
            report,
            options.report,
            place_of,
            part=part,
            mermaid=options.mermaid,
            language=language,
        )


def _markdown_site(options: argparse.Namespace) -> int:
    """Check or update a site of MkDocs, ProperDocs or Zensical."""
    from sphinx_autogradgraph.hosts.markdown.site_check import NoSiteError, check_site, docs_of

    try:
        docs = docs_of(Path(options.docs).absolute())
        part = _part_of(options, docs)
        site = check_site(Path(options.docs), options.command, part, _report_inside(options, docs))
    except NoSiteError as error:
        print(f"autogradgraph: {error}", file=sys.stderr)
        return 2
    status = site.report.conclude(options.command)
    if options.verbose:
        print(*site.times.lines(untranslated), sep="\n")
    _tell(options, site.report, part, site.files.__getitem__)
    return status or int(site.diagnostics > 0)


def _build(app: Sphinx) -> None:
    """Build; raise :exc:`SphinxError` for a page not in UTF-8, which Sphinx does not name."""
    from sphinx.errors import SphinxError

    try:
        app.build()
    except UnicodeDecodeError as error:
        file = os.path.relpath(app.env.doc2path(app.env.docname))
        raise SphinxError(not_utf8(file, error).sentence()) from None


def _sphinx_project(options: argparse.Namespace) -> int:
    """Check or update a Sphinx project, with output in temporary directories."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.console import nocolor
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    from sphinx_autogradgraph.hosts.sphinx.attributes import CHECK, UPDATE
    from sphinx_autogradgraph.hosts.sphinx.check_builders import PART_EVENT, REPORT_EVENT

    if not sys.stdout.isatty():
        nocolor()
    defined = dict(item.partition("=")[::2] for item in options.define)
    conf = options.conf or options.docs
    reports: list[Report] = []
    with tempfile.TemporaryDirectory(prefix="autogradgraph-") as scratch:
        try:
            with patch_docutils(conf), docutils_namespace():
                app = Sphinx(
                    srcdir=options.docs,
                    confdir=conf,
                    outdir=str(Path(scratch, "out")),
                    doctreedir=str(Path(scratch, "doctrees")),
                    buildername=UPDATE if options.command == "update" else CHECK,
                    confoverrides=defined,
                    status=sys.stdout if options.verbose else None,
                    verbosity=int(options.verbose),
                    warning=sys.stdout,
                    parallel=options.jobs,
                )
                inside = _report_inside(options, Path(app.srcdir))
                if inside is not None:
                    app.config.exclude_patterns = [*app.config.exclude_patterns, inside]
                app.connect(REPORT_EVENT, lambda _app, report: reports.append(report))
                part = _part_of(options, Path(app.srcdir))
                app.connect(PART_EVENT, lambda _app: part)
                _build(app)
        except SphinxError as error:
            print(f"autogradgraph: {error}", file=sys.stderr)
            return 2
    (report,) = reports

    def file_of(docname: str) -> str:
        return str(Path(options.docs, app.env.doc2path(docname, base=False)))

    _tell(options, report, part, file_of, app.config.language or "en")
    return int(app.statuscode)
