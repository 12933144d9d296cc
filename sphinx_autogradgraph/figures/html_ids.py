"""Prefix of the HTML ids of a page."""

from __future__ import annotations

import re
import zlib


def page_slug(name: str) -> str:
    """Return the prefix of the HTML ids that this package makes on a page.

    It names the page, because some hosts put several on one.
    """
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name)
    if slug != name:  # «a/b» and «a-b» are two pages
        slug += f"-{zlib.crc32(name.encode()):08x}"
    return f"autogradgraph-{slug}"
