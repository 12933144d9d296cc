"""LaTeX: a vector PDF of each drawing in a float, or the text form and one warning."""

from __future__ import annotations

import ast
import base64
import re
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from sphinx_autogradgraph import render
from sphinx_autogradgraph.core.messages import untranslated
from sphinx_autogradgraph.figures.figure_layout import FigureLayout
from sphinx_autogradgraph.figures.pdf_figures import canvas_pdf, latex_size
from sphinx_autogradgraph.graph.model import Edge, Graph, Node, Output, TensorMeta
from sphinx_autogradgraph.render.arrange import arrange
from sphinx_autogradgraph.render.columns import crossing, cuts_of
from sphinx_autogradgraph.render.diagram import Direction
from sphinx_autogradgraph.render.latex_picture import escape_latex
from sphinx_autogradgraph.render.pdf import WIDE_FONT, _pieces
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
   :align: left
   :show: shape formulas gradients
   :table: nodes

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
    assert "wrapfigure" not in text
    assert r"\begingroup\footnotesize" in text  # for the eight columns of the nodes' table
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


@pytest.mark.long
@pytest.mark.latex
def test_the_pdf_has_text_that_can_be_selected(project: Project) -> None:
    text, log = made_by_latexmk(pages(project).build("latex", "-W"))
    assert "MmBackward0" in text
    assert "权重" in text
    assert "Overfull" not in log


def chain_drawn(
    direction: Direction, length: int, op: str = "SinBackward0", name: str | None = None
) -> tuple[Graph, FigureLayout]:
    meta = TensorMeta((3,), "float32", "cpu")
    leaf = Node(0, "leaf", "AccumulateGrad", "x", (meta,))
    functions = [Node(id, "function", op, name, (meta,)) for id in range(1, length)]
    edges = [Edge(id - 1, id, 0, 0) for id in range(1, length)]
    graph = Graph((Output("y", length - 1, 0),), (leaf, *functions), tuple(edges))
    arranged = arrange(graph, direction=direction)
    drawn = FigureLayout("figure", ("shape",), direction, None, "", None, False, arranged.layout)
    return graph, drawn


def size_of(pdf: bytes) -> tuple[float, float]:
    found = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert found
    return float(found[1]), float(found[2])


def test_a_wide_drawing_stands_upright_in_print_and_a_high_one_leaves_room_for_its_caption() -> (
    None
):
    graph, drawn = chain_drawn("LR", 16)
    assert drawn.layout.width > 1500
    _, pdf, size = canvas_pdf(graph, drawn, "graphviz-pure", 30, untranslated)
    assert size_of(pdf)[0] < 300 < size_of(pdf)[1]
    assert size == "scale=0.7"
    graph, drawn = chain_drawn("TB", 18)
    _, pdf, size = canvas_pdf(graph, drawn, "graphviz-pure", 30, untranslated)
    assert size_of(pdf)[1] > 700
    scale = float(size.removeprefix("scale="))
    assert 0.5 < scale < 0.7
    assert size_of(pdf)[1] * scale < 530


def words_of(pdf: bytes) -> bytes:
    """What is written on the page of a PDF."""
    streams = re.findall(rb"stream\r?\n(.*?)~>", pdf, re.DOTALL)
    return b"".join(zlib.decompress(base64.a85decode(stream)) for stream in streams)


def test_what_would_be_small_stands_in_columns_and_all_of_it_once() -> None:
    graph, drawn = chain_drawn("TB", 40)
    assert drawn.layout.height > 1500
    _, pdf, size = canvas_pdf(graph, drawn, "graphviz-pure", 30, untranslated)
    scale = float(size.removeprefix("scale="))
    width, height = size_of(pdf)
    assert scale >= 0.5
    assert width * scale <= 450
    assert height * scale <= 520
    assert words_of(pdf).count(b"(SinBackward0)") == 39
    # An author's own width is kept.
    _, pdf, size = canvas_pdf(graph, replace(drawn, width="50%"), "graphviz-pure", 30, untranslated)
    assert size == r"width=0.5\linewidth"
    assert size_of(pdf)[1] > 1500


def test_columns_of_wide_boxes_have_words_on_two_lines() -> None:
    graph, drawn = chain_drawn("TB", 50, "ConvolutionBackward0", "what_comes_of_the_layer")
    assert drawn.layout.lines == 1
    _, pdf, size = canvas_pdf(graph, drawn, "graphviz-pure", 30, untranslated)
    assert float(size.removeprefix("scale=")) >= 0.5
    assert words_of(pdf).count(b"(ConvolutionBackward0)") == 49


def test_no_cut_goes_through_a_box() -> None:
    graph, drawn = chain_drawn("TB", 40)
    diagram, layout = drawn.diagram(graph), drawn.layout
    for columns in (2, 3):
        cuts = cuts_of(diagram, layout, columns)
        assert len(cuts) == columns - 1
        for at in cuts:
            assert len(list(crossing(layout, at))) == 1
            for box in diagram.boxes:
                assert abs(layout.boxes[box.key][1] - at) > box.height / 2
    assert cuts_of(diagram, layout, 100) == ()


def signs() -> set[str]:
    """Return the characters beyond ASCII that drawings themselves put into words."""
    package, found = Path(render.__file__).parent, ""
    for name in ("chain_rule", "diagram_of_graph", "difference", "edge_labels", "gradient_scale",
                 "labels", "legend"):  # fmt: skip
        tree = ast.parse((package / f"{name}.py").read_text("utf-8"))
        docstrings = {id(part.value) for part in ast.walk(tree) if isinstance(part, ast.Expr)}
        for part in ast.walk(tree):
            if isinstance(part, ast.Constant) and id(part) not in docstrings:
                found += part.value if isinstance(part.value, str) else ""
    return {char for char in found if not char.isascii()}


def test_signs_are_in_fonts_that_every_viewer_has() -> None:
    assert {*"✂▼↑Σ"} <= signs()
    for sign in signs():
        [(font, char)] = _pieces(sign, "Courier")
        assert font != WIDE_FONT or char.encode("gb2312")
    fonts = {"Courier", "Symbol", "ZapfDingbats"}
    assert {font for font, _ in _pieces("↑ −3 ✂ ▼", "Courier")} == fonts


def test_tex_has_each_sign_without_a_package() -> None:
    assert "".join(map(escape_latex, signs())).isascii()
