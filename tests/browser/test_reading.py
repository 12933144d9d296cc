"""Reading aids, themes and accessibility, in headless Chromium."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Open, Sites

pytestmark = [pytest.mark.browser, pytest.mark.long]

STATIC = Path(__file__).parents[2] / "sphinx_autogradgraph" / "static"


EVERY_RULE = {
    rule: {"enabled": True}
    for rule in (
        "css-orientation-lock", "focus-order-semantics", "label-content-name-mismatch",
        "p-as-heading", "table-fake-caption", "target-size", "td-has-header",
    )
}  # fmt: skip
"""The rules that axe leaves out unless they are asked for, but for those of level AAA."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Open, theme: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page("reading", theme, color_scheme=scheme)
    large = page.locator("figure").nth(2)
    for _ in range(2):
        found = Axe().run(
            page,
            context={"include": [[".autogradgraph"], [".autogradgraph-table"]]},
            options={"preload": False, "rules": EVERY_RULE},  # it may load nothing from a disk
        )
        violations = [
            (item["id"], [node["html"][:200] for node in item["nodes"]])
            for item in found.response["violations"]
            # The words of captions have the theme's colours.
            if item["id"] != "color-contrast"
            or any("figcaption" not in str(node["target"]) for node in item["nodes"])
        ]
        assert violations == []
        large.get_by_role("button", name="Open").click()
        large.locator(".node", has_text="self_attn").first.wait_for()


CONTRAST = """
() => {
  const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = (text) => {
    const [r, g, b] = rgb(text).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  let page = document.querySelector(".autogradgraph");
  while (getComputedStyle(page).backgroundColor === "rgba(0, 0, 0, 0)" && page.parentElement) {
    page = page.parentElement;
  }
  const back = getComputedStyle(page).backgroundColor;
  const ground = back === "rgba(0, 0, 0, 0)" ? "rgb(255, 255, 255)" : back;
  const found = [];
  for (const group of document.querySelectorAll(".autogradgraph-svg .node, .autogradgraph-svg .legend")) {
    const shape = getComputedStyle(group.querySelector("rect, .note"));
    const fill = shape.fill === "none" ? ground : shape.fill;
    found.push({ what: group.textContent, kind: "outline", ratio: ratio(shape.stroke, ground) });
    for (const word of group.querySelectorAll("tspan")) {
      found.push({ what: word.textContent, kind: "text", ratio: ratio(getComputedStyle(word).fill, fill) });
    }
  }
  for (const edge of document.querySelectorAll(".autogradgraph-svg .edge path")) {
    const style = getComputedStyle(edge);
    const line = style.stroke === "none" ? style.fill : style.stroke;
    found.push({ what: "edge", kind: "outline", ratio: ratio(line, ground) });
  }
  return found;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough(open_page: Open, theme: str, scheme: str) -> None:
    page = open_page("reading", theme, color_scheme=scheme)
    measured = page.evaluate(CONTRAST)
    assert len(measured) > 60
    for item in measured:
        assert item["ratio"] >= {"text": 4.5, "outline": 3.0}[item["kind"]], item


def test_a_light_page_has_light_drawings(open_page: Open) -> None:
    """Alabaster has no dark scheme, whatever the reader's system prefers."""
    page = open_page("reading", "alabaster", color_scheme="dark")
    fill = "getComputedStyle(document.querySelector('.leaf rect')).fill"
    assert page.evaluate(fill) == "rgb(219, 234, 254)"
    # A theme that turns dark in a way of its own takes the drawings along.
    page.evaluate(
        "for (const e of document.querySelectorAll('body, body *:has(figure)'))"
        " e.style.backgroundColor = '#111'"
    )
    page.wait_for_function(f"{fill} === 'rgb(18, 41, 77)'")


def test_the_switch_of_the_theme(open_page: Open) -> None:
    page = open_page("reading", "furo", color_scheme="light")
    fill = "getComputedStyle(document.querySelector('.leaf rect')).fill"
    assert page.evaluate(fill) == "rgb(219, 234, 254)"
    page.evaluate("document.body.dataset.theme = 'dark'")
    page.wait_for_function(f"{fill} === 'rgb(18, 41, 77)'")
    page.evaluate("document.body.dataset.theme = 'light'")
    page.wait_for_function(f"{fill} === 'rgb(219, 234, 254)'")


def test_without_the_script(open_page: Open) -> None:
    page = open_page("reading", "furo", color_scheme="dark", java_script_enabled=False)
    assert page.locator(".autogradgraph-controls").count() == 0
    assert page.locator(".node").count() > 20
    assert page.locator("a.line").count() > 5
    assert "grad norm" in page.locator("figure").first.inner_text()


