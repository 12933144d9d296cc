"""Pages as a reader sees them, in headless Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import LINREG, Project

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("needs Debian's Chromium on PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(params=["furo", "alabaster"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


PAGE = """
Title
=====

.. autogradgraph:: linreg.py
   :tensor: l
   :show: shape dtype device

.. autogradgraph::
   :include-source: no

   import torch
   权重 = torch.ones(3, requires_grad=True)
   held = {"WWWWWWWW <b>mmmm</b>": torch.ones(3, requires_grad=True)}
   損失 = (权重 * held["WWWWWWWW <b>mmmm</b>"]).sum()
"""

MEASURE = """
() => [...document.querySelectorAll('.autogradgraph-svg .node')].map(node => {
  const box = node.querySelector('rect').getBoundingClientRect();
  const text = node.querySelector('text').getBoundingClientRect();
  return {
    label: node.querySelector('text').textContent,
    left: text.left - box.left, right: box.right - text.right,
    top: text.top - box.top, bottom: box.bottom - text.bottom,
    width: box.width,
  };
})
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labels_fit_their_boxes(browser: Any, project: Project, theme: str, scheme: str) -> None:
    project.conf(f"html_theme = '{theme}'")
    project.write("linreg.py", LINREG)
    project.write("index.rst", PAGE)
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 900})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((build.out / "index.html").as_uri())
    boxes = page.evaluate(MEASURE)
    assert len(boxes) == 9 + 5
    for box in boxes:
        assert min(box["left"], box["right"]) > 2, box
        assert min(box["top"], box["bottom"]) >= 0, box
        assert abs(box["left"] - box["right"]) < 1, box  # centred
        assert box["left"] < 0.2 * box["width"] + 4, box  # and not lost in its box
    if theme == "furo":
        fill = page.evaluate(
            "getComputedStyle(document.querySelector('.leaf rect')).getPropertyValue('fill')"
        )
        assert fill == {"light": "rgb(219, 234, 254)", "dark": "rgb(18, 41, 77)"}[scheme]
    assert errors == []
    if where := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{where}/{theme}-{scheme}.png", full_page=True)
    page.close()


HOVER = """
Title
=====

.. code-block:: python

   import torch

   X, w = torch.ones(3, 2), torch.ones(2, 1, requires_grad=True)
   y_hat = torch.mm(X, w)
   l = (y_hat * 2).sum()

.. autogradgraph::
   :tensor: l
"""


def test_lines_and_nodes_mark_each_other(browser: Any, project: Project, theme: str) -> None:
    project.conf(f"html_theme = '{theme}'")
    project.write("index.rst", HOVER)
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    page.goto((build.out / "index.html").as_uri())

    def marked() -> list[str]:
        found: list[str] = page.evaluate(
            "[...document.querySelectorAll('.autogradgraph-marked')].map(e => e.textContent.trim())"
        )
        return sorted(found)

    mm = page.locator(".node", has_text="MmBackward0")
    line = page.locator(".autogradgraph-line", has_text="torch.mm")
    with_mm = sorted(["MmBackward0 y_hat (3, 1)", "y_hat = torch.mm(X, w)"])
    assert marked() == []
    line.hover()
    assert marked() == with_mm  # pointing at the line of torch.mm marks MmBackward0 alone
    before = mm.locator("rect").evaluate("e => getComputedStyle(e).strokeWidth")
    assert before == "2px"
    page.mouse.move(0, 0)
    assert marked() == []
    mm.locator("rect").hover()
    assert marked() == with_mm
    page.mouse.move(0, 0)
    page.locator(".autogradgraph-line", has_text="sum()").hover()
    assert [text.split()[0] for text in marked()] == ["MulBackward0", "SumBackward0", "l"]
    page.mouse.move(0, 0)
    line.focus()
    assert marked() == with_mm
    mm.locator("a.line").focus()
    assert marked() == with_mm
    page.keyboard.press("Enter")  # the link works, with the script and without
    page.wait_for_function(
        "href => location.hash === href", arg=mm.locator("a.line").get_attribute("href")
    )
    assert page.evaluate("document.querySelector(':target').textContent.trim()") == with_mm[1]
    page.close()


FOLDED = """
Title
=====

.. autogradgraph::
   :include-source: no

   import torch
   from torch import nn
   torch.manual_seed(0)
   encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 12)
   loss = encoder(torch.randn(2, 5, 8)).sum()

.. autogradgraph::
   :include-source: no

   import torch
   loss = torch.ones(3, requires_grad=True).sum()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_folded_figure_opens_step_by_step(
    browser: Any, project: Project, theme: str, scheme: str
) -> None:
    project.conf(f"html_theme = '{theme}'")
    project.write("index.rst", FOLDED)
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 1000})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((build.out / "index.html").as_uri())  # no server: from the disk
    figure, small = page.locator("figure").all()
    assert not small.get_by_role("button", name="Open").is_visible()
    canvas = figure.locator(".autogradgraph-canvas")
    # On one screen, and the names fit their boxes.
    assert canvas.bounding_box()["height"] <= 0.9 * 1000 + 1
    for box in page.evaluate(MEASURE):
        assert min(box["left"], box["right"], box["top"] + 1) > 0, box
    status = figure.get_by_role("status")
    assert status.inner_text() == "13 nodes drawn"
    close, open_ = (
        figure.get_by_role("button", name="Fold"),
        figure.get_by_role("button", name="Open"),
    )
    assert close.is_disabled()
    # By keyboard …
    open_.focus()
    page.keyboard.press("Enter")
    figure.locator(".node", has_text="encoder.layers.3.norm1").wait_for()
    assert open_.evaluate("e => e === document.activeElement")
    assert close.is_enabled()
    # … by pointing at a fold, which then stands open in view …
    figure.locator(".node.module", has_text="encoder.layers.3.linear1").click()
    weight = figure.locator(".node.leaf", has_text="encoder.layers.3.linear1.weight")
    weight.wait_for()
    outer, inner = canvas.bounding_box(), weight.bounding_box()
    assert outer["y"] - 200 < inner["y"] < outer["y"] + outer["height"] + 200
    assert open_.is_disabled()
    # … and back.
    close.click()
    close.click()
    assert status.inner_text() == "13 nodes drawn"
    assert figure.locator("svg").count() == 1
    # In full size, from where it comes back to the page.
    figure.get_by_role("button", name="Open").click()
    figure.locator(".node", has_text="encoder.layers.3.norm1").wait_for()
    figure.get_by_role("button", name="Full size").click()
    dialog = page.get_by_role("dialog", name="Full size")
    width = dialog.locator("svg").bounding_box()["width"]
    dialog.get_by_role("button", name="Larger").click()
    assert dialog.locator("svg").bounding_box()["width"] > 1.2 * width
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert canvas.locator("svg").count() == 1
    assert errors == []
    page.close()
