"""Report of a check or an update: all graphs of a project against their snapshots."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.snapshots.comparison import SnapshotComparison, SnapshotStatus
from sphinx_autogradgraph.snapshots.part import WHOLE, Part
from sphinx_autogradgraph.snapshots.policy import Purpose, SnapshotPolicy


@dataclass(frozen=True)
class Report:
    """Results of comparing a project's graphs with their snapshots; each entry has its page."""

    entries: tuple[tuple[str, SnapshotComparison], ...]
    orphans: tuple[Path, ...]
    policy: SnapshotPolicy
    translate: Translate = untranslated
    erring: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        kept: Mapping[str, Sequence[SnapshotComparison]],
        policy: SnapshotPolicy,
        translate: Translate = untranslated,
        part: Part = WHOLE,
        erring: Collection[str] = (),
    ) -> Report:
        """Make the report on the pages of a project, or on those of a part of it.

        Orphaned snapshots are reported by the first part alone.  A page that is ``erring``, or that
        has a failed figure, may have figures that could not be read: its snapshots are no orphans.
        """
        found = [(page, entry) for page in sorted(kept) for entry in kept[page]]
        failing = {*erring, *(page for page, entry in found if entry.status == "failed")}

        def may_have_orphans(page: str) -> bool:
            return page not in failing and part.may_have(page)

        wanted = (entry for _, entry in found)
        orphans = tuple(policy.orphans(wanted, may_have_orphans) if part.number == 1 else ())
        entries = tuple(item for item in found if item[1].status != "elsewhere")
        return cls(entries, orphans, policy, translate, tuple(sorted(erring)))

    def count(self, status: SnapshotStatus) -> int:
        """Return the number of figures with that status."""
        return sum(kept.status == status for _, kept in self.entries)

    def in_sync(self) -> bool:
        """Whether every graph equals its snapshot, and no snapshot is orphaned."""
        return not self.orphans and not self.erring and self.count("same") == len(self.entries)

    def failed(self) -> bool:
        """Whether an update is incomplete: figures failed, or pages have errors."""
        return bool(self.count("failed") or self.erring)

    def complaints(self) -> Iterator[tuple[str | None, int | None, str, str]]:
        """Yield page, line, subtype and words of each thing that is not in sync.

        Failures are not among them: those were reported when they happened.
        """
        for page, kept in self.entries:
            file = self.policy.display(kept.path)
            if kept.status == "drifted":
                head = self.translate("the graph is no longer that of {file}").format(file=file)
                words = "".join(f"\n    {line}" for line in kept.words)
                yield page, kept.line, "drift", head + words
            elif kept.status == "missing":
                text = self.translate("there is no snapshot {file}").format(file=file)
                yield page, kept.line, "snapshot", text
        for path in self.orphans:
            text = self.translate("no figure has the snapshot {file}")
            yield None, None, "snapshot", text.format(file=self.policy.display(path))

    def conclusion(self, purpose: Purpose) -> Iterator[str]:
        """Yield the lines that end a check or an update: what was accepted, and the counts."""
        if purpose == "update":
            yield from self._accepted()
        yield self.summary()

    def _accepted(self) -> Iterator[str]:
        """Yield a line of text for each change that an update accepted."""
        for _, kept in self.entries:
            file = self.policy.display(kept.path)
            if kept.status == "missing":
                yield self.translate("new: {file}").format(file=file)
            elif kept.status == "drifted":
                lines = "".join(f"\n    {line}" for line in kept.words)
                yield self.translate("changed: {file}").format(file=file) + lines
        for path in self.orphans:
            file = self.policy.display(path)
            yield self.translate("removed: {file}").format(file=file)

    def conclude(self, purpose: Purpose) -> int:
        """Return the exit status of a check or an update, which removes orphaned snapshots."""
        if purpose == "check":
            return int(not self.in_sync())
        for path in self.orphans:
            path.unlink(missing_ok=True)
        return int(self.failed())

    def summary(self) -> str:
        """Return the counts of all statuses as a sentence."""
        text = self.translate(
            "{count} graphs: {same} as kept, {drift} drifted, {missing} without a snapshot, "
            "{failed} failed; {orphans} snapshots without a figure"
        )
        return text.format(
            count=len(self.entries),
            same=self.count("same"),
            drift=self.count("drifted"),
            missing=self.count("missing"),
            failed=self.count("failed"),
            orphans=len(self.orphans),
        )
