"""``autogradgraph-myst``, an executable plugin of mystmd and Jupyter Book 2.

mystmd runs it without arguments for its specification; with ``--directive NAME`` once for each
directive, which then only leaves a marker; and with ``--transform NAME`` once for each page, which
is where the page's programs run and markers become figures.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sphinx_autogradgraph.hosts.markdown.converters import MYST, project_root
from sphinx_autogradgraph.hosts.myst.myst_tree import MARKER, Node, walk
from sphinx_autogradgraph.program.fences import FIGURE, SETUP


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer mystmd on standard output; return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words:
        _answer(spec())
        return 0
    kind, data = words[0], json.load(sys.stdin)
    if kind == "--directive":
        _answer([marker(data)])
        return 0
    if kind != "--transform":
        print("usage: autogradgraph-myst [--directive NAME | --transform NAME]", file=sys.stderr)
        return 2
    if any(node["type"] == MARKER for node, _ in walk(data)):
        from sphinx_autogradgraph.hosts.myst.myst_page import draw_page

        root = project_root(Path.cwd(), [MYST])
        with _one_at_a_time(root):
            warnings, ends = draw_page(data, root)
        for text in warnings:
            print(text, file=sys.stderr)
        if ends:
            return 1
    _answer(data)
    return 0


def _answer(data: object) -> None:
    json.dump(data, sys.stdout)


def spec() -> Node:
    """Return the plugin's specification for mystmd: directives and the transform."""
    from sphinx_autogradgraph.figures.options import DECLARATIONS

    options = {
        name: {
            "type": "myst" if name == "caption" else "string",
            "doc": declared.short or declared.form,
        }
        for name, declared in DECLARATIONS.items()
    }
    options["form"] = {"type": "string", "doc": "svg (an image, the default) or mermaid"}
    figure = {
        "name": FIGURE,
        "doc": "Draw the autograd graph of a tensor of a program.",
        "arg": {"type": "string", "doc": "path/to/file.py[:name] or package.module:name"},
        "options": options,
        "body": {"type": "string", "doc": "the program"},
    }
    setup = {
        "name": SETUP,
        "doc": "Run code of the page's program and show nothing.",
        "body": {"type": "string", "doc": "the code"},
    }
    transform = {"name": MARKER, "doc": "Put the figures in.", "stage": "document"}
    return {"name": "autogradgraph", "directives": [figure, setup], "transforms": [transform]}


def marker(data: Node) -> Node:
    """Return the marker node of a directive, which the transform replaces."""
    node = data.get("node", {})
    return {
        "type": MARKER,
        "position": node.get("position"),
        "data": {
            "name": data["name"],
            "arg": data.get("arg"),
            "options": data.get("options") or {},
            "body": data.get("body") or "",
        },
    }


@contextlib.contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """Hold a lock, so that only one of the transforms that mystmd runs at once starts torch."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    # The lock is on the directory itself, so no file is left behind.
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
