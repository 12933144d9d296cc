"""Selection of the tensors to draw from a program's values, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.tracing.explanations import because
from sphinx_autogradgraph.tracing.internals import is_inference, own_attribute, requires_grad
from sphinx_autogradgraph.tracing.provenance import Recorder
from sphinx_autogradgraph.tracing.pytree import (
    has_key_without_path,
    is_tensor,
    places,
    short_type_name,
    tensors_in,
    type_name,
)
from sphinx_autogradgraph.tracing.reach import Reach


def drawable(
    values: Sequence[tuple[str, object]],
    namespace: Mapping[str, object],
    recorder: Recorder | None = None,
) -> list[tuple[str, torch.Tensor]]:
    """Return the tensors with a graph among ``values``, which come with the program's names.

    Values without one are skipped if anything else can be drawn.  If nothing can, raises
    :exc:`.DiagnosticError` (``no_graph``) with the reason; a ``recorder`` that saw the program run
    knows the line.
    """
    tensors = [found for name, value in values for found in tensors_in(name, value)]
    drawn = [(name, tensor) for name, tensor in tensors if requires_grad(tensor)]
    if drawn:
        return drawn
    if not tensors:
        raise DiagnosticError(_no_tensor(values))
    name, tensor = tensors[0]
    why = _why_no_grad(name, tensor, namespace)
    cause = None if recorder is None else recorder.reasons.of(tensor)
    # Where gradients are off for all that follows, that is what to tell, and not a line of it.
    everywhere = cause is not None and cause.why == "no_grad" and not torch.is_grad_enabled()
    known = cause is not None and cause.place is not None and not everywhere
    if recorder is not None and cause is not None and known:
        clause = because(cause, tensor, name, recorder)
        if cause.why == "created" or not torch.is_grad_enabled():
            why = Message("{why} ({clause})", {"why": why, "clause": clause})
        else:
            why = Message("`{name}` has no graph: {why}", {"name": name, "why": clause})
    raise DiagnosticError(Diagnostic("no_graph", why.text, why.values))


MAX_PASSED_OVER = 5


def passed_over(values: Sequence[tuple[str, object]]) -> Message | None:
    """Return a sentence on the ``values`` that have no graph and so are not drawn, if any."""
    found = [
        f"{place} ({_kind_of(item)})"
        for name, value in values
        for place, item in places(name, value)
        if not (is_tensor(item) and requires_grad(item))
    ]
    if not found:
        return None
    listed = [*found[:MAX_PASSED_OVER], "…"] if len(found) > MAX_PASSED_OVER else found
    return Message("Without a graph, and not drawn: {listed}.", {"listed": ", ".join(listed)})


def _kind_of(value: object) -> str:
    if value is None:
        return "None"
    if is_tensor(value):
        dtype = str(own_attribute(value, "dtype")).removeprefix("torch.")
        return f"{dtype}, requires_grad is False"
    return short_type_name(value)


def _no_tensor(values: Sequence[tuple[str, object]]) -> Diagnostic:
    if not values:
        return Diagnostic(
            "no_graph",
            "the code assigns nothing and ends in no value; say what to draw with :tensor:",
        )
    name, value = values[0]
    if value is None:
        return Diagnostic(
            "no_graph",
            "{name} is None, not a tensor; say what to draw with :tensor:",
            {"name": name},
        )
    if next(iter(places(name, value)), None) is None:
        if has_key_without_path(value):
            return Diagnostic(
                "no_graph",
                "{name} has keys that are neither text nor numbers, and cannot be named in a "
                "drawing; say what to draw with :tensor:",
                {"name": name},
            )
        return Diagnostic("no_graph", "{name} is empty and holds no tensor", {"name": name})
    return Diagnostic(
        "no_graph",
        "{name} is of type {type} and holds no tensor; say what to draw with :tensor:",
        {"name": name, "type": type_name(value)},
    )


def _why_no_grad(name: str, tensor: torch.Tensor, namespace: Mapping[str, object]) -> Message:
    """Return why a tensor has no graph, and what to do."""
    values = {"name": name}
    if is_inference(tensor):
        return Message(
            "{name} has no autograd graph: it was made in torch.inference_mode(); "
            "compute it outside of that",
            values,
        )
    if not torch.is_grad_enabled():
        return Message(
            "{name} has no autograd graph: gradients are switched off here; call "
            "torch.set_grad_enabled(True) before computing it",
            values,
        )
    dtype: torch.dtype = own_attribute(tensor, "dtype")
    if not (dtype.is_floating_point or dtype.is_complex):
        return Message(
            "{name} has no autograd graph: its dtype is {dtype}, and only floating point and "
            "complex tensors can require grad",
            {**values, "dtype": str(dtype)},
        )
    if not _any_requires_grad(namespace):
        return Message(
            "{name} has no autograd graph: no tensor of the program requires grad; make one of "
            "those it is computed from with requires_grad=True",
            values,
        )
    return Message(
        "{name} has no autograd graph (its requires_grad is False): nothing that requires grad "
        "went into it, or it was detached or computed under torch.no_grad()",
        values,
    )


def _any_requires_grad(namespace: Mapping[str, object]) -> bool:
    return any(requires_grad(found.tensor) for found in Reach([namespace]).tensors)
