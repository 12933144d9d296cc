"""The values of ``conf.py``: each declared once, with its default, types and what it alters."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, get_args

from sphinx.config import ENUM

from sphinx_autogradgraph.core.settings import ENGINES, Mode, Settings

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config


def setup_config(app: Sphinx) -> None:
    """Declare our configuration values: those of
    :class:`.Settings`, with ``autogradgraph_`` before their names."""
    default = Settings()
    app.add_config_value("autogradgraph_show", default.show, "env", [str])
    app.add_config_value("autogradgraph_layout", default.layout, "env", ENUM(*ENGINES))
    modes = ENUM(*get_args(Mode))
    app.add_config_value("autogradgraph_execution", default.execution, "env", modes)
    app.add_config_value("autogradgraph_snapshots", None, "env", [str, type(None)])
    app.add_config_value("autogradgraph_max_nodes", default.max_nodes, "env", [int])
    app.add_config_value("autogradgraph_cache", None, "", [str, type(None)])
    app.add_config_value("autogradgraph_memory", None, "", [int, type(None)])
    app.add_config_value("autogradgraph_environment", None, "", [list, tuple, type(None)])
    app.add_config_value("autogradgraph_linger", default.linger, "", [int, float])
    app.add_config_value("autogradgraph_timeout", default.timeout, "", [int, float])
    app.add_config_value("autogradgraph_layout_timeout", default.layout_timeout, "", [int, float])


def settings_of(config: Config) -> Settings:
    """The settings of a Sphinx project, as all hosts have them."""
    names = {f"autogradgraph_{field.name}": field.name for field in fields(Settings)}
    return Settings(**{name: config[value] for value, name in names.items() if value in config})
