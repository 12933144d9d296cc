"""Draw again whenever a file of the program is saved (``autogradgraph watch``)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

from sphinx_autogradgraph.program.observations import Kind, Observation, Present

QUIET = 20
"""Milliseconds without a change after which a save is complete: editors write in steps."""

LOOK_EVERY = 500
"""Interval of comparing files, in milliseconds, for changes that the system does not report."""

_WATCHED = ("file", "module", "listing")
"""The kinds of observations that a save can change."""

Draw = Callable[[], tuple[int, Iterable[Observation]]]
"""Function that draws once; it returns the exit status, and what the program looked at."""

_Key = tuple[Kind, str, str]


def watch(draw: Draw, files: Iterable[str], say: Callable[[str], None]) -> int:
    """Draw now and after each change of content, until the user interrupts.

    ``files`` are those that are known before anything has run.  Returns the exit status: 2 if the
    first drawing was wrong usage.  Raises :exc:`ImportError` where watchfiles is not installed.
    """
    from watchfiles import watch as changes

    # What has been read is what counts: a file that is saved meanwhile has another content.
    known = _present(("file", file, "") for file in files)
    status = _draw(draw, known, say)
    if status == 2:
        return status
    try:
        while True:
            directories = {
                os.path.dirname(path) if kind == "file" else path for kind, path, _ in known
            }
            there = [directory for directory in sorted(directories) if os.path.isdir(directory)]
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
                now = _present(known)
                if now != known:
                    known = now
                    _draw(draw, known, say)
                if set(known) != watched:
                    break  # there are more files to watch
    except KeyboardInterrupt:
        return 0


def _present(keys: Iterable[_Key]) -> dict[_Key, str | None]:
    present = Present({})
    return {key: present.value(*key) for key in keys}


def _draw(draw: Draw, known: dict[_Key, str | None], say: Callable[[str], None]) -> int:
    begin = time.monotonic()
    status, observed = draw()
    for found in observed:
        if found.kind == "listing":  # the program may have written files there itself
            known.update(_present([found[:3]]))
        elif found.kind in _WATCHED:
            known.setdefault(found[:3], found.value)
    if status == 0:
        say(f"drawn in {time.monotonic() - begin:.2f} s; waiting for changes")
    elif status != 2:
        say("waiting for changes; the last drawing stays")
    return status
