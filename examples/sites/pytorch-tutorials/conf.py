"""Six tutorials on the subjects of PyTorch's own, built as those are."""

from pathlib import Path

try:
    import pytorch_sphinx_theme2 as theme
except ImportError:
    theme = None

project = "sphinx-autogradgraph in PyTorch's tutorials"
extensions = ["sphinx_autogradgraph", "sphinx_gallery.gen_gallery"]
exclude_patterns = ["tutorials/*"]
sphinx_gallery_conf = {
    "examples_dirs": "tutorials",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py",
    "download_all_examples": False,
}
if theme:
    extensions += ["pytorch_sphinx_theme2"]
    html_theme = "pytorch_sphinx_theme2"
    templates_path = [str(Path(theme.__file__).with_name("templates"))]
    html_context = {"theme_variables": theme.get_theme_variables()}
else:
    html_theme = "furo"