def test_forced_colors_and_print(open_page: Open) -> None:
    page = open_page("reading", "furo", color_scheme="dark", forced_colors="active")
    stroke = "getComputedStyle(document.querySelector('.leaf rect')).stroke"
    text = "getComputedStyle(document.querySelector('.node .name')).fill"
    assert page.evaluate(stroke) == page.evaluate(text)
    page.emulate_media(media="print", forced_colors="none", color_scheme="dark")
    fill = "getComputedStyle(document.querySelector('.leaf rect')).fill"
    assert page.evaluate(fill) == "rgb(219, 234, 254)"
    assert not page.locator(".autogradgraph-controls").first.is_visible()
    large = page.locator(".autogradgraph-canvas").nth(2)
    assert large.evaluate("e => e.scrollHeight <= e.clientHeight + 1")
    assert not page.locator(".autogradgraph-lists").first.is_visible()  # nobody can open it
    page.set_viewport_size({"width": 700, "height": 600})  # that of the page
    drawings = page.locator(".autogradgraph-svg").evaluate_all(
        "all => all.map(e => e.clientHeight)"
    )
    assert max(drawings) <= 0.85 * 600
    cut = "e => [e, e.parentElement].some(part => part.scrollWidth > part.clientWidth)"
    tables = page.locator("table.autogradgraph-table")
    assert [table.evaluate(cut) for table in tables.all()] == [False, False]


def test_the_path_of_a_node(open_page: Open) -> None:
    page = open_page("reading")
    figure = page.locator("figure").first
    figure.locator(".node", has_text="MmBackward0").locator("rect").first.hover()
    figure.locator(".autogradgraph-tracing").wait_for()
    path = figure.locator(".node.autogradgraph-path").all_text_contents()
    words = " ".join(path)
    for name in ("w", "MmBackward0", "AddBackward0", "SumBackward0"):
        assert name in words
    assert not any(re.search(r"\bb \(1,\)", text) for text in path)  # b is on no path of it
    assert figure.locator(".edge.autogradgraph-path").count() == 7
    page.mouse.move(0, 0)
    figure.locator(".autogradgraph-tracing").wait_for(state="detached")


def test_arrow_keys_walk_the_graph(open_page: Open) -> None:
    page = open_page("reading")
    figure = page.locator("figure").first
    assert figure.locator(".node[tabindex='0']").count() == 1  # one stop, and links
    focused = "document.activeElement.getAttribute('aria-label')"
    figure.locator(".node[tabindex='0']").focus()
    assert page.evaluate(focused).endswith(
        "w (2, 1) grad norm 10.94"
    ) or "w (2, 1)" in page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    assert "MmBackward0" in page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    assert "AddBackward0" in page.evaluate(focused)
    page.keyboard.press("ArrowUp")
    assert "MmBackward0" in page.evaluate(focused)
    page.keyboard.press("End")
    assert page.evaluate(focused) == "l ()"
    assert figure.locator(".node[tabindex='0']").count() == 1


def test_arrow_keys_follow_the_direction_of_the_data(open_page: Open) -> None:
    page = open_page("directions")
    focused = "document.activeElement.getAttribute('aria-label')"
    upward, sideways = page.locator("figure").all()
    for figure, there, back in (
        (upward, "ArrowUp", "ArrowDown"),
        (sideways, "ArrowRight", "ArrowLeft"),
    ):
        figure.locator(".node.leaf").focus()
        page.keyboard.press(there)
        assert page.evaluate(focused).startswith("MulBackward0")
        page.keyboard.press(back)
        assert page.evaluate(focused).startswith("w")


FORMULAS_ON_OTHERS = """
figure => {
  const rect = element => element.getBoundingClientRect();
  const others = [...figure.querySelectorAll(".node rect, text.carried")].map(rect);
  return [...figure.querySelectorAll(".autogradgraph-formula")].filter(formula => others.some(
    other => rect(formula).left + 1 < other.right && other.left + 1 < rect(formula).right
      && rect(formula).top + 2 < other.bottom && other.top + 2 < rect(formula).bottom,
  )).map(formula => formula.textContent);
}
"""


