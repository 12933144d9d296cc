"""The answer of a program's run, from what its process has left in the directory of the run."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.crashes import Ended, lost
from sphinx_autogradgraph.runtime.result import Result
from sphinx_autogradgraph.runtime.worker_command import ANSWER, DUMP


def outcome(scratch: str, ended: Ended, program: Program) -> bytes:
    """Return the answer of a program that has ended, or one that says why there is none."""
    answer = os.path.join(scratch, ANSWER)
    if ended == 0 and os.path.exists(answer):
        return Path(answer).read_bytes()
    if ended == 0 and os.path.exists(f"{answer}.part"):
        return without_space(program, os.strerror(errno.ENOSPC))
    dump = _read_dump(scratch)
    if dump.startswith("Timeout"):  # the process had a timer of its own
        ended = "timeout"
    return _answer(program, lost(ended, program, dump))


def without_space(program: Program, reason: str) -> bytes:
    """Return the answer for a program whose answer cannot be written."""
    diagnostic = Diagnostic(
        "execution",
        "nothing can be written where temporary files go: {reason}; make room there, or have "
        "TMPDIR name another directory",
        {"reason": reason},
        build_wide=True,
    )
    return _answer(program, diagnostic)


def _answer(program: Program, diagnostic: Diagnostic) -> bytes:
    result = Result.of_diagnostic(diagnostic, len(program.targets))
    return json.dumps(result.to_dict()).encode()


def _read_dump(scratch: str) -> str:
    try:
        with open(os.path.join(scratch, DUMP), "rb") as file:
            return file.read(100_000).decode(errors="replace")
    except OSError:
        return ""
