"""The translations of our sentences."""

from __future__ import annotations

from sphinx.locale import get_translation

CATALOG = "sphinx_autogradgraph"
"""The name of our message catalogue."""

_ = get_translation(CATALOG)
