"""Recording of the causes why tensors do not require grad, while the program runs.

Autograd keeps nothing of what it does not record.  That a tensor was detached, or computed under
``no_grad``, is known at that moment only.  So the cause is kept for each living tensor that
a torch function made and that does not require grad; results computed from it inherit the cause.
"""

from __future__ import annotations

import weakref

# Held here: the recorder works while the program runs, which may replace the built-in ones.
from builtins import id, isinstance, len, type  # noqa: A004, UP029
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.graph.model import Why
from sphinx_autogradgraph.tracing.causes import GRADIENT, Cause, Cut, Doubt, Place
from sphinx_autogradgraph.tracing.changes import Call, changes_in_place
from sphinx_autogradgraph.tracing.exported_values import MAX_NUMBERS, ExportedValues
from sphinx_autogradgraph.tracing.internals import (
    is_accumulate_grad,
    op_name,
    plain_tensors,
    sequence_number,
)

_DESCRIPTORS: Any = torch.Tensor  # whose attributes are getters and setters, not values
_DATA = _DESCRIPTORS.data.__get__
_SETS_DATA = _DESCRIPTORS.data.__set__
_READS_GRADIENT = _DESCRIPTORS.grad.__get__
_SETS_REQUIRES_GRAD = _DESCRIPTORS.requires_grad.__set__

_COPIES: set[Call] = {torch.tensor, torch.asarray, torch.as_tensor, torch.Tensor.new_tensor}
"""Functions that make tensors of numbers, and copy given tensors without their history."""

_IGNORES_VALUES: set[Call] = {
    getattr(owner, name)
    for owner, names in (
        (torch, [name for name in dir(torch) if name.endswith("_like")]),
        (torch.Tensor, [name for name in dir(torch.Tensor) if name.startswith("new_")]),
    )
    for name in names
} - {torch.Tensor.new_tensor}
"""Functions whose results depend on the shapes of their operands only."""

_NOTED_ELSEWHERE: set[Call] = {torch.Tensor.detach_, _READS_GRADIENT, torch.autograd.grad}
"""Functions whose results are not made of the values of their operands."""

_BACKWARDS: set[Call] = {torch.Tensor.backward, torch.autograd.backward}
"""Functions that compute gradients, which :data:`_READS_GRADIENT` reads later."""

DETACHES: dict[Call, str] = {
    torch.Tensor.detach: "detach",
    torch.Tensor.detach_: "detach_",
    torch.detach: "detach",
    _DATA: "data",
    torch.Tensor.numpy: "numpy",
    torch.Tensor.__array__: "numpy",
    torch.Tensor.item: "item",
    torch.Tensor.tolist: "tolist",
    torch.Tensor.__float__: "float",
    **{function: getattr(function, "__name__", "tensor") for function in _COPIES},
}
"""Functions whose results are cut from the graph, with their common names."""

WALKS = 20_000
"""Maximum number of nodes searched for the leaves behind cuts."""

MANY = 4096
"""Number of causes at which those of tensors that are gone are dropped, and of cuts at which the
first are."""


