"""Configuration of the documentation of sphinx-autogradgraph, which is drawn by itself."""

import sys
from pathlib import Path

from sphinx_autogradgraph import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "sphinx-autogradgraph"
author = "The sphinx-autogradgraph developers"
copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "sphinx_autogradgraph", "myst_parser", "sphinx.ext.autodoc",
    "declarations", "example", "peers", "plain_types", "themed_figure",
]  # fmt: skip
autodoc_mock_imports = ["torch"]  # it never enters the process of Sphinx
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
exclude_patterns = ["_build", "zh_CN"]  # a project of its own
autogradgraph_snapshots = "snapshots"
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
numfig = True
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(collections|os|pathlib|graphviz|msgspec|torch|pymdownx)\..*|Markdown"),  # others'
    ("py:.*", r"sphinx_autogradgraph\.(core|graph|render|program|views)\..*"),  # not public
    ("py:(data|exc|class|func)", r"[A-Z_]{3,}|DiagnosticError|Scope"),  # not public, or above
    ("py:class", r"Kind|Why|Source|Gradient|Saved|Fold|Values|(.*\.)?Diagnostic"),  # of a Graph
]

latex_engine = "xelatex"  # for ≡ and ⋯
latex_use_xindy = False  # makeindex comes with every TeX
latex_elements = {
    "figure_align": "H",  # figures stand where the text speaks of them
    "extraclassoptions": "openany,oneside",
    # The first toctree has a caption of its own, which would be the title of all contents.
    "tableofcontents": r"\renewcommand{\contentsname}{Contents}\sphinxtableofcontents",
    # The table of contents has the pages; long names in tables break behind underscores, and code
    # has no hyphens that are not in it.
    "preamble": r"""
\setcounter{tocdepth}{1}
\let\underscorewhole\_
\protected\def\sphinxcode#1{{\def\_{\underscorewhole\allowbreak}%
  \texttt{\hyphenchar\font=-1 \frenchspacing #1}}}
""",
}

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["pages.css", "print.css"]
