"""Recording of the causes why tensors do not require grad, while the program runs.

Autograd keeps nothing of what it does not record.  That a tensor was detached, or computed under
``no_grad``, is known at that moment only.  So the cause is kept for each living tensor that
a torch function made and that does not require grad; results computed from it inherit the cause.
"""

from __future__ import annotations

import weakref

# Held here: the recorder works while the program runs, which may replace the built-in ones.
from builtins import float, id, isinstance, len, type  # noqa: A004, UP029
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.autograd.graph import Node as GradFn

from sphinx_autogradgraph.graph.model import Why
from sphinx_autogradgraph.tracing.internals import (
    is_accumulate_grad,
    op_name,
    plain_tensors,
    sequence_number,
)

Place = tuple[str, int]
"""A line of the author's code: the path of the file and its number."""


class Cut(NamedTuple):
    """The origin of a cut tensor: the node of that sequence number and op, or a leaf."""

    number: int
    op: str
    leaf: weakref.ref[torch.Tensor] | None = None


class Cause(NamedTuple):
    """The cause why a tensor does not require grad: line and function, and what it was cut from."""

    why: Why
    place: Place | None = None
    of: Cut | None = None
    function: str = ""

    @property
    def strength(self) -> int:
        """Precedence of the cause: a result inherits that of the operand with the highest."""
        return 2 if self.of is not None else 1 if self.why == "frozen" else 0


Call = Callable[..., Any]

_DESCRIPTORS: Any = torch.Tensor  # whose attributes are getters and setters, not values
_DATA = _DESCRIPTORS.data.__get__
_READS_GRADIENT = _DESCRIPTORS.grad.__get__
_SETS_REQUIRES_GRAD = _DESCRIPTORS.requires_grad.__set__

_COPIES: set[Call] = {torch.tensor, torch.asarray, torch.as_tensor, torch.Tensor.new_tensor}
"""Functions that make tensors of numbers, and copy given tensors without their history."""

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

WALK, WALKS = 500, 20_000
"""Maximum number of nodes searched for the leaves behind one cut, and behind all."""

MANY = 4096
"""Number of causes at which those of tensors that are gone are dropped."""

MAX_NUMBERS = 1000


