"""Documentation that draws the true autograd graph of its own code.

A Sphinx extension: add ``"sphinx_autogradgraph"`` to ``extensions`` in ``conf.py``.  From Python,
``draw(loss)`` shows the graph of a tensor in a notebook, ``trace(loss)`` is the graph as data, and
``with record(): …`` has both know which line, module and call made each node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

    from sphinx_autogradgraph.graph.model import Graph
    from sphinx_autogradgraph.hosts.python import draw, explain, record, trace

__all__ = ["Graph", "__version__", "draw", "explain", "record", "setup", "trace"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what is asked for: Sphinx imports this module, no torch, and little of the rest."""
    if name == "Graph":
        from sphinx_autogradgraph.graph.model import Graph

        return Graph
    if name in ("draw", "explain", "record", "trace"):
        from sphinx_autogradgraph.hosts import python

        return getattr(python, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set the extension up; called by Sphinx."""
    from sphinx_autogradgraph.hosts.sphinx.extension import setup_extension

    return setup_extension(app, __version__)
