"""The command ``autogradgraph``.

``autogradgraph check DOCS`` runs the code of a Sphinx project and compares its graphs with their
snapshots; ``autogradgraph update DOCS`` accepts the graphs of today.  Both touch nothing else.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sphinx_autogradgraph import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status: 0 all well, 1 not in sync or failed, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    if not Path(options.conf or options.docs, "conf.py").is_file():
        print(
            f"autogradgraph: there is no conf.py in {options.conf or options.docs}", file=sys.stderr
        )
        return 2
    return _snapshots(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autogradgraph", description="Keep the autograd graphs of documentation in sync."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("check", "run all code and compare its graphs with the snapshots"),
        ("update", "run all code and accept its graphs as the snapshots"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "docs", metavar="DOCS", help="the source directory of the documentation"
        )
        command.add_argument(
            "-c", dest="conf", metavar="DIR", help="where conf.py is, if elsewhere"
        )
        command.add_argument(
            "-j", dest="jobs", metavar="N", type=int, default=1, help="read with N processes"
        )
        command.add_argument(
            "-D", dest="define", metavar="NAME=VALUE", action="append", default=[],
            help="set a value of conf.py",
        )  # fmt: skip
    return parser


def _snapshots(options: argparse.Namespace) -> int:
    """Check or update, by way of Sphinx, in directories that are gone afterwards."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.console import nocolor
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    from sphinx_autogradgraph.sphinxext.build import CHECK, UPDATE
    from sphinx_autogradgraph.sphinxext.builder import REPORT_EVENT, Report

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
                app.connect(REPORT_EVENT, lambda _app, report: reports.append(report))
                app.build()
        except SphinxError as error:
            print(f"autogradgraph: {error}", file=sys.stderr)
            return 2
    (report,) = reports
    if updates:
        for line in report.accepted():
            print(line)
    print(report.summary())
    return int(app.statuscode)
