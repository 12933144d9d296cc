"""Pages made of scripts by sphinx-gallery, and of docstrings by autodoc."""

from __future__ import annotations

import json
import re

import pytest

from sphinx_autogradgraph import Graph
from tests.conftest import Build, Elements, Project

SCRIPT = '''
"""
Title
=====

.. code-block:: python

   undefined_in_the_docstring

"""

import torch

open("ran", "a").write("x")
x = torch.ones(2, requires_grad=True)
loss = x.exp()

# %%
# .. code-block:: python
#
#    loss = x.sin()
#
# What one could also write:
#
# .. code-block:: Python
#
#    nonsense.at.all()
#
# >>> undefined
#
# .. autogradgraph::
#    :tensor: loss
#    :name: loss

last = loss * 2

# %%
# .. autogradgraph::
#    :tensor: last
'''


def graphs(build: Build, page: str) -> dict[str, tuple[str, ...]]:
    """The chains of the figures of a page, by their outputs."""
    scripts = Elements(build.read(page)).select("script", "autogradgraph-data")
    found = [Graph.from_json(script.text) for script in scripts]
    return {str(graph.outputs[0].name): graph.chain for graph in found}


@pytest.mark.long
def test_the_program_of_a_gallery_page_is_the_script_and_the_gallery_says_whether_it_runs(
    project: Project,
) -> None:
    pytest.importorskip("sphinx_gallery")
    project.conf(
        """
        extensions.append("sphinx_gallery.gen_gallery")
        sphinx_gallery_conf = {
            "examples_dirs": "tutorials", "gallery_dirs": "gallery", "filename_pattern": "/run",
        }
        autogradgraph_snapshots = "kept"
        exclude_patterns = ["tutorials"]
        """
    )
    project.write("index.rst", "A\n=\n\n.. toctree::\n   :glob:\n\n   gallery/*\n")
    project.write("tutorials/GALLERY_HEADER.rst", "Gallery\n=======\n")
    project.write("tutorials/run_it.py", SCRIPT)
    project.write("tutorials/other.py", SCRIPT.replace(":name: loss", ":name: other"))
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    assert graphs(build, "gallery/run_it.html") == {
        "loss": ("ExpBackward0",), "last": ("MulBackward0", "ExpBackward0"),
    }  # fmt: skip
    other = build.read("gallery/other.html")
    assert other.count("it is skipped, and there is no snapshot of it") == 2
    kept = sorted(path.name for path in (project.directory / "kept" / "gallery").iterdir())
    assert kept == ["run_it.2.json", "run_it.loss.json"]

    # Once by the gallery and once by us; nothing of it when the gallery runs nothing.
    ran = sum(len(path.read_text()) for path in project.directory.rglob("ran"))
    assert ran == 2
    build = project.build("html", "-W", "-E", "-D", "plot_gallery=0", out="quick")
    assert build.status == 0, build.stderr
    assert graphs(build, "gallery/run_it.html")["loss"] == ("ExpBackward0",)
    assert sum(len(path.read_text()) for path in project.directory.rglob("ran")) == ran


MODULE = '''
import torch


def loss(x):
    """Square it.

    .. autogradgraph::

       import torch
       torch.nonsense
    """


class Model:
    """A model.

    >>> import torch
    >>> x = torch.ones(2, requires_grad=True)

    .. code-block:: python

       y = x.exp()

    .. autogradgraph::
       :tensor: y
    """

    def step(self):
        """Do a step.

        .. autogradgraph::
           :tensor: y
        """

    def other(self):
        """Do another.

        .. code-block:: python

           import torch
           y = torch.ones(2, requires_grad=True)
           z = y.undefined

        .. autogradgraph::
           :tensor: y
        """

    def referred(self):
        """Do what a function of the module does.

        .. autogradgraph:: mod:example
        """


def example():
    return torch.ones(2, requires_grad=True).sin()
'''


def test_each_docstring_is_a_program_and_faults_are_at_its_lines(project: Project) -> None:
    project.conf(
        """
        import os, sys
        sys.path.insert(0, os.path.dirname(__file__))
        extensions += ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
        """
    )
    project.write("mod.py", MODULE)
    project.write(
        "index.rst",
        "A\n=\n\n.. code-block:: python\n\n   y = 1\n\n.. automodule:: mod\n   :members:\n   :undoc-members:\n",
    )
    build = project.build()
    chains = graphs(build, "index.html")
    assert chains == {"y": ("ExpBackward0",), "mod.example()": ("SinBackward0",)} or set(
        chains.values()
    ) == {("ExpBackward0",), ("SinBackward0",)}
    text = build.stderr
    assert re.search(r"mod\.py:docstring of mod\.loss:3: WARNING: .*mod\.loss, line 6: ", text)
    assert re.search(r"mod\.py:docstring of mod\.Model\.other:3: WARNING: .*line 7: Attr", text)
    assert "there is no Python code above this on the page" in text  # mod.Model.step
    assert text.count("WARNING") == 3
    assert json.dumps(text).count("Traceback") == 0
