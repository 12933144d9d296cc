"""``autogradgraph check`` and ``update``, of a Sphinx project or a Markdown site."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from sphinx_autogradgraph.figures.report_files import write_report
from sphinx_autogradgraph.snapshots.part import WHOLE, Part
from sphinx_autogradgraph.snapshots.report import Report


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


def _part_of(options: argparse.Namespace) -> Part:
    part = getattr(options, "shard", WHOLE)
    assert isinstance(part, Part), "the parser made it"
    return part


def _only(options: argparse.Namespace, docs: Path) -> frozenset[str]:
    """Return the names of the pages to update, given by name or file; none means all."""
    found = set()
    for page in getattr(options, "pages", ()):
        path = Path(page)
        if path.is_file() and path.resolve().is_relative_to(docs.resolve()):
            path = path.resolve().relative_to(docs.resolve()).with_suffix("")
        found.add(path.as_posix())
    return frozenset(found)


def _write_report(
    options: argparse.Namespace, report: Report, file_of: Callable[[str], str], language: str
) -> None:
    """Write the files of a report, if a directory for them is given."""
    if options.report is None:
        return

    def place_of(page: str, line: int | None) -> str:
        file = file_of(page).replace(os.sep, "/")
        return file if line is None else f"{file}:{line}"

    write_report(
        report,
        options.report,
        place_of,
        part=_part_of(options),
        mermaid=options.mermaid,
        language=language,
    )


def _markdown_site(options: argparse.Namespace) -> int:
    """Check or update a site of MkDocs, ProperDocs or Zensical."""
    from sphinx_autogradgraph.hosts.markdown.site_check import NoSiteError, check_site, docs_of

    updates = options.command == "update"
    try:
        docs = docs_of(Path(options.docs).absolute())
        only = _only(options, docs)
        site = check_site(Path(options.docs), options.command, _part_of(options), only)
    except NoSiteError as error:
        print(f"autogradgraph: {error}", file=sys.stderr)
        return 2
    _write_report(options, site.report, site.files.__getitem__, "en")
    if updates:
        for line in site.report.accepted():
            print(line)
        site.report.remove_orphans()
    print(site.report.summary())
    in_sync = site.report.in_sync()
    return int(site.diagnostics > 0 or site.report.failed() or not (updates or in_sync))


def _sphinx_project(options: argparse.Namespace) -> int:
    """Check or update a Sphinx project, with output in temporary directories."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.console import nocolor
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    from sphinx_autogradgraph.hosts.sphinx.attributes import CHECK, UPDATE
    from sphinx_autogradgraph.hosts.sphinx.check_builders import (
        PART_EVENT,
        REPORT_EVENT,
        UpdateBuilder,
    )

    if not sys.stdout.isatty():
        nocolor()
    updates = options.command == "update"
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
                    buildername=UPDATE if updates else CHECK,
                    confoverrides=defined,
                    status=None,
                    warning=sys.stdout,
                    parallel=options.jobs,
                )
                if isinstance(app.builder, UpdateBuilder):
                    app.builder.only = _only(options, Path(app.srcdir))
                app.connect(REPORT_EVENT, lambda _app, report: reports.append(report))
                app.connect(PART_EVENT, lambda _app: _part_of(options))
                app.build()
        except SphinxError as error:
            print(f"autogradgraph: {error}", file=sys.stderr)
            return 2
    (report,) = reports

    def file_of(docname: str) -> str:
        return str(Path(options.docs, app.env.doc2path(docname, base=False)))

    _write_report(options, report, file_of, app.config.language or "en")
    if updates:
        for line in report.accepted():
            print(line)
    print(report.summary())
    return int(app.statuscode)
