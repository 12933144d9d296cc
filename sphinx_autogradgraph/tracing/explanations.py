"""Explanations why a tensor does not require grad, in words.

Example: «`h` was detached at a.py:3 (`h = h.detach()`)».
"""

from __future__ import annotations

import re

import torch

from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph.model import Source
from sphinx_autogradgraph.tracing.changes import Conflict
from sphinx_autogradgraph.tracing.internals import base_of, op_name, plain_tensors, sequence_number
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.provenance import Recorder
from sphinx_autogradgraph.tracing.reasons import Cause

MAX_TEXT = 80
"""Maximum number of characters of a line of code; a longer one is cut."""

OBJECT = r"(?<![\w.])([A-Za-z_][\w.]*(?:\[[^\]]*\])?)"
"""Pattern of a variable, an attribute or an item in a line of code."""

CALLED = rf"{OBJECT[:-1]}(?:\([^()]*\))?)"
"""Pattern of the same, or of a call of it."""


def at(source: Source | None) -> Message | str:
    """Return a place with a space before it: « at tutorial.rst:14 (`h = h.detach()`)».

    Empty if the line is unknown.
    """
    if source is None:
        return ""
    text = source.text if len(source.text) <= MAX_TEXT else f"{source.text[: MAX_TEXT - 1]}…"
    values = {"file": source.file, "line": str(source.line), "text": text}
    if not text:
        return Message(" at {file}:{line}", values)
    return Message(" at {file}:{line} (`{text}`)", values)


def because(cause: Cause, tensor: torch.Tensor, name: str, recorder: Recorder) -> Message:
    """Return, as a clause, why ``tensor`` does not require grad; the program calls it ``name``."""
    source = recorder.source(cause.place)
    line = "" if source is None else source.text
    where: dict[str, str | Message] = {"at": at(source)}
    if cause.why == "detached":
        return Message("`{name}` was detached{at}", {"name": _detached(cause, line, name), **where})
    if cause.why == "no_grad":
        return Message(
            "`{name}` was computed under torch.no_grad() or inference_mode(){at}",
            {"name": _assigned(line) or name, **where},
        )
    if cause.why == "frozen":
        if issubclass(type(tensor), torch.nn.Parameter):
            return Message("it is frozen: requires_grad was set to False{at}", where)
        return Message(
            "only frozen parameters went into it: requires_grad was set to False{at}", where
        )
    if cause.why != "dtype":
        return _made(Message("nothing that requires grad went into it"), source)
    if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
        return Message(
            "it was computed from integers or truth values, which `{name}` became{at}",
            {"name": _assigned(line) or name, **where},
        )
    why = Message(
        "its dtype is {dtype}, and only floating point and complex tensors can require grad",
        {"dtype": str(tensor.dtype)},
    )
    return _made(why, source)


def _made(why: Message, source: Source | None) -> Message:
    """Return a reason, with the line that made the tensor where it is known."""
    if source is None:
        return why
    return Message("{why}; it was made{at}", {"why": why, "at": at(source)})


def _name(tensor: torch.Tensor, names: Names) -> str | None:
    with plain_tensors():
        grad_fn, output = tensor.grad_fn, tensor.output_nr
    return names.of_leaf(tensor) if grad_fn is None else names.of_output(grad_fn, output)


def _assigned(line: str) -> str | None:
    """Return the target of an assignment: «t» of «t = h * 2»; None for another line."""
    found = re.match(rf"{OBJECT}\s*(?::[^=]+)?[-+*/@|&]?=(?!=)", line)
    return None if found is None else found[1]


def _detached(cause: Cause, line: str, name: str) -> str:
    """Return the detached object as the line calls it: «h» of «d = h.detach()»."""
    function = cause.function
    if function in ("tensor", "asarray", "as_tensor", "float"):
        found = re.search(rf"\b{function}\(\s*{OBJECT}\s*[,)]", line)
    else:
        found = re.search(rf"{CALLED}\.{function}\b", line)
    return found[1] if found is not None else _assigned(line) or name


def conflict_in_words(conflict: Conflict, names: Names, recorder: Recorder) -> Message:
    """Return a sentence on a changed tensor: the node that saved it, the change, and both lines."""
    fn, tensor = conflict.fn, conflict.tensor
    base = base_of(tensor)
    name = _name(tensor, names) or (None if base is None else _name(base, names))
    place, by = conflict.change or (None, "")
    changed = recorder.source(place)
    saved = recorder.origins(names.module_paths())(sequence_number(fn)).source
    if name is None and changed is not None:
        method = re.search(rf"{OBJECT}\.{by}\b", changed.text)
        found = method[1] if method is not None else _assigned(changed.text)
        name = None if found is None else found.partition("[")[0]
    values: dict[str, str | Message] = {
        "name": Message("`{name}`", {"name": name}) if name else Message("a tensor"),
        "op": op_name(fn),
        "saved": at(saved),
        "by": by,
        "changed": at(changed),
    }
    if not by:
        return Message("{name}, which {op} had saved{saved}, was changed in place since", values)
    return Message(
        "{name}, which {op} had saved{saved}, was changed in place by {by}{changed}", values
    )
