"""Configuration of the Chinese translation of the walk-through, a small project of its own."""

import runpy
from pathlib import Path

_english = runpy.run_path(str(Path(__file__).parents[1] / "conf.py"))

project = _english["project"]
author = _english["author"]
copyright = _english["copyright"]
version = release = _english["release"]

language = "zh_CN"
root_doc = "linear-regression"
extensions = ["sphinx_autogradgraph"]
numfig = _english["numfig"]
nitpicky = _english["nitpicky"]

html_theme = _english["html_theme"]
html_title = _english["html_title"]
