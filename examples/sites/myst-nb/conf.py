"""A book of notebooks, as Jupyter Book makes it."""

project = "sphinx-autogradgraph with MyST-NB"
extensions = ["myst_nb"]
html_theme = "furo"
nb_execution_raise_on_error = True
