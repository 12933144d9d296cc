"""Results made fit to publish, without paths of this machine and control characters.

Texts from a program end up on public pages: the message of an exception, the key of a dict that
names a tensor.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any
from urllib.parse import quote

from sphinx_autogradgraph.program.author_files import torch_directory
from sphinx_autogradgraph.program.program import Program

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that change how the text around them is shown, or that cannot be shown."""

_ESCAPED = re.compile(r"\\[bfu]")
"""The form of a control character, among others, in JSON."""

_ABSOLUTE = re.compile(r"/(?<![\w.~>/-]/)\w")
"""The beginning of an absolute path, among others."""

_ABSOLUTE_TOO = (":\\\\", "%2F")
"""Texts in the beginning of a path of Windows, in JSON, and of one in an address.

They are not in the pattern because it is searched for quickly by the slash that it begins with.
"""

_CODE = "source"
"""Key of the texts that stay unchanged: the author's own lines, which are searched for in pages."""

_dumps = json.dumps  # held: a program may replace it


class Publisher:
    """Removes private paths and control characters from the results of a program.

    Create it before the program runs, since that may change the working directory or environment.
    """

    def __init__(self, program: Program) -> None:
        root = os.path.abspath(program.root)
        temporary = [
            (tempfile.gettempdir(), "<temp>"),
            (os.path.dirname(os.getcwd()), "<temp>"),  # that of the build, and of the worker
        ]
        own = [(root, "."), (os.path.dirname(root), "..")]
        last = [(os.path.expanduser("~"), "~"), (program.directory, ".")]
        self._names = {**_forms([*temporary, *own]), **_installation(), **_forms(last)}

    @cached_property
    def _places(self) -> re.Pattern[str]:
        longest = sorted(self._names, key=len, reverse=True)
        # A directory whose name only begins alike is another.
        return re.compile(rf"(?:{'|'.join(map(re.escape, longest))})(?![\w.-])")

    def text(self, text: str) -> str:
        """Return a text without paths of this machine and control characters."""
        text = self._places.sub(lambda match: self._names[match[0]], text)
        return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)

    def _note_modules(self) -> None:
        """Know the directories of imported modules, too, as those of editable packages."""
        known = tuple(os.path.join(place, "") for place in self._names)
        others = {place for place in _of_modules() if not os.path.join(place, "").startswith(known)}
        self._names |= _forms((place, "<packages>") for place in others)

    def encode(self, data: Mapping[str, Any]) -> bytes:
        """Return the JSON of a result with all its messages and names made publishable."""
        targets = _dumps(data["targets"])
        if _ABSOLUTE.search(targets) or any(text in targets for text in _ABSOLUTE_TOO):
            self._note_modules()
        # Else it is not worth a walk through large graphs.
        written = (_dumps(form)[1:-1] for form in self._names)
        if _ESCAPED.search(targets) or any(place in targets for place in written):
            targets = _dumps(_mapped(data["targets"], self.text))
        rest = _dumps({key: value for key, value in data.items() if key != "targets"})
        return f'{{"targets": {targets}, {rest[1:]}'.encode()


@cache
def _installation() -> Mapping[str, str]:
    """Return the forms of the directories of Python and of installed packages."""
    return _forms(
        [
            (sysconfig.get_path("purelib"), "<packages>"),
            (sysconfig.get_path("platlib"), "<packages>"),
            (os.path.dirname(torch_directory() or "") or "/", "<packages>"),
            (sys.prefix, "<python>"),
            (sys.base_prefix, "<python>"),
        ]
    )


def _of_modules() -> Iterator[str]:
    """Yield the directories in which the imported modules were found."""
    for name, module in list(sys.modules.items()):
        if "." not in name:
            with contextlib.suppress(Exception):  # whatever the program has put there
                directory, file = os.path.split(module.__file__ or "")
                if file.startswith("__init__."):
                    directory = os.path.dirname(directory)
                yield directory


def _forms(places: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the forms in which paths may stand in a text, but for those too short to matter."""
    return {
        form: name
        for path, name in places
        for real in {path, os.path.realpath(path)}
        if len(real.strip(os.sep)) > 1 and real.count(os.sep) > (1 if name == ".." else 0)
        for form in {real, quote(real), quote(real, "")}  # as in the address of a file
    }


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Apply a function to each text of plain data; unchanged parts are the same objects."""
    if isinstance(value, str):
        return change(value) if len(value) > 1 else value
    if isinstance(value, dict):
        return {key: item if key in _CODE else _mapped(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mapped(item, change) for item in value]
    return value
