"""Draw again whenever a file of the program is saved (``autogradgraph watch``)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

from sphinx_autogradgraph.core.atomic_files import digest

QUIET = 20
"""Milliseconds without a change after which a save is complete: editors write in steps."""

LOOK_EVERY = 500
"""Interval of comparing files, in milliseconds, for changes that the system does not report."""

Draw = Callable[[], tuple[int, Iterable[str]]]
"""Function that draws once; it returns the exit status, and the program's files."""


def watch(draw: Draw, files: Iterable[str], say: Callable[[str], None]) -> int:
    """Draw now and after each change of content, until the user interrupts.

    ``files`` are those that are known before anything has run.  Returns the exit status: 2 if the
    first drawing was wrong usage.  Raises :exc:`ImportError` where watchfiles is not installed.
    """
    from watchfiles import watch as changes

    # What has been read is what counts: a file that is saved meanwhile has another content.
    known = {file: digest(file) for file in files}
    status = _draw(draw, known, say)
    if status == 2:
        return status
    try:
        while True:
            directories = sorted({os.path.dirname(file) for file in known})
            there = [directory for directory in directories if os.path.isdir(directory)]
            watched = set(known)
            for _ in changes(
                *there,
                watch_filter=None,
                debounce=5 * QUIET,
                step=QUIET,
                rust_timeout=LOOK_EVERY,
                yield_on_timeout=True,
                recursive=False,
            ):
                now = {file: digest(file) for file in known}
                if now != known:
                    known = now
                    _draw(draw, known, say)
                if set(known) != watched:
                    break  # there are more files to watch
    except KeyboardInterrupt:
        return 0


def _draw(draw: Draw, known: dict[str, str | None], say: Callable[[str], None]) -> int:
    begin = time.monotonic()
    status, files = draw()
    for file in files:
        if file not in known:
            known[file] = digest(file)
    if status == 0:
        say(f"drawn in {time.monotonic() - begin:.2f} s; waiting for changes")
    elif status != 2:
        say("waiting for changes; the last drawing stays")
    return status
