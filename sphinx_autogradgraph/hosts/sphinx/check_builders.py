"""Builders that check and update snapshots: they read every page, and write none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinx.builders.dummy import DummyBuilder
from sphinx.errors import ConfigError
from sphinx.util import logging

from sphinx_autogradgraph.hosts.sphinx.attributes import CHECK, UPDATE
from sphinx_autogradgraph.hosts.sphinx.comparisons import COMPARISONS, ERRORS, snapshot_policy
from sphinx_autogradgraph.hosts.sphinx.translation import _
from sphinx_autogradgraph.snapshots.part import WHOLE, Part

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from sphinx_autogradgraph.snapshots.policy import Purpose

logger = logging.getLogger(__name__)

REPORT_EVENT = "autogradgraph-report"
"""Emitted with the :class:`.Report` when a check or an update has read all documents."""

PART_EVENT = "autogradgraph-part"
"""Emitted to ask for the :class:`.Part` of the pages to take; without an answer it is all."""


class CheckBuilder(DummyBuilder):
    """Builder that runs all code and compares the graphs with the snapshots."""

    name = CHECK
    epilog = ""

    def write(self, *args: object, **kwargs: object) -> None:  # type: ignore[misc]
        """Write nothing."""


class UpdateBuilder(CheckBuilder):
    """Builder that runs all code and accepts the graphs as the snapshots."""

    name = UPDATE


def purpose_of(app: Sphinx) -> Purpose:
    """Return the purpose of a run of Sphinx, by its builder."""
    purposes: dict[str, Purpose] = {CHECK: "check", UPDATE: "update"}
    return purposes.get(app.builder.name, "build")


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
    app.connect("env-updated", _report)


def _demand_pages(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Refuse the name of a page that has neither a source nor snapshots."""
    for page in sorted(part_of(app).only - env.found_docs):
        policy = snapshot_policy(app)
        if policy is None or not policy.orphans((), page.__eq__):
            raise ConfigError(_("there is no page {page}").format(page=page))


def part_of(app: Sphinx) -> Part:
    """Return the part of the pages that this check or update takes.

    The others are read all the same: Sphinx demands the root document, and numbers figures by the
    documents below it.
    """
    return app.emit_firstresult(PART_EVENT) or WHOLE


def _demand_snapshots(app: Sphinx) -> None:
    if purpose_of(app) == "build":
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
    return [] if purpose_of(app) == "build" else list(env.found_docs)


def _report(app: Sphinx, env: BuildEnvironment) -> None:
    purpose = purpose_of(app)
    if purpose == "build":
        return
    from sphinx_autogradgraph.snapshots.report import Report

    policy = snapshot_policy(app)
    assert policy is not None, "a check demands snapshots"
    report = Report.of(COMPARISONS.of(env), policy, _, part_of(app), ERRORS.of(env))
    told = app.emit(REPORT_EVENT, report)
    app.statuscode = report.conclude(purpose)
    for docname, number, subtype, text in report.complaints() if purpose == "check" else ():
        location = None if docname is None else (docname, number)
        logger.warning(text, location=location, type="autogradgraph", subtype=subtype)
    if not told:  # else the command prints it
        for line in report.conclusion(purpose):
            logger.info(line)
