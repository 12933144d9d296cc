"""Diagnostics of programs whose process ended without an answer."""

from __future__ import annotations

import re
import signal
from typing import Literal

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.program.program import Program

Ended = int | Literal["timeout", "unsupervised"]
"""The end of a process: its exit status as in :class:`subprocess.Popen`, or why there is none.

``timeout``: it was killed after its time.  ``unsupervised``: it has ended or stopped the process
that would have told its status.
"""


def lost(ended: Ended, program: Program, dump: str = "") -> Diagnostic:
    """Return the diagnostic of a crash, with the author's line if ``dump`` tells it.

    ``dump`` is the output of :mod:`faulthandler`.
    """
    if ended == "unsupervised":
        return Diagnostic("crash", "the process that runs programs has ended unexpectedly")
    file, line = _place(dump, program)
    block = _block(program, file, line)
    if ended == "timeout":
        return Diagnostic(
            "timeout",
            "the program did not end within {seconds} seconds; give it more with :timeout: or "
            "autogradgraph_timeout, or let it do less",
            {"seconds": f"{program.timeout:g}"},
            file=file,
            line=line,
            block=block,
        )
    if ended < 0:
        return Diagnostic(
            "crash",
            "the program's process was ended by {signal}",
            {"signal": _signal_name(-ended)},
            file=file,
            line=line,
            block=block,
        )
    return Diagnostic(
        "crash",
        "the program ended its process with status {status} before it was through",
        {"status": str(ended)},
        file=file,
        line=line,
        block=block,
    )


def died_importing(ended: Ended | None) -> Diagnostic:
    """Return the diagnostic of a process that ended while it imported torch; None is unknown."""
    reason = Message("the process has ended")
    if isinstance(ended, int) and ended < 0:
        reason = Message("the process was ended by {signal}", {"signal": _signal_name(-ended)})
    elif isinstance(ended, int):
        reason = Message("the process ended with status {status}", {"status": str(ended)})
    return Diagnostic(
        "execution", "torch cannot be imported: {error}", {"error": reason}, build_wide=True
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


_FRAME = re.compile(r'^  File "(?P<path>.*)", line (?P<line>\d+)', re.MULTILINE)


def _place(dump: str, program: Program) -> tuple[str | None, int | None]:
    """Return file and line of the innermost frame of a block, in the thread that crashed."""
    current = dump.find("Current thread")
    files = {
        # faulthandler writes ASCII and escapes the rest.
        block.path.encode("ascii", "backslashreplace").decode(): block.file
        for block in program.blocks
    }
    for match in _FRAME.finditer(dump, max(current, 0)):
        if match["path"] in files:
            return files[match["path"]], int(match["line"])
    return None, None


def _block(program: Program, file: str | None, line: int | None) -> int | None:
    """Return the index of the block that contains the line."""
    for index, block in enumerate(program.blocks):
        lines = range(block.line, block.line + block.code.count("\n") + 1)
        if block.file == file and line in lines:
            return index
    return None
