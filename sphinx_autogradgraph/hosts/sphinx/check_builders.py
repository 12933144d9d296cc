"""Builders that check and update snapshots: they read every page, and write none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.builders.dummy import DummyBuilder
from sphinx.errors import ConfigError
from sphinx.util import logging

from sphinx_autogradgraph.hosts.sphinx.attributes import CHECK, REQUEST, UPDATE
from sphinx_autogradgraph.hosts.sphinx.comparisons import COMPARISONS, ERRORS, snapshot_policy
from sphinx_autogradgraph.hosts.sphinx.transforms import PAGE_EVENT
from sphinx_autogradgraph.hosts.sphinx.translation import _
from sphinx_autogradgraph.snapshots.part import WHOLE, Part

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

REPORT_EVENT = "autogradgraph-report"
"""Emitted with the :class:`.Report` when a check or an update
has read all documents."""


PART_EVENT = "autogradgraph-part"
"""Emitted to ask for the :class:`.Part` of the pages that a check compares; without an answer
it compares all."""


class CheckBuilder(DummyBuilder):
    """Builder that runs all code and compares the graphs with the snapshots."""

    name = CHECK
    epilog = ""

    def write(self, *args: object, **kwargs: object) -> None:  # type: ignore[misc]
        """Write nothing."""


class UpdateBuilder(CheckBuilder):
    """Builder that runs all code and accepts the graphs as the snapshots.

    ``only`` names the documents that it takes, if it does not take all.
    """

    name = UPDATE
    only: frozenset[str] = frozenset()


def setup_builders(app: Sphinx) -> None:
    """Add the builders, and report when they have read all documents."""
    COMPARISONS.setup(app)
    ERRORS.setup(app)
    app.add_event(REPORT_EVENT)
    app.add_event(PART_EVENT)
    app.add_builder(CheckBuilder)
    app.add_builder(UpdateBuilder)
    app.connect("builder-inited", _demand_snapshots)
    app.connect("env-get-outdated", _all_of_them)
    app.connect("env-before-read-docs", _demand_pages, priority=100)
    app.connect(PAGE_EVENT, _take_figures, priority=100)
    app.connect("env-updated", _report)


def _demand_pages(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Refuse the name of a page that has neither a source nor snapshots."""
    policy = snapshot_policy(app)
    for page in sorted(only_of(app) - env.found_docs):
        if policy is None or not policy.orphans((), page.__eq__):
            raise ConfigError(_("there is no page {page}").format(page=page))


def only_of(app: Sphinx) -> frozenset[str]:
    """Return the documents to update; none means all."""
    return app.builder.only if isinstance(app.builder, UpdateBuilder) else frozenset()


def _take_figures(app: Sphinx, document: nodes.document) -> None:
    """Drop the requests of the figures that an update does not take.

    Their pages are read all the same: Sphinx demands the root document, and numbers figures by
    the documents below it.
    """
    only = only_of(app)
    if only and app.env.docname not in only:
        for figure in document.findall(nodes.figure):
            figure.attributes.pop(REQUEST, None)


def part_of(app: Sphinx) -> Part:
    """Return the part of the pages that this check compares."""
    return app.emit_firstresult(PART_EVENT) or WHOLE


def _demand_snapshots(app: Sphinx) -> None:
    if app.builder.name not in (CHECK, UPDATE):
        return
    if app.config.autogradgraph_execution == "never":
        raise ConfigError(
            _(
                "autogradgraph_execution is 'never': a check runs the code of the pages, so there "
                "is none without"
            )
        )
    if snapshot_policy(app) is None:
        raise ConfigError(
            _("autogradgraph_snapshots is not set in conf.py: there are no snapshots to check")
        )


def _all_of_them(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    return list(env.found_docs) if app.builder.name in (CHECK, UPDATE) else []


def _report(app: Sphinx, env: BuildEnvironment) -> None:
    if app.builder.name not in (CHECK, UPDATE):
        return
    from sphinx_autogradgraph.snapshots.report import Report

    keeper = snapshot_policy(app)
    assert keeper is not None, "a check demands snapshots"
    report = Report.of(COMPARISONS.of(env), keeper, _, part_of(app), ERRORS.of(env), only_of(app))
    app.emit(REPORT_EVENT, report)
    if app.builder.name == UPDATE:
        for line in report.accepted():
            logger.info(line)
        report.remove_orphans()
        app.statuscode = 1 if report.failed() else 0
        return
    for docname, number, subtype, text in report.complaints():
        location = None if docname is None else (docname, number)
        logger.warning(text, location=location, type="autogradgraph", subtype=subtype)
    logger.info(report.summary())
    app.statuscode = 0 if report.in_sync() else 1
