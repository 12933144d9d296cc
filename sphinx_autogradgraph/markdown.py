"""The custom fence for Markdown sites: MkDocs, ProperDocs, Zensical, and plain Python-Markdown.

One custom fence of SuperFences (``pymdownx.superfences``) draws all figures: ``name`` and ``class``
are ``autogradgraph``, ``format`` is :func:`formatter` and ``validator`` is :func:`validator`.
"""

from sphinx_autogradgraph.hosts.markdown.superfences import formatter, validator

__all__ = ["formatter", "validator"]
