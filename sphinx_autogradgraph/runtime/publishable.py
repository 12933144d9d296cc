"""Results as they may be published: without places of this machine, and without control characters.

What a program says of itself ends on pages that anybody reads: the message of an exception, the key
of a dict that names a tensor.
"""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from sphinx_autogradgraph.program.author_files import torch_directory
from sphinx_autogradgraph.program.program import Program

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What would alter how the text around it is shown, or cannot be shown at all."""

_ESCAPED = re.compile(r"\\[bfu]")
"""What a control character, among others, is in JSON."""

_CODE = "source"
"""What is left as it is: the author's own lines, which pages are searched for."""

_dumps = json.dumps  # held: a program may replace it


class Publisher:
    """Makes what comes of a program publishable.

    Made before the program runs, which may alter where things are.
    """

    def __init__(self, program: Program) -> None:
        root = os.path.abspath(program.root)
        places = [
            (tempfile.gettempdir(), "<temp>"),
            (os.path.dirname(os.getcwd()), "<temp>"),  # that of the build, and of the worker
            (root, "."),
            (os.path.dirname(root), ".."),
            (sysconfig.get_path("purelib"), "<packages>"),
            (sysconfig.get_path("platlib"), "<packages>"),
            (os.path.dirname(torch_directory() or "") or "/", "<packages>"),
            (sys.prefix, "<python>"),
            (sys.base_prefix, "<python>"),
            (os.path.expanduser("~"), "~"),
            (program.directory, "."),
        ]
        self._names = dict(_forms(places))
        self._written = [json.dumps(form)[1:-1] for form in self._names]

    @cached_property
    def _places(self) -> re.Pattern[str]:
        longest = sorted(self._names, key=len, reverse=True)
        # A directory whose name only begins alike is another.
        return re.compile(rf"(?:{'|'.join(map(re.escape, longest))})(?![\w.-])")

    def text(self, text: str) -> str:
        """A text without the places of this machine, and without control characters."""
        text = self._places.sub(lambda match: self._names[match[0]], text)
        return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)

    def encode(self, data: Mapping[str, Any]) -> bytes:
        """The JSON of a result, all its messages and names made publishable."""
        targets = _dumps(data["targets"])
        # Else it is not worth a walk through large graphs.
        if _ESCAPED.search(targets) or any(place in targets for place in self._written):
            targets = _dumps(_mapped(data["targets"], self.text))
        rest = _dumps({key: value for key, value in data.items() if key != "targets"})
        return f'{{"targets": {targets}, {rest[1:]}'.encode()


def _forms(places: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """The places as they may stand in a text; what is too short to tell anything is none."""
    for path, name in places:
        for form in {path, os.path.realpath(path)}:
            if len(form.strip(os.sep)) > 1 and form.count(os.sep) > (1 if name == ".." else 0):
                yield form, name


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Plain data with each text changed.  What is unchanged is the same object."""
    if isinstance(value, str):
        return change(value) if len(value) > 1 else value
    if isinstance(value, dict):
        return {key: item if key in _CODE else _mapped(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mapped(item, change) for item in value]
    return value
