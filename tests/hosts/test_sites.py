"""The example sites: each tool builds its own, and each shows the graph that the program has."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from sphinx_autogradgraph import Graph
from tests.conftest import ROOT, Elements


class Site(NamedTuple):
    """A directory of ``examples/sites``: what builds it, the page to read, how many figures it has."""

    needs: str
    command: Sequence[str]
    page: str
    figures: int
    nightly: bool = False


OUT = "../../../out"  # notebooks that were run go beside it, and are no pages
SPHINX = ["sphinx", "-W", "-q", "-b", "html", ".", OUT]
SITES = {
    "sphinx": Site("sphinx", SPHINX, "index.html", 3),
    "mkdocs": Site("material", ["mkdocs", "build", "--strict", "-d", OUT], "index.html", 2),
    "properdocs": Site(
        "properdocs", ["properdocs", "build", "--strict", "-d", OUT], "index.html", 2
    ),
    "zensical": Site("zensical", ["zensical", "build", "--strict"], "index.html", 2),
    "markdown-exec": Site(
        "markdown_exec", ["mkdocs", "build", "--strict", "-d", OUT], "index.html", 1
    ),
    "sphinx-gallery": Site(
        "sphinx_gallery", [*SPHINX, "-j", "2"], "gallery/linear_regression.html", 2
    ),
    "myst-nb": Site("myst_nb", SPHINX, "index.html", 1),
    "nbsphinx": Site("nbsphinx", SPHINX, "index.html", 1),
    "jupyter-sphinx": Site("jupyter_sphinx", SPHINX, "index.html", 1),
    "notebook": Site(
        "nbconvert",
        ["nbconvert", "--execute", "--to", "html", "--output-dir", OUT, "index.ipynb"],
        "index.html", 1, nightly=True,
    ),
    "marimo": Site(
        "marimo", ["marimo", "export", "html", "--force", "-o", f"{OUT}/index.html", "index.py"],
        "index.html", 1, nightly=True,
    ),
}  # fmt: skip


def kernel(directory: Path) -> dict[str, str]:
    """An environment in which notebooks run with this Python."""
    spec = {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python 3", "language": "python"}  # fmt: skip
    folder = directory / "jupyter" / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec))
    return {**os.environ, "JUPYTER_PATH": str(directory / "jupyter"), "LC_ALL": "C.UTF-8"}


def html(page: Path) -> str:
    """The HTML of a page, with that of its figures, which marimo's script holds as JSON."""
    text = page.read_text("utf-8")
    strings = re.findall(r'"(?:[^"\\]|\\.)*autogradgraph-data(?:[^"\\]|\\.)*"', text)
    return "".join(map(json.loads, strings)) if "<marimo-" in text else text


def graphs(page: Path) -> list[Graph]:
    """The Graphs of the figures of a page."""
    scripts = Elements(html(page)).select("script", "autogradgraph-data")
    return [Graph.from_json(script.text) for script in scripts]


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """The graph of the program that all sites show."""
    file = tmp_path_factory.mktemp("wanted") / "l.json"
    command = ["draw", str(ROOT / "examples" / "linreg.py"), "--tensor", "l", "-o", str(file)]
    subprocess.run([sys.executable, "-m", "sphinx_autogradgraph", *command], check=True)
    return Graph.from_json(file.read_text())


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.nightly] if site.nightly else [])
        for name, site in sorted(SITES.items())
    ],
)
def test_the_example_site(name: str, tmp_path: Path, wanted: Graph) -> None:
    site = SITES[name]
    if importlib.util.find_spec(site.needs) is None:
        pytest.skip(f"needs {site.needs}")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("_*"))
    where = tmp_path / "examples" / "sites" / name
    out = where / ("site" if name == "zensical" else OUT)
    for _ in range(2):  # what a second build shows, the first may hide
        done = subprocess.run(
            [sys.executable, "-m", *site.command],
            cwd=where, env=kernel(tmp_path / str(_)), capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    found = graphs(out / site.page)
    assert len(found) == site.figures
    for graph in found:
        assert graph.diff(wanted) == []
    page = Elements(html(out / site.page))
    figures = page.select("figure", "autogradgraph")
    assert len(figures) == site.figures
    for figure in figures:
        assert "Leaves: w (2, 1), b (1,)." in figure.text
    ids = [element.attributes["id"] for element in page.all if "id" in element.attributes]
    ours = [id for id in ids if id.startswith("autogradgraph")]
    assert len(ours) == len(set(ours)) > 10
    assert str(tmp_path) not in (out / site.page).read_text("utf-8")
    if (where / "pyproject.toml").exists():
        command = [sys.executable, "-m", "sphinx_autogradgraph", "check", "."]
        checked = subprocess.run(command, cwd=where, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "2 graphs: 2 as kept" in checked.stdout


TUTORIALS = {
    "autograd": [("SumBackward0", "AddBackward0", "MulBackward0", "SinBackward0")],
    "leaf_tensors": [("MseLossBackward0", "ReluBackward0", "AddBackward0", "MmBackward0")] * 2,
    "double_backward": [("SquareBackward",), ("MulBackward0",)],
    "saved_tensors_hooks": [("SumBackward0", "ExpBackward0", "PowBackward0")] * 2,
}
"""The chains of the figures of PyTorch's subjects."""


@pytest.mark.long
@pytest.mark.nightly
def test_tutorials_on_the_subjects_of_pytorch(tmp_path: Path) -> None:
    pytest.importorskip("sphinx_gallery")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("_*"))
    done = subprocess.run(
        [sys.executable, "-m", *SPHINX], cwd=tmp_path / "examples" / "sites" / "pytorch-tutorials",
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    pages = tmp_path / "out" / "gallery"
    for name, chains in TUTORIALS.items():
        assert [graph.chain for graph in graphs(pages / f"{name}.html")] == chains, name
    (layers,) = graphs(pages / "visualizing_gradients.html")
    assert layers.reaches("net.0.weight")
    whole, part = graphs(pages / "neural_networks.html")
    assert whole == part
    assert whole.passes_through("ConvolutionBackward0")
    assert "zero_grad" in (pages / "neural_networks.html").read_text("utf-8")
