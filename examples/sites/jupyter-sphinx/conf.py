"""Pages with cells, by jupyter-sphinx."""

project = "sphinx-autogradgraph with jupyter-sphinx"
extensions = ["jupyter_sphinx"]
html_theme = "alabaster"
