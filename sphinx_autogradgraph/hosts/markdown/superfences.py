"""The custom fence of SuperFences.

SuperFences takes any exception but its own to mean that this is no fence, and shows the text as
code.  Every error therefore has to be a :exc:`pymdownx.superfences.SuperFencesException`, or it
would be lost.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sphinx_autogradgraph.hosts.markdown.converters import page_host
from sphinx_autogradgraph.hosts.markdown.markdown_page import MarkdownPage
from sphinx_autogradgraph.hosts.markdown.site import site_at
from sphinx_autogradgraph.program.fences import SETUP, Fence

if TYPE_CHECKING:
    from markdown import Markdown

_HELD = "fence"
"""Name of the option through which the validator hands the fence to the formatter."""

_pages: WeakKeyDictionary[Markdown, MarkdownPage] = WeakKeyDictionary()
"""The current page of each converter."""

_lock = threading.Lock()


def validator(
    language: str,
    inputs: Mapping[str, str],
    options: dict[str, Any],
    attrs: dict[str, str],
    md: Markdown,
) -> bool:
    """Accept all options; errors in them are reported in place of the drawing."""
    options[_HELD] = dict(inputs)
    return True


def formatter(
    source: str,
    language: str,
    css_class: str,
    options: Mapping[str, Any],
    md: Markdown,
    *,
    classes: list[str] | None = None,
    id_value: str = "",
    attrs: Mapping[str, str] | None = None,
    **_: object,
) -> str:
    """Return the HTML of a fence's figure; empty for the fence ``autogradgraph-setup``.

    Raises :exc:`pymdownx.superfences.SuperFencesException` where a fault is to end the build: with
    ``strict`` in the settings, or in a strict build of a host that counts no warnings.
    """
    try:
        fence = Fence.of(language, options[_HELD], source, id_value, classes or ())
        if fence.language == SETUP:
            return ""
        page = _page_of(md)
        drawn = page.figure_of(fence)
        stops = page.host.raises or page.site.settings.strict
    except Exception:
        text = f"sphinx-autogradgraph itself failed; please report it:\n{traceback.format_exc()}"
        raise _superfences_exception(text) from None
    if drawn.warnings and stops:
        raise _superfences_exception("\n".join(drawn.warnings))
    return drawn.html


def _page_of(md: Markdown) -> MarkdownPage:
    """Return the page that is being converted; its first figure causes all to be drawn."""
    with _lock:
        page = _pages.get(md)
    # A converter that is used again has other lines.
    if page is None or page.lines is not md.lines:
        host = page_host(md)
        page = MarkdownPage(site_at(host.root, host.pages), host, md.lines)
        page.draw()
        with _lock:  # which is for the dictionary alone: pages may be drawn side by side
            _pages[md] = page
    return page


def _superfences_exception(text: str) -> Exception:
    from pymdownx.superfences import SuperFencesException

    return SuperFencesException(text)  # type: ignore[no-any-return]
