"""LaTeX: a vector PDF of each drawing in a float, or the text form and one warning."""

from __future__ import annotations

import pytest

from sphinx_autogradgraph.figures.pdf_figures import latex_size
from tests.conftest import LINREG, Project, made_by_latexmk

PAGE = """
Title
=====

See :numref:`loss-graph`.

.. autogradgraph:: examples/linreg.py
   :tensor: l
   :name: loss-graph
   :caption: The loss, 损失.

.. autogradgraph:: examples/linreg.py
   :tensor: l.mean()
   :width: 40%

.. autogradgraph::

   import torch
   权重 = torch.ones(2, requires_grad=True)
   y = 权重
   for _ in range(60):
       y = y.sin()
"""


def pages(project: Project, conf: str = "") -> Project:
    project.conf("numfig = True\nlatex_engine = 'xelatex'\n" + conf)
    project.write("examples/linreg.py", LINREG)
    project.write("index.rst", PAGE)
    return project


def test_a_vector_pdf_in_a_float(project: Project) -> None:
    pages(project)
    for _ in range(2):
        build = pages(project).build("latex", "-W")
        assert build.status == 0, build.stderr
    (tex,) = build.out.glob("*.tex")
    text = tex.read_text("utf-8")
    assert r"\sphinxincludegraphics[scale=0.7]{autogradgraph-index-1.pdf}" in text
    assert r"\sphinxincludegraphics[width=0.4\linewidth]{autogradgraph-index-2.pdf}" in text
    assert r"\caption{The loss, 损失.}" in text
    assert r"\label{\detokenize{index:loss-graph}}" in text
    for number in (1, 2, 3):
        data = (build.out / f"autogradgraph-index-{number}.pdf").read_bytes()
        assert data.startswith(b"%PDF")


@pytest.mark.long
def test_without_reportlab_the_text_form_and_one_warning(project: Project) -> None:
    pages(project, "import sys\nsys.modules['reportlab'] = None\n")
    for _ in range(2):
        build = project.build("latex")
        (warning,) = build.warnings
        assert "pip install 'sphinx-autogradgraph[pdf]'" in warning
        (tex,) = build.out.glob("*.tex")
        assert "MmBackward0" in tex.read_text("utf-8")
        assert "includegraphics" not in tex.read_text("utf-8")
    assert pages(project, "import sys\nsys.modules['reportlab'] = None\n").build(
        "latex", "-W", "-D", "suppress_warnings=autogradgraph.layout"
    ).status == 0  # fmt: skip


@pytest.mark.parametrize(
    ("css", "latex"),
    [
        (None, "scale=0.7"),
        ("50%", r"width=0.5\linewidth"),
        ("96px", "width=72bp"),
        ("10em", "width=10em"),
        ("7.5cm", "width=7.5cm"),
        ("3vw", "scale=0.7"),
    ],
)
def test_widths(css: str | None, latex: str) -> None:
    assert latex_size(css) == latex


@pytest.mark.latex
def test_the_pdf_has_text_that_can_be_selected(project: Project) -> None:
    text, log = made_by_latexmk(pages(project).build("latex", "-W"))
    assert "MmBackward0" in text
    assert "权重" in text
    assert "Overfull \\vbox" not in log