class Reasons:
    """Causes of living tensors, recorded by :meth:`note` for calls that made no node."""

    def __init__(self, place: Callable[[], Place | None], *, leaves: bool = True) -> None:
        self._place = place
        self._causes: dict[int, tuple[weakref.ref[torch.Tensor], Cause]] = {}
        self._created = Cause("created")  # at the line where the last tensor was made
        self.exported = ExportedValues()
        self._backward: Place | None = None  # of the last one
        self._many = MANY
        self._looks_behind = leaves
        self._walked: set[tuple[int, str]] = set()
        self.behind: dict[int, tuple[weakref.ref[torch.Tensor], Cause]] = {}
        """The first cut of each leaf whose results were cut, by the leaf's id."""
        self.cuts: dict[tuple[int, str], Cause] = {}
        """The first cut from each node that a tensor was cut from, by the node's number and op."""

    # --- while the program runs ---

    def note(
        self, function: Call, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any
    ) -> None:
        """Record a call that made no node, and its result."""
        if result is None:
            self._note_setter(function, args, kwargs)
        elif isinstance(result, torch.Tensor):
            if function is torch.Tensor.requires_grad_:
                self._switched(result)
            elif not result.requires_grad:
                self._made(function, args, kwargs, result)
        elif isinstance(result, (tuple, list)):
            self.note_parts(function, args, kwargs, result)
        elif function in DETACHES:
            cut = _first(tensors_among(args, kwargs), requires_grad=True)
            source = self.of(args[0]) if cut is None and isinstance(args[0], torch.Tensor) else None
            cause = source if cut is None else self._cut("detached", [cut], DETACHES[function])
            if cause is not None and cause.of is not None:
                self.exported.add(result, cause)

    def _note_setter(self, function: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Record a call that returned nothing."""
        if function in _BACKWARDS:
            self._backward = self._place()
        elif function == _SETS_REQUIRES_GRAD:
            self._switched(args[0])
        elif not args or not isinstance(args[0], torch.Tensor) or args[0].requires_grad:
            return
        elif function is torch.Tensor.__setitem__:
            self._made(function, args, kwargs, args[0])
        elif function == _SETS_DATA:
            self._keep(args[0], self.of(args[1]))

    def note_parts(
        self, function: Call, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any
    ) -> None:
        """Record the parts of a result that do not require grad, such as indices of a maximum."""
        if function in DETACHES:  # tolist
            cut = _first(tensors_among(args, kwargs), requires_grad=True)
            cause = (
                self._cut("detached", [cut], DETACHES[function])
                if cut is not None
                else self.of(args[0])
            )
            if cause.of is not None:
                self.exported.add(result, cause)
            return
        for part in result:
            if isinstance(part, torch.Tensor) and not part.requires_grad:
                self._made(function, args, kwargs, part)

    def registered(self, _module: object, _name: str, parameter: object) -> None:
        """Record the line at which a parameter frozen from the start was registered in a module."""
        if isinstance(parameter, torch.Tensor) and not parameter.requires_grad:
            self._keep(parameter, Cause("frozen", self._place()))

    def detached_in_place(self, tensor: torch.Tensor) -> None:
        """Record that a tensor is about to be detached in place."""
        if tensor.requires_grad:
            self._keep(tensor, self._cut("detached", [tensor], "detach_"))

    def _switched(self, tensor: torch.Tensor) -> None:
        """Record that requires_grad of a leaf was set."""
        if tensor.requires_grad:
            self._causes.pop(id(tensor), None)
        else:
            self._keep(tensor, Cause("frozen", self._place(), None, "requires_grad_"))

    def _made(
        self, function: Call, args: Sequence[Any], kwargs: Mapping[str, Any], result: torch.Tensor
    ) -> None:
        if function in _NOTED_ELSEWHERE:
            self._made_gradient(function, result)
            return
        if args and result is args[0] and not changes_in_place(function, args, kwargs):
            return  # a dropout of nothing, a conversion to what it is already
        operands = tensors_among(args, kwargs)
        cuts = [operand for operand in operands if operand.requires_grad]
        dtype = result.dtype
        differentiable = dtype.is_floating_point or dtype.is_complex
        if not cuts:
            cause = self._inherited(function, args, operands, result)
        elif function in DETACHES:
            cause = self._cut("detached", cuts, DETACHES[function])
        elif not torch.is_grad_enabled() and function not in _IGNORES_VALUES:
            cause = self._cut("no_grad", cuts, "no_grad")
        elif not differentiable:
            cause = self._cut("dtype", cuts, getattr(function, "__name__", ""))
        else:
            cause = self._made_here()
        if not differentiable and cause.why != "dtype":
            cause = Cause("dtype", self._place(), cause.of, getattr(function, "__name__", ""))
        self._keep(result, cause)

    def _made_gradient(self, function: Call, result: torch.Tensor) -> None:
        """Record a gradient that was read or computed."""
        if function is torch.Tensor.detach_ or self._known(result) is not None:
            return
        place = self._backward if function == _READS_GRADIENT else self._place()
        self._keep(result, Cause("created", place, None, GRADIENT))

    def _inherited(
        self,
        function: Call,
        args: Sequence[Any],
        operands: Sequence[torch.Tensor],
        result: torch.Tensor,
    ) -> Cause:
        """Return the cause of a result of operands that do not require grad themselves."""
        causes = [self.of(operand) for operand in operands]
        if self.exported.last is not None:
            causes += self.exported.among(args)
        strongest, strength = None, 0
        doubt: Doubt = ""
        for cause in causes:
            if cause.strength > strength:
                strongest, strength = cause, cause.strength
            doubt = doubt or cause.doubt
        if strongest is not None:
            if strongest.why == "frozen" and result is not operands[0]:
                strongest = strongest._replace(function="")  # it was another that was frozen
            if function not in _IGNORES_VALUES:
                return strongest
        elif causes and (result._base is not None or result is operands[0]):
            return causes[0]  # a view, or the tensor itself
        if self.exported.last is not None:
            doubt = self.exported.doubt_about(args, operands) or doubt
        return Cause("created", self._place(), None, "", doubt) if doubt else self._made_here()

    def _cut(self, why: Why, cuts: Sequence[torch.Tensor], function: str) -> Cause:
        """Return the cause of a result cut from tensors: of the first of them.

        It is recorded for all of them and for the leaves behind, too.
        """
        first: Cause | None = None
        place = self._place()
        with plain_tensors():
            for tensor in cuts[: MAX_NUMBERS if self._looks_behind else 1]:
                grad_fn = tensor.grad_fn
                if grad_fn is None:
                    cause = Cause(why, place, Cut(0, "", weakref.ref(tensor)), function)
                    first = first or cause
                    self.behind.setdefault(id(tensor), (weakref.ref(tensor), first))
                else:
                    key = sequence_number(grad_fn), op_name(grad_fn)
                    cause = Cause(why, place, Cut(*key), function)
                    first = first or cause
                    if self._looks_behind:
                        self.cuts.setdefault(key, cause)
                        if len(self.cuts) > MANY:
                            del self.cuts[next(iter(self.cuts))]
                        self._note_leaves(grad_fn, first)
        assert first is not None, "there is a tensor"
        return first

    def _note_leaves(self, grad_fn: GradFn, first: Cause) -> None:
        """Record which leaves are behind a node that a tensor was cut from."""
        walked = self._walked
        stack = [grad_fn]
        while stack and len(walked) < WALKS:
            fn = stack.pop()
            if is_accumulate_grad(fn):
                leaf = fn.variable  # type: ignore[attr-defined]
                self.behind.setdefault(id(leaf), (weakref.ref(leaf), first))
                continue
            key = sequence_number(fn), op_name(fn)
            if key not in walked:  # else the leaves behind have been cut before
                walked.add(key)
                stack += [used for used, _ in fn.next_functions if used is not None]

    def _keep(self, tensor: torch.Tensor, cause: Cause) -> None:
        self._causes[id(tensor)] = weakref.ref(tensor), cause
        if len(self._causes) > self._many:
            self._causes = {
                key: kept for key, kept in self._causes.items() if kept[0]() is not None
            }
            self._many = max(MANY, 2 * len(self._causes))

    def _made_here(self) -> Cause:
        """Return the cause of a tensor that the current line made, and nobody cut."""
        place = self._place()
        if self._created.place is not place:
            self._created = Cause("created", place)
        return self._created

    # --- answers ---

    def _known(self, tensor: torch.Tensor) -> Cause | None:
        kept = self._causes.get(id(tensor))
        return kept[1] if kept is not None and kept[0]() is tensor else None

    def of(self, tensor: torch.Tensor) -> Cause:
        """Return why a tensor does not require grad, by what was recorded or else its state."""
        kept = self._causes.get(id(tensor))
        if kept is not None and kept[0]() is tensor:
            return kept[1]
        with plain_tensors():
            exported = self.exported.in_memory_of(tensor)
            if exported is not None:
                return exported
            base = tensor._base
            if base is not None and (known := self._known(base)) is not None:
                return known
            if not (tensor.dtype.is_floating_point or tensor.dtype.is_complex):
                return Cause("dtype")
            if _is_parameter(tensor):
                return Cause("frozen")
            return Cause("created", doubt=self.exported.doubt_of(tensor))


def tensors_among(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[torch.Tensor]:
    """Return the tensors among the arguments of a call, and in lists and tuples of these."""
    found = []
    for value in (*args, *kwargs.values()) if kwargs else args:
        kind = type(value)
        if kind is torch.Tensor or isinstance(value, torch.Tensor):
            found.append(value)
        elif kind is list or kind is tuple:
            found += [item for item in value[:MAX_NUMBERS] if isinstance(item, torch.Tensor)]
    return found


def _first(tensors: Iterable[torch.Tensor], *, requires_grad: bool) -> torch.Tensor | None:
    for tensor in tensors:
        if tensor.requires_grad is requires_grad:
            return tensor
    return None


def _is_parameter(tensor: torch.Tensor) -> bool:
    return issubclass(type(tensor), torch.nn.Parameter)
