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

from sphinx_autogradgraph.graph.model import Why
from sphinx_autogradgraph.tracing.causes import GRADIENT, Cause, Cut, Doubt, Place
from sphinx_autogradgraph.tracing.changes import Call, changes_in_place
from sphinx_autogradgraph.tracing.cuts import Cuts, key_of
from sphinx_autogradgraph.tracing.exported_values import MAX_NUMBERS, ExportedValues
from sphinx_autogradgraph.tracing.functions_that_cut import (
    BACKWARDS,
    DETACHES,
    FROM_ELSEWHERE,
    IGNORES_VALUES,
    NOTED_ELSEWHERE,
    OVERWRITES,
    PARAMETER,
    READS_GRADIENT,
    SETS_DATA,
    SETS_REQUIRES_GRAD,
)
from sphinx_autogradgraph.tracing.internals import base_of, own_attribute, plain_tensors
from sphinx_autogradgraph.tracing.written_memory import WrittenMemory

MANY = 4096
"""Number of causes at which those of tensors that are gone are dropped."""


class Reasons:
    """Causes of living tensors, recorded by :meth:`note` for calls that made no node."""

    def __init__(self, place: Callable[[], Place | None], *, cuts: bool = True) -> None:
        self._place = place
        self._causes: dict[int, tuple[weakref.ref[torch.Tensor], Cause]] = {}
        self._created = Cause("created")  # at the line where the last tensor was made
        self.exported = ExportedValues()
        self._backward: Place | None = None  # of the last one
        self._many = MANY
        self._required = False  # requires_grad of the tensor that is about to be switched
        self._renewed: dict[int, tuple[weakref.ref[torch.Tensor], Cause]] = {}
        self._written = WrittenMemory()
        self._keeps_cuts = cuts
        self.cuts = Cuts()

    # --- while the program runs ---

    def note(
        self, function: Call, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any
    ) -> None:
        """Record a call, and what of its result does not require grad."""
        if result is None:
            self._note_setter(function, args, kwargs)
        elif isinstance(result, torch.Tensor):
            if function is torch.Tensor.requires_grad_:
                self._switched(result)
            elif not result.requires_grad:
                self._made(function, args, kwargs, result)
        elif isinstance(result, (tuple, list)):
            self._note_parts(function, args, kwargs, result)
        elif function in DETACHES:
            cut = _first(tensors_among(args, kwargs), requires_grad=True)
            source = self.of(args[0]) if cut is None and isinstance(args[0], torch.Tensor) else None
            cause = source if cut is None else self._cut("detached", [cut], DETACHES[function])
            if cause is not None and cause.of is not None:
                self.exported.add(result, cause)

    def _note_setter(self, function: Call, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Record a call that returned nothing."""
        if function in BACKWARDS:
            self._backward = self._place()
        elif function == SETS_REQUIRES_GRAD:
            self._switched(args[0])
        elif not args or not isinstance(args[0], torch.Tensor) or args[0].requires_grad:
            return
        elif function is torch.Tensor.__setitem__:
            self._made(function, args, kwargs, args[0])
        elif function == SETS_DATA and not self._is_frozen(args[0]):
            self._keep(args[0], self.of(args[1]))

    def written(
        self,
        target: torch.Tensor,
        function: Call,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> None:
        """Record what a call wrote into a tensor: others may share the memory.

        Such are the base of ``x.data``, and of a view.
        """
        values = [value for value in tensors_among(args, kwargs) if value is not target]
        cut = _first(values, requires_grad=True)
        cause: Cause | None
        if cut is None:
            causes = (self.of(value) for value in values)
            cause = next((cause for cause in causes if cause.of is not None), None)
        else:
            why: Why = "detached" if torch.is_grad_enabled() else "no_grad"
            cause = Cause(why, self._place(), _origin_of(cut), "data")
        if cause is not None:
            self._written.add(target, cause)
        elif function in OVERWRITES and target._base is None:
            self._written.forget(target)

    def _note_parts(
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
        if not isinstance(parameter, torch.Tensor) or parameter.requires_grad:
            return
        if self._known(parameter) is None:
            self._keep(parameter, Cause("frozen", self._place()))

    def became_parameter(self, data: torch.Tensor, parameter: torch.Tensor) -> None:
        """Record that a Parameter, which is a leaf, was made of a tensor."""
        cause = self._known(data)
        if data.requires_grad:
            cause = self._cut("detached", [data], PARAMETER)
        if parameter.requires_grad:
            self._renew(parameter, cause)
        else:
            if cause is None or cause.why != "frozen":  # else a copy of a frozen one
                cause = Cause("frozen", self._place())
            self._keep(parameter, cause)

    def before(self, function: Call, tensor: torch.Tensor) -> None:
        """Record that a function of :data:`SWITCHES` is about to be called."""
        self._required = tensor.requires_grad
        if function is torch.Tensor.detach_ and tensor.requires_grad:
            self._keep(tensor, self._cut("detached", [tensor], "detach_"))

    def _switched(self, tensor: torch.Tensor) -> None:
        """Record that requires_grad of a leaf was set."""
        if tensor.requires_grad:
            self._renew(tensor, self._known(tensor))
            self._causes.pop(id(tensor), None)
        elif self._required:
            self._keep(tensor, Cause("frozen", self._place(), None, "requires_grad_"))

    def _renew(self, leaf: torch.Tensor, cause: Cause | None) -> None:
        """Record that a leaf which requires grad was made of a cut tensor."""
        if cause is not None and cause.of is not None:
            self._renewed[id(leaf)] = weakref.ref(leaf), cause

    def _is_frozen(self, tensor: torch.Tensor) -> bool:
        """Whether it was frozen itself: whatever is written into it, that is why it is no leaf."""
        known = self._known(tensor)
        if known is None:
            return _is_parameter(tensor)
        return known.why == "frozen" and (known.function != "" or _is_parameter(tensor))

    def _made(
        self, function: Call, args: Sequence[Any], kwargs: Mapping[str, Any], result: torch.Tensor
    ) -> None:
        if function in NOTED_ELSEWHERE:
            self._made_gradient(function, result)
            return
        if args and result is args[0]:
            # Else a dropout of nothing, a conversion to what it is already.
            changed = changes_in_place(function, args, kwargs)
            if not changed or self._is_frozen(result):
                return
        overwrites = function in OVERWRITES
        operands = tensors_among(args[1:] if overwrites else args, kwargs)
        cuts = [operand for operand in operands if operand.requires_grad]
        dtype = result.dtype
        differentiable = dtype.is_floating_point or dtype.is_complex
        if not cuts:
            cause = self._inherited(function, args, operands, result)
        elif function in DETACHES:
            cause = self._cut("detached", cuts, DETACHES[function])
        elif not torch.is_grad_enabled() and function not in IGNORES_VALUES:
            cause = self._cut("no_grad", cuts, "no_grad")
        elif not differentiable:
            cause = self._cut("dtype", cuts, getattr(function, "__name__", ""))
        else:
            cause = self._made_here()
        if not differentiable and cause.why != "dtype":
            cause = Cause("dtype", self._place(), cause.of, getattr(function, "__name__", ""))
        if overwrites and not (cause.strength or self.of(result).strength):
            return  # the line that made the tensor stays the one to tell
        self._keep(result, cause)

    def _made_gradient(self, function: Call, result: torch.Tensor) -> None:
        """Record a gradient that was read or computed."""
        if function is torch.Tensor.detach_ or self._known(result) is not None:
            return
        place = self._backward if function == READS_GRADIENT else self._place()
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
            if function not in IGNORES_VALUES:
                return strongest
        elif causes and (result._base is not None or result is operands[0]):
            return causes[0]  # a view, or the tensor itself
        if function in FROM_ELSEWHERE and len(operands) < 2:
            doubt = "unrecorded"
        elif self.exported.last is not None:
            doubt = self.exported.doubt_about(args, operands) or doubt
        return Cause("created", self._place(), None, "", doubt) if doubt else self._made_here()

    def _cut(self, why: Why, cuts: Sequence[torch.Tensor], function: str) -> Cause:
        """Return the cause of a result cut from tensors: of the first of them."""
        place = self._place()
        first: Cause | None = None
        for tensor in cuts[: MAX_NUMBERS if self._keeps_cuts else 1]:
            cause = Cause(why, place, _origin_of(tensor), function)
            first = first or cause
            if self._keeps_cuts:
                self.cuts.note(tensor, cause)
        assert first is not None, "there is a tensor"
        return first

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

    def cause_of_leaf(self, leaf: torch.Tensor) -> Cause | None:
        """Return the cut from which a leaf that requires grad has its values, if any."""
        kept = self._renewed.get(id(leaf))
        return kept[1] if kept is not None and kept[0]() is leaf else None

    def _known(self, tensor: torch.Tensor) -> Cause | None:
        kept = self._causes.get(id(tensor))
        return kept[1] if kept is not None and kept[0]() is tensor else None

    def of(self, tensor: torch.Tensor) -> Cause:
        """Return why a tensor does not require grad, by what was recorded or else its state."""
        cause = self._known(tensor) or self._by_state(tensor)
        if cause.why == "created" and self._written and (written := self._written.of(tensor)):
            return written
        return cause

    def _by_state(self, tensor: torch.Tensor) -> Cause:
        with plain_tensors():
            exported = self.exported.in_memory_of(tensor)
            if exported is not None:
                return exported
            base = base_of(tensor)
            if base is not None and (known := self._known(base)) is not None:
                return known
            dtype: torch.dtype = own_attribute(tensor, "dtype")
            if not (dtype.is_floating_point or dtype.is_complex):
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


def _origin_of(tensor: torch.Tensor) -> Cut:
    number, op = key_of(tensor)
    return Cut(number, op) if op else Cut(0, "", weakref.ref(tensor))


def _first(tensors: Iterable[torch.Tensor], *, requires_grad: bool) -> torch.Tensor | None:
    for tensor in tensors:
        if tensor.requires_grad is requires_grad:
            return tensor
    return None


def _is_parameter(tensor: torch.Tensor) -> bool:
    return issubclass(type(tensor), torch.nn.Parameter)
