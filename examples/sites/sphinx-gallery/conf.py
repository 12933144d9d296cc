"""A gallery of tutorials, as PyTorch's."""

project = "sphinx-autogradgraph with sphinx-gallery"
extensions = ["sphinx_autogradgraph", "sphinx_gallery.gen_gallery"]
exclude_patterns = ["tutorials/*"]
html_theme = "furo"
sphinx_gallery_conf = {
    "examples_dirs": "tutorials",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py",
    "download_all_examples": False,
}
