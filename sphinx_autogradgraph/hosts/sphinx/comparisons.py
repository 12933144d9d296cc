"""Snapshots of a Sphinx project, and the result of comparing each figure with its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sphinx_autogradgraph.hosts.sphinx.document_store import Store
from sphinx_autogradgraph.hosts.sphinx.translation import _

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from sphinx_autogradgraph.snapshots.comparison import SnapshotComparison
    from sphinx_autogradgraph.snapshots.policy import SnapshotPolicy

COMPARISONS: Store[SnapshotComparison] = Store("kept")

ERRORS: Store[bool] = Store("errors")
"""Documents in which docutils found errors."""


def snapshot_policy(app: Sphinx) -> SnapshotPolicy | None:
    """Return the snapshots of a project, None if it keeps none."""
    name = app.config.autogradgraph_snapshots
    if not name:
        return None
    from sphinx_autogradgraph.snapshots.policy import SnapshotPolicy

    return SnapshotPolicy(os.path.join(app.confdir, name), name, _, app.srcdir)
