"""The pytest plugin: ``assert_graph`` and the flag that accepts the graphs of today.

pytest loads this module with every suite of an environment that has the package, so it imports
what it needs when a graph is asserted.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from sphinx_autogradgraph.graph.model import Graph

FLAG = "--autogradgraph-update"

_running: pytest.Item | None = None
"""The running test, if any."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag ``--autogradgraph-update``."""
    group = parser.getgroup("autogradgraph", "autograd graphs")
    group.addoption(
        FLAG,
        action="store_true",
        help="accept the graphs of today as the snapshots of assert_graph",
    )


def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Remember the test that runs next."""
    global _running
    _running = item


def assert_graph(
    value: object, path: str | PathLike[str], *, params: Mapping[str, Any] | None = None
) -> None:
    """Assert that the autograd graph of ``value`` is the one that is kept in a file.

    ``value`` is a tensor or what else :func:`.trace` takes, or a :class:`.Graph`; ``path`` is
    relative to the test's file.  Operations, edges, shapes, dtypes, names and modules are compared.
    Fails with the difference in words, and without a file; with ``--autogradgraph-update`` pytest
    writes it.
    """
    __tracebackhide__ = True
    from sphinx_autogradgraph.runtime.result import Traced
    from sphinx_autogradgraph.snapshots.store import Snapshots, drift

    caller = sys._getframe(1)
    test = Path(caller.f_code.co_filename) if _running is None else _running.path
    file = test.parent / path
    today = Traced(_graph_of(value, caller, params))
    snapshots = Snapshots(file.parent)
    try:
        kept = snapshots.read(file)
        words = None if kept is None else drift(kept, today)
        lost = f"there is no snapshot {path}"
    except ValueError as error:
        words, lost = None, f"the snapshot {path} cannot be read: {error}"
    if words == []:
        return
    if _running is not None and _running.config.getoption(FLAG):
        snapshots.write(file, today)
        return
    if words is None:
        raise AssertionError(f"{lost}; keep the graph of today with pytest {FLAG}")
    lines = "".join(f"\n    {line}" for line in words)
    raise AssertionError(
        f"the graph is no longer that of {path}; look at it, and accept it with pytest {FLAG}"
        f"{lines}"
    )


def _graph_of(value: object, caller: Any, params: Mapping[str, Any] | None) -> Graph:
    """Return the graph of a value, with the names of the caller's variables."""
    __tracebackhide__ = True
    from sphinx_autogradgraph.graph.model import Graph

    if isinstance(value, Graph):
        return value
    from sphinx_autogradgraph.hosts.python import trace_from

    try:
        return trace_from(value, caller, params or {})
    except ValueError as error:
        raise AssertionError(str(error)) from None