def test_the_passes_are_played(open_page: Open) -> None:
    page = open_page("reading")
    figure = page.locator("figure").first
    player = figure.get_by_role("group", name="Forward and backward, step by step")
    told = player.get_by_role("status")
    now = figure.locator(".node.autogradgraph-now")
    next_ = player.get_by_role("button", name="Next")
    formulas = figure.locator(".autogradgraph-formula")
    assert player.get_by_role("button", name="Back", exact=False).first.is_disabled()
    next_.focus()
    for _ in range(3):
        page.keyboard.press("Enter")
    assert "PowBackward0" in now.text_content()
    assert told.inner_text() == (
        "Step 3 of 8. PowBackward0 receives grad (10, 1), norm 1.581. It passes grad * 2 * self, "
        "norm 20.09, to SubBackward0; self is what SubBackward0 made."
    )
    assert formulas.all_text_contents() == ["grad * 2 * self"]
    right = formulas.evaluate("e => e.getBoundingClientRect().right")
    said = figure.locator(".autogradgraph-flow .carried")
    assert right < said.evaluate("e => e.getBoundingClientRect().x")  # not on the arrow's words
    assert figure.locator(".edge.autogradgraph-flow").count() == 1
    assert "** 2" in page.locator(".autogradgraph-line.autogradgraph-now").inner_text()
    for _ in range(5):
        page.keyboard.press("Enter")
        assert figure.evaluate(FORMULAS_ON_OTHERS) == []
    assert re.fullmatch(
        r"Step 8 of 8\. w receives grad \(2, 1\), norm 51\.02\. .*w\.grad.*", told.inner_text()
    )
    assert formulas.count() == 0
    assert figure.locator(".node.autogradgraph-done").count() == 7
    assert next_.is_disabled()
    player.get_by_role("button", name="Play backward").click()
    assert told.inner_text().startswith("Step 1 of 8")
    page.wait_for_function(
        "document.querySelector('.autogradgraph-player').textContent.startsWith('Step 2 of 8')"
    )
    player.get_by_role("button", name="Pause").click()
    # Forward: what is not computed yet is not there yet.
    player.get_by_role("button", name="Play forward").click()
    player.get_by_role("button", name="Pause").click()
    assert told.inner_text() == (
        "Step 1 of 6. Line 16, y_hat = torch.mm(X, w) + b: "
        "torch.mm gives (10, 1) and records MmBackward0."
    )
    assert figure.locator(".node.autogradgraph-ahead").count() == 6
    assert "torch.mm" in page.locator(".autogradgraph-line.autogradgraph-now").inner_text()
    for _ in range(5):
        next_.click()
    assert figure.locator(".autogradgraph-ahead").count() == 0
    # By order alone, the same without numbers.
    second = page.locator("figure").nth(1)
    second.get_by_role("button", name="Next").click()
    assert "of 8. Backward reaches SumBackward0." in second.inner_text()


def changed(page: Any, before: str) -> None:
    """Wait until the third figure of the page shows another drawing."""
    page.wait_for_function(
        "before => document.querySelectorAll('figure')[2].querySelector('svg')"
        ".getAttribute('aria-labelledby') !== before",
        arg=before,
    )


def test_search_in_a_large_graph(open_page: Open) -> None:
    page = open_page("reading")
    small, _, large = page.locator("figure").all()
    assert not small.get_by_role("searchbox").is_visible()
    open_ = large.get_by_role("button", name="Open")
    while open_.is_enabled():
        before = large.locator(".autogradgraph-canvas svg").get_attribute("aria-labelledby")
        open_.click()
        changed(page, before)
    search = large.get_by_role("searchbox", name="Search")
    search.fill("layers.4.norm1.weight")
    found = large.locator(".autogradgraph-hit")
    assert found.count() == 1
    search.press("Enter")
    hit = found.bounding_box()
    around = large.locator(".autogradgraph-canvas").bounding_box()
    assert around["y"] <= hit["y"] <= around["y"] + around["height"]
    found.locator("text").first.hover()  # pointing at a hit does not unmark it …
    page.mouse.move(0, 0)
    assert found.count() == 1
    search.fill("layers.4.norm1")
    before = large.locator(".autogradgraph-canvas svg").get_attribute("aria-labelledby")
    large.get_by_role("button", name="Fold").click()  # … and another level is searched as well
    changed(page, before)
    assert found.count() >= 1
    search.fill("")
    assert found.count() == 0


def test_the_drawing_is_copied_as_svg(open_page: Open) -> None:
    page = open_page("reading")
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async text => {"
        "window.copied = text}}})"
    )
    figure = page.locator("figure").first
    figure.hover()
    figure.get_by_role("button", name="Copy SVG").click()
    svg = page.evaluate("window.copied")
    assert svg.startswith("<svg")
    assert "rgb(219, 234, 254)" in svg
    page.set_content(svg)  # it stands alone, without our style sheet
    fill = "getComputedStyle(document.querySelector('.leaf rect')).fill"
    assert page.evaluate(fill) == "rgb(219, 234, 254)"


def test_pages_are_light(open_page: Open, sites: Sites) -> None:
    page = open_page("reading")
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
    packed = sum(
        len(gzip.compress((STATIC / name).read_bytes()))
        for name in ("autogradgraph.css", "autogradgraph.js")
    )
    assert packed < 15_000
    svg = re.search(r"<svg.*?</svg>", sites("furo").read("reading.html"), re.S)
    assert svg is not None
    assert len(svg[0].encode()) < 8_000
