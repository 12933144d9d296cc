"""The values of ``conf.py``: each declared once, with its default, types and what it alters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinx.config import ENUM

from sphinx_autogradgraph.drawing.layout import ENGINES

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup_config(app: Sphinx) -> None:
    """Declare our configuration values.

    - ``autogradgraph_show``: what ``:show:`` is where an author does not say (``"shape"``).
    - ``autogradgraph_layout``: the layout engine, ``"graphviz-pure"`` or ``"dot"``.
    - ``autogradgraph_timeout``: seconds that a program may take (60).
    - ``autogradgraph_layout_timeout``: seconds that the layout of a graph may take (30).
    """
    app.add_config_value("autogradgraph_show", "shape", "env", frozenset({str}))
    app.add_config_value("autogradgraph_layout", ENGINES[0], "env", ENUM(*ENGINES))
    app.add_config_value("autogradgraph_timeout", 60, "", frozenset({int, float}))
    app.add_config_value("autogradgraph_layout_timeout", 30, "", frozenset({int, float}))
