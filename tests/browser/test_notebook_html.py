"""The HTML of a drawing in notebooks, where it is alive and where viewers strip it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sphinx_autogradgraph.render.drawing import Drawing
from tests.render.test_drawing import linreg

SEEN = """
() => {
  const seen = found => {
    const at = document.querySelector(found);
    return at !== null && at.getBoundingClientRect().height > 20;
  };
  return {image: seen("img.autogradgraph-still"), svg: seen("svg.autogradgraph-svg")};
}
"""


def stripped(html: str, *tags: str) -> str:
    """The HTML without some elements, as a viewer of notebooks takes them away."""
    for tag in tags:
        html = re.sub(rf"<{tag}\b.*?</{tag}>", "", html, flags=re.S)
    return html


def test_nothing_in_it_ends_an_html_block_of_markdown() -> None:
    html = Drawing(linreg()).html
    assert html.startswith("<figure ")
    assert not re.search(r"\n[ \t]*\n", html)


@pytest.mark.long
@pytest.mark.browser
def test_it_is_seen_once_whatever_a_viewer_strips(browser: Any) -> None:
    html = Drawing(linreg("<w>")).html
    page = browser.new_page()
    page.set_content(html)
    assert page.evaluate(SEEN) == {"image": False, "svg": True}
    for tags in (("style", "script"), ("style", "script", "svg")):
        page.set_content(stripped(html, *tags))
        assert page.evaluate(SEEN) == {"image": True, "svg": False}
    alt = page.locator("img").get_attribute("alt")
    assert "Leaves: <w> (2, 1), b (1,)." in alt
    assert "Leaves: <w> (2, 1)" in page.locator("figcaption").inner_text()


def test_marimo_gets_html_with_nothing_hidden_and_puts_it_into_no_frame() -> None:
    kind, html = Drawing(linreg())._mime_()
    assert kind == "text/html"
    assert '<div class="autogradgraph-alive">' in html
    assert 'class="autogradgraph-alive" hidden' not in html


@pytest.mark.long
def test_nbconvert_puts_the_pdf_into_latex() -> None:
    exporters = pytest.importorskip("nbconvert.exporters")
    v4 = pytest.importorskip("nbformat").v4
    bundle = Drawing(linreg())._repr_mimebundle_()
    output = v4.new_output("display_data", data=bundle)
    notebook = v4.new_notebook(cells=[v4.new_code_cell("draw(l)", outputs=[output])])
    text, resources = exporters.LatexExporter().from_notebook_node(notebook)
    name, data = next(item for item in resources["outputs"].items() if item[0].endswith(".pdf"))
    assert data.startswith(b"%PDF")
    assert name in text
    assert "begin{picture}" not in text
