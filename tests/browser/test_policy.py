"""Pages under a strict content security policy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.browser.conftest import Sites

pytestmark = [pytest.mark.browser, pytest.mark.long]

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(event.effectiveDirective);
});
"""

OF_THE_THEME = """
[...document.querySelectorAll("script:not([src])")].filter(e => !e.closest("figure")).length
"""


class Strict(SimpleHTTPRequestHandler):
    """Serves files with the policy, and tells nobody."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def address(sites: Sites) -> Iterator[str]:
    handler = partial(Strict, directory=str(sites("alabaster").out))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_pages_work_under_a_strict_policy(browser: Any, address: str) -> None:
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    page.add_init_script(WATCH)
    page.goto(f"{address}/folded.html")
    figure = page.locator("figure").first
    svg = figure.locator("svg")
    natural = "e => e.getBoundingClientRect().width / e.viewBox.baseVal.width"
    assert svg.evaluate(natural) <= 1.01  # the width of the drawing is known
    figure.get_by_role("button", name="Open").click()
    figure.locator(".node", has_text="encoder.layers.3.norm1").first.wait_for()
    figure.get_by_role("button", name="Full size").click()
    dialog = page.get_by_role("dialog", name="Full size")
    dialog.get_by_role("button", name="Larger").click()
    assert dialog.locator("svg").evaluate(natural) == pytest.approx(1.25, abs=0.01)
    page.keyboard.press("Escape")
    assert svg.evaluate(natural) <= 1.01
    # What was held back are scripts of the theme, and styles that our script could set.
    violations = page.evaluate("violations")
    assert violations.count("script-src-elem") == page.evaluate(OF_THE_THEME)
    assert set(violations) <= {"script-src-elem", "style-src-attr"}
    page.close()
