"""Documentation that draws the true autograd graph of its own code.

A Sphinx extension: add ``"sphinx_autogradgraph"`` to ``extensions`` in ``conf.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinx_autogradgraph.graph import Graph

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["Graph", "__version__", "setup"]

__version__ = "0.1.0"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set the extension up; called by Sphinx."""
    from sphinx_autogradgraph.sphinxext.extension import setup_extension

    return setup_extension(app, __version__)
