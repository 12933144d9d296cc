"""Documentation that draws the true autograd graph of its own code.

A Sphinx extension: add ``"sphinx_autogradgraph"`` to ``extensions`` in ``conf.py``.  From Python,
``draw(loss)`` shows the graph of a tensor in a notebook, ``trace(loss)`` is the graph as data, and
``with record(): …`` has both know which line, module and call made each node.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

    from sphinx_autogradgraph.core.diagnostics import DiagnosticError
    from sphinx_autogradgraph.graph.model import Graph
    from sphinx_autogradgraph.hosts.python import draw, explain, record, trace
    from sphinx_autogradgraph.render.drawing import Drawing

__all__ = [
    "DiagnosticError", "Drawing", "Graph", "__version__", "draw", "explain", "record", "setup",
    "trace",
]  # fmt: skip
"""All that is public here, and what the API page of the documentation describes."""

__version__ = "0.1.0"


_HOMES = {
    "DiagnosticError": "core.diagnostics",
    "Drawing": "render.drawing",
    "Graph": "graph.model",
    "draw": "hosts.python",
    "explain": "hosts.python",
    "record": "hosts.python",
    "trace": "hosts.python",
}
"""The modules of the public names."""


def __getattr__(name: str) -> Any:
    """Import what is asked for: Sphinx imports this module, no torch, and little of the rest."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set the extension up; called by Sphinx."""
    from sphinx_autogradgraph.hosts.sphinx.extension import setup_extension

    return setup_extension(app, __version__)
