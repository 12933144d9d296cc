"""Figures in Markdown sites: MkDocs, ProperDocs, Zensical, and plain Python-Markdown.

One custom fence of SuperFences (``pymdownx.superfences``) has it all; ``name`` and ``class`` are
``autogradgraph``, ``format`` is :func:`formatter` and ``validator`` is :func:`validator`.
"""

from sphinx_autogradgraph.markdown.superfences import formatter, validator

__all__ = ["formatter", "validator"]