class Reasons:
    """Causes of living tensors, recorded by :meth:`note` for calls that made no node."""

    def __init__(self, place: Callable[[], Place | None]) -> None:
        self._place = place
        self._causes: dict[int, tuple[weakref.ref[torch.Tensor], Cause]] = {}
        self._numbers: dict[int, tuple[object, Cause]] = {}  # held: an id is given again
        self._arrays: dict[int, tuple[weakref.ref[Any], Cause]] = {}
        self._memory: dict[int, tuple[weakref.ref[Any], Cause]] = {}
        self._many = MANY
        self._walks = WALKS
        self.behind: dict[int, tuple[weakref.ref[torch.Tensor], Cause]] = {}
        """The first cut of each leaf whose results were cut, by the leaf's id."""

    # --- while the program runs ---

    def note(
        self, function: Call, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any
    ) -> None:
        """Record a call that made no node, and its result."""
        if result is None:
            if function == _SETS_REQUIRES_GRAD:
                self._switched(args[0])
            elif function is torch.Tensor.__setitem__ and not args[0].requires_grad:
                self._made(function, args, kwargs, args[0])
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
            cause = source if cut is None else self._cut("detached", cut, DETACHES[function])
            if cause is not None and cause.of is not None:
                self._export(result, cause)

    def note_parts(
        self, function: Call, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any
    ) -> None:
        """Record the parts of a result that do not require grad, such as indices of a maximum."""
        if function in DETACHES:  # tolist
            cut = _first(tensors_among(args, kwargs), requires_grad=True)
            if cut is not None:
                cause = self._cut("detached", cut, DETACHES[function])
                for number in result[:MAX_NUMBERS]:
                    self._export(number, cause)
            return
        for part in result:
            if isinstance(part, torch.Tensor) and not part.requires_grad:
                self._made(function, args, kwargs, part)

    def registered(self, _module: object, _name: str, parameter: object) -> None:
        """Record the line at which a parameter frozen from the start was registered in a module."""
        if isinstance(parameter, torch.Tensor) and not parameter.requires_grad:
            self._keep(parameter, Cause("frozen", self._place()))

    def _switched(self, tensor: torch.Tensor) -> None:
        """Record that requires_grad of a leaf was set."""
        if tensor.requires_grad:
            self._causes.pop(id(tensor), None)
        else:
            self._keep(tensor, Cause("frozen", self._place()))

    def _made(
        self, function: Call, args: Sequence[Any], kwargs: Mapping[str, Any], result: torch.Tensor
    ) -> None:
        operands = list(tensors_among(args, kwargs))
        cut = _first(operands, requires_grad=True)
        differentiable = result.dtype.is_floating_point or result.dtype.is_complex
        if cut is None:
            cause = self._inherited(function, args, operands, result)
        elif function in DETACHES:
            cause = self._cut("detached", cut, DETACHES[function])
        elif not torch.is_grad_enabled() and not _ignores_values(function):
            cause = self._cut("no_grad", cut, "no_grad")
        elif function == _READS_GRADIENT and self._known(result) is not None:
            return
        elif not differentiable:
            cause = self._cut("dtype", cut, getattr(function, "__name__", ""))
        else:
            place = None if function == _READS_GRADIENT else self._place()
            cause = Cause("created", place)
        if not differentiable and cause.why != "dtype":
            cause = Cause("dtype", self._place(), cause.of, getattr(function, "__name__", ""))
        self._keep(result, cause)

    def _inherited(
        self,
        function: Call,
        args: Sequence[Any],
        operands: Sequence[torch.Tensor],
        result: torch.Tensor,
    ) -> Cause:
        """Return the cause of a result of operands that do not require grad themselves."""
        causes = [self.of(operand) for operand in operands]
        if self._numbers or self._arrays:
            causes += self._of_values(args)
        strongest = max(causes, key=lambda cause: cause.strength, default=None)
        if strongest is not None and strongest.strength:
            if not _ignores_values(function):
                return strongest
        elif causes and (result._base is not None or result is operands[0]):
            return causes[0]  # a view, or the tensor itself
        return Cause("created", self._place())

    def _of_values(self, args: Sequence[Any]) -> list[Cause]:
        """Return the causes of numbers and arrays that came out of tensors."""
        found = []
        stack = list(args)
        for _ in range(MAX_NUMBERS):
            if not stack:
                break
            value = stack.pop()
            kind = type(value)
            if kind is float and (number := self._numbers.get(id(value))) is not None:
                found.append(number[1])
            elif kind in (list, tuple):
                stack += value[: MAX_NUMBERS - len(stack)]
            elif (array := self._arrays.get(id(value))) is not None and array[0]() is value:
                found.append(array[1])
        return found

    def _cut(self, why: Why, cut: torch.Tensor, function: str) -> Cause:
        """Return the cause of a result cut from a tensor; record it for the leaves behind, too."""
        with plain_tensors():
            grad_fn = cut.grad_fn
            if grad_fn is None:
                of = Cut(0, "", weakref.ref(cut))
            else:
                of = Cut(sequence_number(grad_fn), op_name(grad_fn))
            cause = Cause(why, self._place(), of, function)
            leaves = [cut] if grad_fn is None else self._leaves(grad_fn)
            for leaf in leaves:
                if id(leaf) not in self.behind:
                    self.behind[id(leaf)] = weakref.ref(leaf), cause
        return cause

    def _leaves(self, grad_fn: GradFn) -> Iterator[torch.Tensor]:
        """Yield the leaves of a graph that are within a limited number of steps."""
        seen = {grad_fn}
        stack = [grad_fn]
        while stack and len(seen) < WALK and self._walks > 0:
            self._walks -= 1
            fn = stack.pop()
            if is_accumulate_grad(fn):
                yield fn.variable  # type: ignore[attr-defined]
            for used, _ in fn.next_functions:
                if used is not None and used not in seen:
                    seen.add(used)
                    stack.append(used)

    def _keep(self, tensor: torch.Tensor, cause: Cause) -> None:
        self._causes[id(tensor)] = weakref.ref(tensor), cause
        if len(self._causes) > self._many:
            self._causes = {
                key: kept for key, kept in self._causes.items() if kept[0]() is not None
            }
            self._many = max(MANY, 2 * len(self._causes))

    def _export(self, value: object, cause: Cause) -> None:
        """Record that a number or array has the value of a tensor cut from its graph."""
        if type(value) is float:
            self._numbers[id(value)] = value, cause
            if len(self._numbers) > MAX_NUMBERS:
                del self._numbers[next(iter(self._numbers))]
        elif hasattr(value, "__array_interface__"):
            self._arrays[id(value)] = weakref.ref(value), cause
            self._memory[value.__array_interface__["data"][0]] = weakref.ref(value), cause

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
            array = self._memory.get(_address(tensor)) if self._memory else None
            if array is not None and array[0]() is not None:
                return array[1]
            base = tensor._base
            if base is not None and (known := self._known(base)) is not None:
                return known
            if not (tensor.dtype.is_floating_point or tensor.dtype.is_complex):
                return Cause("dtype")
            return Cause("frozen") if _is_parameter(tensor) else Cause("created")


def tensors_among(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[torch.Tensor]:
    """Yield the tensors among the arguments of a call, and in lists and tuples of these."""
    for value in (*args, *kwargs.values()) if kwargs else args:
        if isinstance(value, torch.Tensor):
            yield value
        elif type(value) in (list, tuple):
            for item in value[:MAX_NUMBERS]:
                if isinstance(item, torch.Tensor):
                    yield item


def _first(tensors: Iterable[torch.Tensor], *, requires_grad: bool) -> torch.Tensor | None:
    for tensor in tensors:
        if tensor.requires_grad is requires_grad:
            return tensor
    return None


def _ignores_values(function: Call) -> bool:
    """Whether the result of a function depends on its operand's shape only."""
    name = getattr(function, "__name__", "")
    return name.endswith("_like") or (name.startswith("new_") and name != "new_tensor")


def _is_parameter(tensor: torch.Tensor) -> bool:
    return issubclass(type(tensor), torch.nn.Parameter)


def _address(tensor: torch.Tensor) -> int:
    try:
        return tensor.data_ptr()
    except RuntimeError:  # no storage: meta, sparse, functorch
        return 0
