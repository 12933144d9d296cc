"""Pages in headless Chromium: one site, built once for each theme."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from tests.browser.pages import PAGES
from tests.conftest import LINREG, Build, Project

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


# Before pytest-xdist looks at the groups.  Each process with one of these tests builds the sites.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "sites" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("browser"))


Sites = Callable[[str], Build]
"""Builds the site with a theme, once."""

Open = Callable[..., Any]
"""Opens a page of the site: its name, the theme, and options of the browser's context."""


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    @cache
    def built(theme: str) -> Build:
        project = Project(tmp_path_factory.mktemp(theme))
        project.conf(f"html_theme = '{theme}'\nexclude_patterns = ['_build']")
        project.write("linreg.py", LINREG)
        for name, text in PAGES.items():
            project.write(f"{name}.rst", text)
        listed = "".join(f"   {name}\n" for name in PAGES)
        project.write("index.rst", f"Title\n=====\n\n.. toctree::\n\n{listed}")
        build = project.build("html", "-W")
        assert build.status == 0, build.stderr
        return build

    return built


@pytest.fixture
def open_page(browser: Any, sites: Sites) -> Iterator[Open]:
    """Opens pages, from the disk, which keep their ``errors`` and ``requests``."""
    pages = []

    def open_(name: str, theme: str = "furo", **options: Any) -> Any:
        page = browser.new_page(**{"viewport": {"width": 1200, "height": 1000}, **options})
        pages.append(page)
        page.errors, page.requests = [], []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda message: page.errors.append(message.text))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto((sites(theme).out / f"{name}.html").as_uri())
        return page

    yield open_
    for page in pages:
        assert page.errors == []
        page.close()
