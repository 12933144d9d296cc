"""The values of ``conf.py``: each declared once, with its default, types and what it alters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinx.config import ENUM

from sphinx_autogradgraph.drawing.layout import ENGINES
from sphinx_autogradgraph.drawing.views import MAX_NODES

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup_config(app: Sphinx) -> None:
    """Declare our configuration values.

    - ``autogradgraph_show``: what ``:show:`` is where an author does not say (``"shape"``).
    - ``autogradgraph_layout``: the layout engine, ``"graphviz-pure"`` or ``"dot"``.
    - ``autogradgraph_execution``: ``"auto"`` runs code where torch is installed and else draws from
      snapshots, ``"always"`` runs it, ``"never"`` does not.
    - ``autogradgraph_snapshots``: the directory of the snapshots, relative to ``conf.py``.
    - ``autogradgraph_cache``: the directory of the cache, relative to ``conf.py``; by default it is
      in the directory of the doctrees.
    - ``autogradgraph_max_nodes``: a graph with more nodes folds by itself (300).
    - ``autogradgraph_memory``: MiB that a program may take; None for no limit.
    - ``autogradgraph_environment``: the names of environment variables that programs may see
      besides those that any needs; None for all.
    - ``autogradgraph_timeout``: seconds that a program may take (60).
    - ``autogradgraph_layout_timeout``: seconds that the layout of a graph may take (30).
    """
    app.add_config_value("autogradgraph_show", "shape", "env", [str])
    app.add_config_value("autogradgraph_layout", ENGINES[0], "env", ENUM(*ENGINES))
    modes = ENUM("auto", "always", "never")
    app.add_config_value("autogradgraph_execution", "auto", "env", modes)
    app.add_config_value("autogradgraph_snapshots", None, "env", [str, type(None)])
    app.add_config_value("autogradgraph_max_nodes", MAX_NODES, "env", [int])
    app.add_config_value("autogradgraph_cache", None, "", [str, type(None)])
    app.add_config_value("autogradgraph_memory", None, "", [int, type(None)])
    app.add_config_value("autogradgraph_environment", None, "", [list, tuple, type(None)])
    app.add_config_value("autogradgraph_timeout", 60, "", [int, float])
    app.add_config_value("autogradgraph_layout_timeout", 30, "", [int, float])
