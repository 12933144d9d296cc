"""Translations of this package's messages."""

from __future__ import annotations

from sphinx.locale import get_translation

CATALOG = "sphinx_autogradgraph"
"""Name of this package's message catalogue."""

_ = get_translation(CATALOG)
