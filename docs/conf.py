"""Configuration of the documentation of sphinx-autogradgraph, which is drawn by itself."""

from sphinx_autogradgraph import __version__

project = "sphinx-autogradgraph"
author = "The sphinx-autogradgraph developers"
copyright = f"2026, {author}"
version = release = __version__

extensions = ["sphinx_autogradgraph", "myst_parser"]
exclude_patterns = ["_build"]
autogradgraph_snapshots = "snapshots"
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
numfig = True
nitpicky = True

latex_engine = "xelatex"  # for ≡ and ⋯

html_theme = "furo"
html_title = project
