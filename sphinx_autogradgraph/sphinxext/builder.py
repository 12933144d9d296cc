"""The builders that check and update snapshots: they read every page, and write none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.builders.dummy import DummyBuilder
from sphinx.errors import ConfigError
from sphinx.util import logging

from sphinx_autogradgraph.sphinxext.build import CHECK, UPDATE
from sphinx_autogradgraph.sphinxext.kept import KEPT, Keeper, Kept
from sphinx_autogradgraph.sphinxext.messages import _

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

REPORT_EVENT = "autogradgraph-report"
"""Emitted with the :class:`Report` when a check or an update has read all documents."""


class CheckBuilder(DummyBuilder):
    """Runs everything and compares it with the snapshots."""

    name = CHECK
    epilog = ""

    def write(self, *args: object, **kwargs: object) -> None:  # type: ignore[misc]
        """Write nothing."""


class UpdateBuilder(CheckBuilder):
    """Runs everything and accepts what came out as the snapshots."""

    name = UPDATE


@dataclass(frozen=True)
class Report:
    """How a project's graphs compare with their snapshots.  Entries come with their document."""

    entries: tuple[tuple[str, Kept], ...]
    orphans: tuple[Path, ...]
    keeper: Keeper

    @classmethod
    def of(cls, env: BuildEnvironment, keeper: Keeper) -> Report:
        """The report of a build in which all documents were read."""
        entries = [
            (docname, kept) for docname in sorted(KEPT.of(env)) for kept in KEPT.of(env)[docname]
        ]
        return cls(tuple(entries), tuple(keeper.orphans(env)), keeper)

    def count(self, state: str) -> int:
        """How many figures are in that state."""
        return sum(kept.state == state for _, kept in self.entries)

    def in_sync(self) -> bool:
        """Whether every graph is the one that is kept, and nothing else is kept."""
        return not self.orphans and self.count("same") == len(self.entries)

    def complaints(self) -> Iterator[tuple[str | None, int | None, str, str]]:
        """Document, line, subtype and words of each thing that is not in sync.

        Failures are not among them: those were reported when they happened.
        """
        for docname, kept in self.entries:
            file = self.keeper.display(kept.path)
            if kept.state == "drift":
                head = _("the graph is no longer that of {file}").format(file=file)
                words = "".join(f"\n    {line}" for line in kept.words)
                yield docname, kept.line, "drift", head + words
            elif kept.state == "missing":
                text = _("there is no snapshot {file}").format(file=file)
                yield docname, kept.line, "snapshot", text
        for path in self.orphans:
            text = _("no figure has the snapshot {file}").format(file=self.keeper.display(path))
            yield None, None, "snapshot", text

    def accepted(self) -> Iterator[str]:
        """What an update accepted, in words."""
        for _docname, kept in self.entries:
            file = self.keeper.display(kept.path)
            if kept.state == "missing":
                yield _("new: {file}").format(file=file)
            elif kept.state == "drift":
                lines = "".join(f"\n    {line}" for line in kept.words)
                yield _("changed: {file}").format(file=file) + lines
        for path in self.orphans:
            yield _("removed: {file}").format(file=self.keeper.display(path))

    def summary(self) -> str:
        """The counts, in a sentence."""
        text = _(
            "{count} graphs: {same} as kept, {drift} drifted, {missing} without a snapshot, "
            "{failed} failed; {orphans} snapshots without a figure"
        )
        states = {state: self.count(state) for state in ("same", "drift", "missing", "failed")}
        return text.format(count=len(self.entries), orphans=len(self.orphans), **states)


def setup_builders(app: Sphinx) -> None:
    """Add the builders, and report when they have read all documents."""
    KEPT.setup(app)
    app.add_event(REPORT_EVENT)
    app.add_builder(CheckBuilder)
    app.add_builder(UpdateBuilder)
    app.connect("builder-inited", _demand_snapshots)
    app.connect("env-get-outdated", _all_of_them)
    app.connect("env-updated", _report)


def _demand_snapshots(app: Sphinx) -> None:
    if app.builder.name in (CHECK, UPDATE) and Keeper.of(app) is None:
        raise ConfigError(
            _("autogradgraph_snapshots is not set in conf.py: there are no snapshots to check")
        )


def _all_of_them(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    return list(env.found_docs) if app.builder.name in (CHECK, UPDATE) else []


def _report(app: Sphinx, env: BuildEnvironment) -> None:
    keeper = Keeper.of(app)
    if app.builder.name not in (CHECK, UPDATE) or keeper is None:
        return
    report = Report.of(env, keeper)
    app.emit(REPORT_EVENT, report)
    if app.builder.name == UPDATE:
        for line in report.accepted():
            logger.info(line)
        for path in report.orphans:
            path.unlink(missing_ok=True)
        app.statuscode = 1 if report.count("failed") else 0
        return
    for docname, number, subtype, text in report.complaints():
        location = None if docname is None else (docname, number)
        logger.warning(text, location=location, type="autogradgraph", subtype=subtype)
    logger.info(report.summary())
    app.statuscode = 0 if report.in_sync() else 1
