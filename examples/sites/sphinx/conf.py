"""A Sphinx project with a page and a module whose docstring has a figure."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "sphinx-autogradgraph with Sphinx"
extensions = ["sphinx_autogradgraph", "sphinx.ext.autodoc"]
autodoc_mock_imports = ["torch"]
html_theme = "alabaster"
