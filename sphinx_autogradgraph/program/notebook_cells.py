"""Conversion of documents' code blocks to plain Python, line for line.

Documents hold doctest sessions, IPython sessions, cells with magics and shell commands, and
indented pieces.  The result has as many lines as the block, so that line numbers stay valid.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tokenize
from contextlib import suppress

PYTHON_LANGUAGES = frozenset({
    "python", "py", "python3", "py3", "sage", "pycon", "pycon3", "python-console", "doctest",
    "ipython", "ipython2", "ipython3", "ipythonconsole", "ipython-console",
})  # fmt: skip
"""Names, in lower case, by which documents mark a block as Python."""


def is_python(language: str) -> bool:
    """Whether a block of that language is Python."""
    return language.lower() in PYTHON_LANGUAGES


_IN_PROMPT = re.compile(r"^In \[\d+\]: ?", re.MULTILINE)
_MORE_PROMPT = re.compile(r"^ *\.\.\.+: ?")


def python_of(text: str) -> str:
    """Return the Python code in a block, with as many lines as the block.

    Of a doctest or IPython session, only the input counts; examples that are expected to raise, or
    are marked ``+SKIP``, are left out.  IPython's lines (``%matplotlib inline``, ``!pip``, ``x?``)
    become ``pass``; a cell in another language (``%%bash``) is left out.
    """
    text = textwrap.dedent(text.expandtabs())
    if text.lstrip().startswith(">>>"):
        return _typed_in_doctest(text)
    if _IN_PROMPT.search(text):
        text = _typed_in_ipython(text)
    return _without_magics(text)


def _blank(text: str) -> list[str]:
    return [""] * len(text.split("\n"))


def _typed_in_doctest(text: str) -> str:
    import doctest  # it brings unittest and pdb, and few pages have sessions

    lines = _blank(text)
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:  # no session after all: whoever runs it says so at its line
        return text
    for example in examples:
        if example.exc_msg is not None or example.options.get(doctest.SKIP):
            continue
        for offset, line in enumerate(example.source.rstrip("\n").split("\n")):
            lines[example.lineno + offset] = line
    return "\n".join(lines)


def _typed_in_ipython(text: str) -> str:
    lines = _blank(text)
    typed = False
    for number, line in enumerate(text.split("\n")):
        prompt = _IN_PROMPT.match(line) or (_MORE_PROMPT.match(line) if typed else None)
        typed = prompt is not None
        if prompt is not None:
            lines[number] = line[prompt.end() :]
    return "\n".join(lines)


_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%memit")
_SPACES = re.compile(r"(?<=\S) {2,}")
"""Long gaps in a line, which tell nothing and over which the tokenizer of Python 3.11 is slow."""

_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_MAGIC = re.compile(
    r"""
    (?P<indent>[ ]*)
    (?: [%!].* | \?+[\w.%]+ | [\w.%]+\?+ | [\w,][\w, ]*=\s*[%!].* )
    \s*
    """,
    re.VERBOSE,
)


def _without_magics(text: str) -> str:
    """Return the code without IPython's lines.

    Code that parses as Python has none: a ``%`` in it is an operator.
    """
    if _parses(text):
        return text
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and not first.startswith(_PYTHON_CELLS):
        return "\n".join(_blank(text))
    _replace_magics(lines)
    return "\n".join(lines)


def _replace_magics(lines: list[str]) -> None:
    """Replace IPython's lines in a list of lines by ``pass``.

    The tokenizer asks for one line after the other, and has by then told where statements end: a
    line that continues one, in an open bracket or string, is no magic.
    """
    count = 0  # of the lines that have been read
    begins = True  # whether the next line begins a statement

    def readline() -> str:
        nonlocal begins, count
        if count == len(lines):
            return ""
        line = lines[count]
        magic = _MAGIC.fullmatch(line) if begins else None
        if magic is not None:
            line = lines[count] = magic["indent"] + "pass"
        begins = False
        count += 1
        return _SPACES.sub(" ", line) + "\n"

    while count < len(lines):
        # After a line that is no Python at all, another statement begins.
        depth, begins = 0, True
        with suppress(SyntaxError, UnicodeError, tokenize.TokenError):
            for token in tokenize.generate_tokens(readline):
                if token.type in (tokenize.NEWLINE, tokenize.NL):
                    begins = depth <= 0
                elif token.type == tokenize.OP:
                    depth += (token.string in _OPENING) - (token.string in _CLOSING)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # nested too deeply, too
        return False
    return True
