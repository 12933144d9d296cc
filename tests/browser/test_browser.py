"""Pages as a reader sees them, in headless Chromium."""

from __future__ import annotations

import os

import pytest

from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.long]

MEASURE = """
() => [...document.querySelectorAll('.autogradgraph-svg .node')].map(node => {
  const box = node.querySelector('rect').getBoundingClientRect();
  const texts = [...node.querySelectorAll('text')];
  const lines = texts.map(text => text.getBoundingClientRect());
  return {
    label: texts.map(text => text.textContent).join('\\n'),
    left: Math.min(...lines.map(line => line.left)) - box.left,
    right: box.right - Math.max(...lines.map(line => line.right)),
    top: Math.min(...lines.map(line => line.top)) - box.top,
    bottom: box.bottom - Math.max(...lines.map(line => line.bottom)),
    width: box.width,
  };
})
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labels_fit_their_boxes(open_page: Open, theme: str, scheme: str) -> None:
    page = open_page("labels", theme, color_scheme=scheme)
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
    if where := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{where}/{theme}-{scheme}.png", full_page=True)


def test_lines_and_nodes_mark_each_other(open_page: Open, theme: str) -> None:
    page = open_page("lines", theme)

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_folded_figure_opens_step_by_step(open_page: Open, theme: str, scheme: str) -> None:
    page = open_page("folded", theme, color_scheme=scheme)
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


ZOOM = "e => e.getBoundingClientRect().width / e.viewBox.baseVal.width"


def test_full_size_has_a_zoom_that_stays(open_page: Open) -> None:
    page = open_page("folded")
    figure = page.locator("figure").first
    canvas = figure.locator(".autogradgraph-canvas")
    figure.get_by_role("button", name="Open").click()
    figure.locator(".node", has_text="encoder.layers.3.norm1").first.wait_for()
    width = canvas.locator("svg").bounding_box()["width"]
    figure.get_by_role("button", name="Full size").click()
    dialog = page.get_by_role("dialog", name="Full size")
    svg = dialog.locator("svg")
    assert svg.evaluate(ZOOM) == pytest.approx(1, abs=0.01)
    dialog.get_by_role("button", name="Larger").click()
    assert svg.evaluate(ZOOM) == pytest.approx(1.25, abs=0.01)
    # What a fold opens to is as large, and stands where the fold was.
    fold = dialog.locator(".node.module", has_text="encoder.layers.3.linear1")
    fold.scroll_into_view_if_needed()
    before = fold.bounding_box()
    fold.click()
    weight = dialog.locator(".node.leaf", has_text="encoder.layers.3.linear1.weight")
    weight.wait_for()
    assert svg.evaluate(ZOOM) == pytest.approx(1.25, abs=0.01)
    after = page.evaluate("document.activeElement.getBoundingClientRect().y")
    assert abs(after - before["y"]) < 40
    # Both come back to the page as they were.
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert canvas.locator("svg").count() == 1
    assert "px" not in canvas.locator("svg").get_attribute("style")
    close = figure.get_by_role("button", name="Fold")
    close.click()
    page.wait_for_function("document.querySelectorAll('.node.leaf').length < 10")
    assert canvas.locator("svg").bounding_box()["width"] == pytest.approx(width, abs=1)


def test_opening_a_level_keeps_the_place_of_the_reader(open_page: Open) -> None:
    page = open_page("folded", has_touch=True)
    figure = page.locator("figure").first
    figure.get_by_role("button", name="Open").click()
    figure.locator(".node", has_text="encoder.layers.3.norm1").first.wait_for()
    fold = figure.locator(".node.module", has_text="encoder.layers.9.linear1")
    fold.scroll_into_view_if_needed()
    before = fold.bounding_box()
    fold.tap()
    figure.locator(".node.leaf", has_text="encoder.layers.9.linear1.weight").wait_for()
    after = page.evaluate("(({x, y}) => ({x, y}))(document.activeElement.getBoundingClientRect())")
    assert abs(after["y"] - before["y"]) < 40


def test_a_wide_table_scrolls_by_itself(open_page: Open) -> None:
    """Alabaster puts no box around tables: the whole page would scroll."""
    page = open_page("reading", "alabaster", viewport={"width": 360, "height": 800})
    tables = page.locator("table.autogradgraph-table").all()
    assert any(table.evaluate("e => e.scrollWidth > e.clientWidth") for table in tables)
    for table in tables:
        assert table.evaluate("e => e.getBoundingClientRect().right <= innerWidth")


CANVAS_SVG = ".autogradgraph-canvas svg"

SMALLEST = f"""svg => ({ZOOM})(svg) * Math.min(
  ...[...svg.querySelectorAll("text")].map(text => parseFloat(getComputedStyle(text).fontSize)))"""
"""Size of the smallest letters of a drawing, in pixels of the screen."""


def test_small_screens_need_no_scrolling_for_small_graphs(open_page: Open) -> None:
    """Where data flows down, up to nine nodes fit on a telephone, in words of at least 9 pixels."""
    for name in ("labels", "lines", "reading"):
        page = open_page(name, viewport={"width": 360, "height": 800})
        seen = 0
        for canvas in page.locator(".autogradgraph-canvas").all():
            svg = canvas.locator("svg")
            assert svg.evaluate(SMALLEST) >= 8.99, name
            if svg.locator(".node").count() <= 9:
                assert canvas.evaluate("e => e.scrollWidth <= e.clientWidth"), name
                seen += 1
            else:  # what scrolls begins at the output
                around, output = canvas.bounding_box(), svg.locator(".node.output").bounding_box()
                assert around["x"] <= output["x"] + output["width"] / 2
                assert output["x"] + output["width"] / 2 <= around["x"] + around["width"]
        assert seen
        page.set_viewport_size({"width": 240, "height": 800})  # even there
        assert all(svg.evaluate(SMALLEST) >= 8.99 for svg in page.locator(CANVAS_SVG).all()), name


COVERED = """
figure => {
  const rects = (selector) => [...figure.querySelectorAll(selector)].map(
    element => element.getBoundingClientRect());
  const buttons = rects(".autogradgraph-quiet button:not([hidden])");
  const words = rects(".node rect, svg text");
  return buttons.map(button => words.filter(word =>
    word.left < button.right && button.left < word.right
    && word.top < button.bottom && button.top < word.bottom).length);
}
"""


def test_what_shows_when_a_drawing_is_pointed_at_covers_nothing_of_it(open_page: Open) -> None:
    for name in ("labels", "lines", "directions"):  # in a column that the drawings fill
        page = open_page(name, viewport={"width": 500, "height": 900})
        for figure in page.locator("figure").all():
            figure.locator("svg").hover()
            covered = figure.evaluate(COVERED)
            assert covered, name
            assert not any(covered), name
            figure.get_by_role("button", name="Copy SVG").click(trial=True)
