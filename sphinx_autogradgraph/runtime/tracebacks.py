"""Conversion of a program's exception to a Diagnostic with the author's line and frames."""

from __future__ import annotations

import builtins
import keyword
import linecache
import re
import traceback
from collections.abc import Sequence
from types import TracebackType

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.program.author_files import is_authors
from sphinx_autogradgraph.program.program import Block, Program, display_path

MAX_FRAMES = 8
"""Maximum number of the author's frames shown; of a deep recursion, both ends are."""

MAX_MESSAGE = 2_000
"""Maximum number of characters of an exception's message shown."""


def diagnostic_of(error: BaseException, program: Program, *, what: str = "") -> Diagnostic:
    """Return the diagnostic for an exception that the program raised.

    ``what`` names the code that raised it where that is no line of the program: the expression of
    ``:tensor:``.
    """
    frames = _author_frames(error.__traceback__, program)
    summary = f"{type(error).__name__}: {_message(error)}".removesuffix(": ")
    first, _, rest = summary.partition("\n")
    place = frames[-1] if frames else None
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        file = _display(error.filename, program)
        if file is not None:
            text = (error.text or "").strip()
            place = (file, error.lineno, "", text)
            frames.append(place)
    detail = [line for frame in _shortened(frames) for line in frame]
    if frames or rest:
        detail.append(summary)
    values: dict[str, str | Message] = {"what": what, "error": first}
    if program.memory is not None and _is_of_memory(error):
        limit = {"error": first, "memory": str(program.memory)}
        values["error"] = Message(
            "{error} (a program may take {memory} MiB: autogradgraph_memory)", limit
        )
    hint = _hint(error, program)
    if hint is not None:
        values["error"] = Message("{error} ({hint})", {"error": values["error"], "hint": hint})
    raised = Message("{what} raised {error}", values) if what else Message("{error}", values)
    return Diagnostic(
        "execution",
        raised.text,
        raised.values,
        file=place[0] if place else None,
        line=place[1] if place else None,
        detail="\n".join(detail),
    )


_GUARD = re.compile(r"""^if\s+__name__\s*==\s*["']__main__["']\s*:""", re.MULTILINE)


def _hint(error: BaseException, program: Program) -> Message | None:
    """Return a hint at the likely cause of two mistakes that look like something else."""
    blocks = program.blocks
    inline = len(blocks) == 1 and not blocks[0].path.endswith(".py")
    if isinstance(error, SyntaxError) and inline and _is_prose(blocks[0].code):
        return Message("what stands below the options is code; a caption is the option :caption:")
    guarded = program.module != "__main__" and any(_GUARD.search(block.code) for block in blocks)
    if isinstance(error, NameError) and guarded:
        return Message(
            "a file runs as if it were imported: what stands below its __main__ guard does not run"
        )
    return None


def _is_prose(code: str) -> bool:
    """Whether a text begins with prose: two words in a row, with which no code begins."""
    words = re.match(r"\W*(\w+) \w+", code)
    if words is None or hasattr(builtins, words[1]):  # «print loss» is code of Python 2
        return False
    return not keyword.iskeyword(words[1])


def _is_of_memory(error: BaseException) -> bool:
    """Whether the error says that Python or torch ran out of memory."""
    return isinstance(error, MemoryError) or "can't allocate memory" in _message(error)


Frame = tuple[str, int, str, str]
"""A frame: file as displayed, line, function, text of the line."""


def _author_frames(trace: TracebackType | None, program: Program) -> list[Frame]:
    found = []
    for frame in traceback.extract_tb(trace):
        file = _display(frame.filename, program)
        if file is not None and frame.lineno is not None:
            found.append((file, frame.lineno, frame.name, (frame.line or "").strip()))
    return found


def _display(path: str, program: Program) -> str | None:
    """Return the displayed name of an author's file; None for a file that is not the author's."""
    for block in program.blocks:
        if block.path == path:
            return block.file
    return display_path(path, program.root) if is_authors(path) else None


def _shortened(frames: Sequence[Frame]) -> list[list[str]]:
    lines = [_frame_lines(frame) for frame in frames]
    if len(lines) <= MAX_FRAMES:
        return lines
    half = MAX_FRAMES // 2
    return [*lines[:half], [f"  … {len(lines) - 2 * half} more calls …"], *lines[-half:]]


def _frame_lines(frame: Frame) -> list[str]:
    file, line, function, text = frame
    within = f", in {function}" if function else ""
    return [f'File "{file}", line {line}{within}', *([f"  {text}"] if text else [])]


def _message(error: BaseException) -> str:
    try:
        text = str(error.msg) if isinstance(error, SyntaxError) else str(error)
    except BaseException:  # the author's own __str__, which may as well exit
        text = "(its message cannot be shown)"
    if len(text) > MAX_MESSAGE:
        text = f"{text[:MAX_MESSAGE]}… ({len(text) - MAX_MESSAGE} more characters)"
    return "".join(
        char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def cache_lines(blocks: tuple[Block, ...]) -> None:
    """Tell :mod:`linecache` the lines of the blocks, for tracebacks and ``inspect.getsource``.

    The file itself would not do for code in a document: there it is indented.
    """
    for path in {block.path for block in blocks}:
        lines: list[str] = []
        for block in blocks:
            if block.path == path:
                code = block.code.split("\n")
                end = block.line - 1 + len(code)
                lines += ["\n"] * (end - len(lines))
                lines[block.line - 1 : end] = [f"{line}\n" for line in code]
        linecache.cache[path] = (sum(map(len, lines)), None, lines, path)
