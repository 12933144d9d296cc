"""The page of a check's report, in headless Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.figures.test_report_files import write_sample

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_page(browser: Any, tmp_path: Path, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(color_scheme=scheme, viewport={"width": 1000, "height": 800})
    page.goto((write_sample(tmp_path) / "index.html").as_uri())
    found = Axe().run(page, options={"preload": False})
    violations = [
        (item["id"], [node["html"][:200] for node in item["nodes"]])
        for item in found.response["violations"]
    ]
    assert violations == []
    dashes = "getComputedStyle(document.querySelector('.node.{} > rect')).{}"
    assert page.evaluate(dashes.format("removed", "strokeDasharray")) != "none"
    assert page.evaluate(dashes.format("added", "strokeDasharray")) == "none"
    assert page.evaluate(dashes.format("added", "strokeWidth")) == "3.5px"
