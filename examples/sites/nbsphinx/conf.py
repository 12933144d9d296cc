"""A book of notebooks, by nbsphinx."""

project = "sphinx-autogradgraph with nbsphinx"
extensions = ["nbsphinx"]
html_theme = "furo"
