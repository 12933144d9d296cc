"""Assertions on autograd graphs, for anybody's test suite."""

from sphinx_autogradgraph.hosts.pytest_plugin import assert_graph

__all__ = ["assert_graph"]
