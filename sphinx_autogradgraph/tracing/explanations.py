"""Explanations why a tensor does not require grad, in words.

Example: «`h` was detached at a.py:3 (`h = h.detach()`)».
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph.model import Source
from sphinx_autogradgraph.tracing.causes import GRADIENT, Cause
from sphinx_autogradgraph.tracing.changes import Conflict
from sphinx_autogradgraph.tracing.functions_that_cut import PARAMETER
from sphinx_autogradgraph.tracing.internals import base_of, op_name, own_attribute, sequence_number
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.provenance import Recorder

MAX_TEXT = 80
"""Maximum number of characters of a line of code; a longer one is cut."""

OBJECT = r"(?<![\w.])([A-Za-z_][\w.]*(?:\[[^\]]*\])?)"
"""Pattern of a variable, an attribute or an item in a line of code."""


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
    source = recorder.files.source_of(cause, name)
    line = "" if source is None else source.text
    where: dict[str, str | Message] = {"at": at(source)}
    if cause.why == "detached":
        named = Message("`{name}`", {"name": _detached(cause, line) or name})
        return Message("{name} was detached{at}", {"name": named, **where})
    if cause.why == "no_grad":
        named = Message("`{name}`", {"name": _assigned(line) or name})
        return _without_gradients(cause, {"name": named, **where})
    if cause.why == "frozen":
        if cause.function or issubclass(type(tensor), torch.nn.Parameter):
            return Message("it is frozen: requires_grad was set to False{at}", where)
        return Message(
            "only frozen parameters went into it: requires_grad was set to False{at}", where
        )
    if cause.why != "dtype":
        return _made(_created(cause, recorder), source)
    dtype: torch.dtype = own_attribute(tensor, "dtype")
    if dtype.is_floating_point or dtype.is_complex:
        return Message("it was computed from integers or booleans, which were made{at}", where)
    why = Message(
        "its dtype is {dtype}, and only floating point and complex tensors can require grad",
        {"dtype": str(dtype)},
    )
    return _made(why, source)


def cut_off(cause: Cause, recorder: Recorder) -> Message:
    """Return, as a clause, what cut off what was computed from a tensor of the program."""
    source = recorder.files.source(cause.place)
    line = "" if source is None else source.text
    name = _detached(cause, line) if cause.why == "detached" else _assigned(line)
    values: dict[str, str | Message] = {
        "name": Message("`{name}`", {"name": name}) if name else Message("what was made of it"),
        "at": at(source),
    }
    if cause.function == PARAMETER:
        return Message("nn.Parameter made a new leaf of {name}{at}", values)
    if cause.why == "detached":
        return Message("{name} was detached{at}", values)
    if cause.why == "no_grad":
        return _without_gradients(cause, values)
    return Message("integers or booleans were made of it{at}", {"at": at(source)})


def _without_gradients(cause: Cause, values: Mapping[str, str | Message]) -> Message:
    """Return that what the values name was computed while gradients were off, and why they were."""
    function = None if cause.place is None else function_with_forward_at(*cause.place)
    if function is None:
        return Message("{name} was computed under torch.no_grad() or inference_mode(){at}", values)
    return Message(
        "{name} was computed in the forward of the Function {function}{at}",
        {"function": function, **values},
    )


def _created(cause: Cause, recorder: Recorder) -> Message:
    """Return why a tensor does not require grad that nobody is known to have cut."""
    if cause.function == GRADIENT:
        return Message("it is a gradient, computed without create_graph=True")
    if cause.doubt == "numbers" and recorder.reasons.exported.last is not None:
        export = recorder.reasons.exported.last
        source = recorder.files.source(export.place)
        values: dict[str, str | Message] = {"at": at(source)}
        return Message(
            "it was made from numbers, and where they came from is not known: "
            "a tensor of a graph became numbers{at}",
            values,
        )
    if cause.doubt:
        return Message("it does not require grad, and what went into it was not recorded")
    return Message("nothing that requires grad went into it")


def _made(why: Message, source: Source | None) -> Message:
    """Return a reason, with the line that made the tensor where it is known."""
    if source is None:
        return why
    return Message("{why}; it was made{at}", {"why": why, "at": at(source)})


def _name(tensor: torch.Tensor, names: Names) -> str | None:
    grad_fn = own_attribute(tensor, "grad_fn")
    if grad_fn is None:
        return names.of_leaf(tensor)
    return names.of_output(grad_fn, own_attribute(tensor, "output_nr"))


def _assigned(line: str) -> str | None:
    """Return the target of an assignment: «t» of «t = h * 2»; None for another line."""
    found = re.match(rf"{OBJECT}\s*(?::[^=]+)?[-+*/@|&]?=(?!=)", line)
    return None if found is None else found[1]


def _detached(cause: Cause, line: str) -> str | None:
    """Return the detached object as the line writes it: «h» of «d = h.detach()»."""
    function = cause.function
    if function in ("tensor", "asarray", "as_tensor", "float", "int", PARAMETER):
        found = re.search(rf"\b{function}\(", line)
        return None if found is None else _first_argument(line[found.end() :])
    found = re.search(rf"\.{function}\b", line)
    if found is not None:
        return _object_before(line[: found.start()])
    return _assigned(line)  # the function that was called there detached it


BRACKETS = {")": "(", "]": "[", "}": "{"}


# By hand, as a line may hold only a part of a statement, which Python's own parser refuses.
def _first_argument(text: str) -> str | None:
    """Return what stands before the first comma or the end of a call; None if it goes on."""
    depth = 0
    for at, character in enumerate(text):
        if depth == 0 and character in ",)":
            return text[:at].strip() or None
        depth += (character in "([{") - (character in ")]}")
    return None


def _object_before(text: str) -> str | None:
    """Return the expression that an attribute at the end of a text would belong to."""
    at = len(text)
    while at and (text[at - 1] in BRACKETS or re.match(r"[\w.]", text[at - 1])):
        depth, start = 0, at
        while start:
            start -= 1
            depth += (text[start] in BRACKETS) - (text[start] in BRACKETS.values())
            if depth <= 0:
                break
        if depth:
            return None
        at = start
    return text[at:] or None


def function_with_forward_at(path: str, line: int) -> str | None:
    """Return the name of the custom Function whose ``forward`` holds a line of code, if any."""
    stack = list(torch.autograd.Function.__subclasses__())
    while stack:
        kind = stack.pop()
        stack += kind.__subclasses__()
        forward = kind.__dict__.get("forward")  # as the class holds it: a static method, mostly
        code = getattr(getattr(forward, "__func__", forward), "__code__", None)
        if code is not None and code.co_filename == path:
            lines = {number for _, _, number in code.co_lines()}
            if line in lines:
                return kind.__qualname__
    return None


def _changed_in(line: str, by: str) -> str | None:
    """Return the object that a line changes in place by a function: «y» of «y += 1»."""
    method = re.search(rf"{OBJECT}\.{by}\b", line)
    if method is not None and method[1] not in ("F", "torch", "functional"):
        return method[1]
    called = re.search(rf"\b{by}\(\s*{OBJECT}", line)
    if called is not None:
        return called[1]
    assigned = rf"{OBJECT}\s*=(?!=)" if by == "__setitem__" else rf"{OBJECT}\s*[-+*/@|&^%<>]+="
    found = re.match(assigned, line)
    return None if found is None else found[1]


def conflict_in_words(conflict: Conflict, names: Names, recorder: Recorder) -> Message:
    """Return a sentence on a changed tensor: the node that saved it, the change, and both lines."""
    fn, tensor = conflict.fn, conflict.tensor
    change = conflict.change
    by = "" if change is None else change.by
    changed = None if change is None else recorder.files.source(change.place)
    saved = recorder.origins(names.module_paths())(sequence_number(fn)).source
    living = [tensor, base_of(tensor)]
    if change is not None and (called_on := change.tensor()) is not None:
        living += [base_of(called_on), called_on]
    known = (_name(one, names) for one in living if one is not None)
    name = next((name for name in known if name is not None), None)
    if name is None and changed is not None:
        name = _changed_in(changed.text, by)
        name = None if name is None else name.partition("[")[0]
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
