"""``trace``, ``draw`` and ``record``: autograd graphs from Python, in notebooks and scripts."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from types import FrameType
from typing import Any

import torch

from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.core.settings import COLUMN
from sphinx_autogradgraph.core.show import Show
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.program.author_files import is_authors
from sphinx_autogradgraph.program.program import display_path, extras_of
from sphinx_autogradgraph.render.diagram import Direction
from sphinx_autogradgraph.render.drawing import Drawing
from sphinx_autogradgraph.tracing.fates import explanation
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.provenance import Recorder
from sphinx_autogradgraph.tracing.pytree import tensors_in, variables
from sphinx_autogradgraph.tracing.targets import drawable, passed_over
from sphinx_autogradgraph.tracing.walk import trace_tensors
from sphinx_autogradgraph.views.choice import FoldWord, Scope, fold_words

Params = Mapping[str, torch.Tensor]

_recorded: Recorder | None = None
"""The recorder of the last :class:`record`."""


def trace(value: object, *, params: Params | None = None) -> Graph:
    """Trace the autograd graph of a tensor, or of all in a tuple, list, dict or dataclass.

    Tensors have the names of the caller's variables, or those of ``params``
    (``dict(net.named_parameters())``), which come first.  What was recorded (see
    :class:`record`) is in it.  Nothing is run or changed.  Raises :exc:`ValueError`, with the
    reason, if no tensor of ``value`` has a graph.
    """
    return trace_from(value, sys._getframe(1), params or {})


def trace_from(value: object, caller: FrameType, params: Params) -> Graph:
    """Trace as :func:`trace` does, with the names of the variables in the frame ``caller``."""
    graph, _ = _trace(value, caller, params, ())
    return graph


def draw(
    value: object,
    *,
    params: Params | None = None,
    show: str | Sequence[Show] = ("shape",),
    direction: Direction = "TB",
    depth: int | None = None,
    fold: str | Sequence[FoldWord] | None = None,
    around: str | None = None,
    until: str | None = None,
    width: float | None = COLUMN,
) -> Drawing:
    """Draw the autograd graph of ``value``, which is what :func:`trace` takes.

    All options are those of the directive; for ``inputs``, ``calls``, modules and lines compute
    ``value`` under :class:`record`.  ``width`` is the pixels of the column that the drawing is
    made for; None for one line of words a box, at any width.  With ``gradients`` in ``show`` one
    backward is run, and the graph is retained.  Raises :exc:`ValueError` as :func:`trace` does, and
    for words and names that there are not.
    """
    scope = Scope(depth, fold_words(_words(fold or ())), around, until)
    shown: Any = _words(show)  # Drawing checks them
    graph, notes = _trace(value, sys._getframe(1), params or {}, shown)
    return Drawing(graph, show=shown, direction=direction, scope=scope, width=width, notes=notes)


def explain(value: object, *, params: Params | None = None) -> str:
    """Explain why each tensor and parameter of the program is in the graph of ``value`` or not.

    A line for each, or for several of one fate, with the line of code that cut it off where
    ``value`` was computed under :class:`record`.  For a tensor without a graph, what cut it.
    Raises :exc:`ValueError` if ``value`` holds no tensor.
    """
    caller = sys._getframe(1)
    local, shared = dict(caller.f_locals), caller.f_globals
    outputs = tensors_in(_name_of(value, local, shared), value)
    if not outputs:
        raise ValueError(f"a {type(value).__name__} holds no tensor")
    return explanation(outputs, Names(local, shared, given=params), _recorded)


class record:  # noqa: N801 - used like a function
    """Note where nodes come from: ``with record(): …``.

    The graphs of what is computed in it have the line, the module and the call of each node.  Only
    files that are no installed packages count for lines.  With ``values`` the elements of small
    tensors are kept, too, so that ``show="values"`` has them where no variable holds the tensor.
    One inside of another adds nothing but that.
    """

    def __init__(self, *, values: bool = False) -> None:
        self._values = values
        self._recorder = Recorder(
            is_own=lambda path: is_authors(path) or _cell(path) is not None,
            display=lambda path: _cell(path) or display_path(path, os.getcwd()),
            inputs=True,
            values=values,
        )
        self._in_another: list[bool] = []  # for each time that it is entered

    def __enter__(self) -> None:
        global _recorded
        outer = _recorded if _recorded is not None and _recorded.is_tracing else None
        self._in_another.append(outer is not None)
        if outer is not None:  # it notes what is computed in here as well
            if self._values:
                outer.keep_values()
            return
        _recorded = self._recorder
        self._recorder.__enter__()
        self._recorder.enter_frame(sys._getframe(1))

    def __exit__(self, *exception: object) -> None:
        if self._in_another.pop():
            return
        sys._getframe(1).f_trace = None
        self._recorder.__exit__(*exception)


def _words(given: str | Sequence[str]) -> Sequence[str]:
    """Return words, also from one text as the directive has it."""
    return given.replace(",", " ").split() if isinstance(given, str) else given


def _trace(
    value: object, caller: FrameType, params: Params, show: Collection[str]
) -> tuple[Graph, list[Message]]:
    local, shared = dict(caller.f_locals), caller.f_globals
    try:
        values = [(_name_of(value, local, shared), value)]
        outputs = drawable(values, {**shared, **local}, _recorded)
    except DiagnosticError as error:
        raise ValueError(error.diagnostic.sentence()) from None
    graph, note = trace_tensors(
        outputs,
        Names(local, shared, given=params),
        _recorded,
        extras=extras_of(show),
    )
    return graph, [text for text in (passed_over(values), note) if text is not None]


def _cell(path: str) -> str | None:
    """Return the name of a notebook's cell, ``In [3]``, by its code's file name; else None.

    IPython keeps it in ``CachingCompiler._filename_map``; without that, a cell has the name of the
    file that ipykernel makes up for it.
    """
    main = sys.modules.get("IPython")
    shell = None if main is None else main.get_ipython()
    number = getattr(getattr(shell, "compile", None), "_filename_map", {}).get(path)
    return None if number is None else f"In [{number}]"


def _name_of(value: object, *namespaces: Mapping[str, object]) -> str:
    """Return the name of the first variable that is ``value``, else a word for it."""
    for namespace in namespaces:
        for name, held in variables(namespace):
            if held is value:
                return name
    return "output"
