"""Search for the tensors and modules that a program's variables reach, with their paths.

A program may hold a million numbers beside the three tensors that count.  So the search is breadth
first and takes turns between containers, so that a large one does not hide a small one.  It stops
after a number of steps, and builds the text of a path only on request.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from itertools import islice
from types import MemberDescriptorType, SimpleNamespace
from typing import Any, NamedTuple

import torch

from sphinx_autogradgraph.tracing.internals import plain_tensors
from sphinx_autogradgraph.tracing.pytree import AUTHORS_ERRORS, MAX_DEPTH, is_tensor, variables

STEPS = 5_000
"""Maximum number of values searched, in addition to one for each node to name."""

TURN = 256
"""Number of values of a container searched before it is the next one's turn."""

PASSED_OVER = frozenset(sys.stdlib_module_names) | {
    "IPython", "PIL", "matplotlib", "numpy", "pandas", "polars", "pyarrow", "scipy",
    "sphinx_autogradgraph",
}  # fmt: skip
"""Packages whose objects are skipped: they hold much, but no tensor that needs a name."""


class Path(NamedTuple):
    """The path to a value: its ``key`` in the value of the ``outer`` path.

    ``form`` writes the key behind the path: ``{}`` for a variable, ``.{}`` for an attribute,
    ``[{!r}]`` for an item.
    """

    outer: Path | None
    form: str
    key: str | int
    depth: int = 0

    def __str__(self) -> str:
        parts = []
        at: Path | None = self
        while at is not None:
            parts.append(at.form.format(at.key))
            at = at.outer
        return "".join(reversed(parts))


VARIABLE, ATTRIBUTE, ITEM = "{}", ".{}", "[{!r}]"


class Rank(Enum):
    """The kind of holder of a tensor; the lower value takes precedence in naming."""

    GIVEN = 0
    MODULE = 1
    VARIABLE = 2
    CONTAINER = 3


class Found(NamedTuple):
    """A tensor with the path to it."""

    tensor: torch.Tensor
    path: Path
    rank: Rank


class FoundModule(NamedTuple):
    """A module with the path to it."""

    module: torch.nn.Module
    path: Path


class Reach:
    """The :attr:`tensors` and :attr:`modules` that the variables of some namespaces reach.

    ``given`` are tensors with names that come before all others.  Both lists are in the order in
    which they were found; one tensor may be in it by several paths, a module only by the first.
    """

    def __init__(
        self,
        namespaces: Sequence[Mapping[str, object]],
        given: Mapping[str, torch.Tensor] | None = None,
        *,
        steps: int = STEPS,
    ) -> None:
        self.tensors: list[Found] = []
        self.modules: dict[int, FoundModule] = {}
        # By the id of the type, which is held in the list: a metaclass may forbid to hash it.
        self._forms: dict[int, _Form] = {}
        self._types: list[type] = []
        self._entered: set[int] = set()
        self._open: deque[tuple[Path | None, str, Iterator[tuple[Any, object]]]] = deque()
        for name, tensor in (given or {}).items():
            self.tensors.append(Found(tensor, Path(None, VARIABLE, name), Rank.GIVEN))
        with plain_tensors():
            for namespace in namespaces:
                self._turn(None, VARIABLE, variables(namespace))
            self._search(steps)

    def _search(self, steps: int) -> None:
        while self._open and steps > 0:
            path, form, items = self._open.popleft()
            steps -= 1
            # The author's own container may raise, or another thread may change it meanwhile.
            with suppress(*AUTHORS_ERRORS):
                taken = self._turn(path, form, islice(items, TURN))
                steps -= taken
                if taken == TURN:
                    self._open.append((path, form, items))

    def _turn(self, path: Path | None, form: str, items: Iterable[tuple[Any, object]]) -> int:
        """Search these items of the value at ``path``; return how many there were."""
        forms, depth = self._forms, 0 if path is None else path.depth + 1
        count = 0
        for count, (key, value) in enumerate(items, 1):  # noqa: B007
            kind = type(value)
            what = forms.get(id(kind))
            if what is None:
                what = forms[id(kind)] = _form(kind)
                self._types.append(kind)
            if what is _Form.NOTHING or type(key) not in (str, int):
                continue
            here = Path(path, form, key, depth)
            if what is _Form.TENSOR:
                rank = Rank.VARIABLE if path is None else Rank.CONTAINER
                self.tensors.append(Found(value, here, rank))  # type: ignore[arg-type]
            elif what is _Form.MODULE:
                self._enter_module(value, here)  # type: ignore[arg-type]
            elif depth < MAX_DEPTH and id(value) not in self._entered:
                self._entered.add(id(value))
                self._open.append((here, what.form_of_parts, _parts(what, value)))
        return count

    def _enter_module(self, module: torch.nn.Module, path: Path) -> None:
        if id(module) in self.modules:
            return
        try:
            parts = list(module.named_modules())
        except AUTHORS_ERRORS:  # the author's own method
            parts = [("", module)]
        for name, part in parts:
            here = Path(path, ATTRIBUTE, name, path.depth) if name else path
            self.modules.setdefault(id(part), FoundModule(part, here))
            for key, tensor in _held_by(part):
                place = Path(here, ATTRIBUTE, key, path.depth)
                self.tensors.append(Found(tensor, place, Rank.MODULE))
            attributes = _attributes(part)
            own = ((key, value) for key, value in attributes if key not in _OF_EVERY_MODULE)
            self._open.append((here, ATTRIBUTE, own))


def _held_by(module: torch.nn.Module) -> list[tuple[str, torch.Tensor]]:
    """Return the parameters and buffers of a module itself, by their names.

    One that stands in the module twice has both names.
    """
    try:
        return [
            (key, tensor)
            for of_module in (module.named_parameters, module.named_buffers)
            for key, tensor in of_module(recurse=False, remove_duplicate=False)
        ]
    except AUTHORS_ERRORS:  # the author's own method, or a tensor that cannot be hashed
        own = object.__getattribute__(module, "__dict__")
        held = {**own.get("_parameters", {}), **own.get("_buffers", {})}
        return [(key, tensor) for key, tensor in held.items() if is_tensor(tensor)]


_OF_EVERY_MODULE = frozenset(torch.nn.Module().__dict__)


class _Form(Enum):
    """The kinds of types that the search treats differently."""

    NOTHING = 0
    TENSOR = 1
    MODULE = 2
    SEQUENCE = 3
    MAPPING = 4
    NAMED_TUPLE = 5
    OBJECT = 6

    @property
    def form_of_parts(self) -> str:
        """The template that writes the key of a part behind the path: an item or an attribute."""
        return ITEM if self in (_Form.SEQUENCE, _Form.MAPPING) else ATTRIBUTE


def _form(kind: type) -> _Form:
    """Return how the search treats instances of a type: not at all if its metaclass raises."""
    try:
        package = kind.__module__.partition(".")[0]
        if package == "sphinx_autogradgraph":
            return _Form.NOTHING
        for base, form in _FORMS.items():
            if issubclass(kind, base):
                named = form is _Form.SEQUENCE and isinstance(kind.__dict__.get("_fields"), tuple)
                return _Form.NAMED_TUPLE if named else form
        if package in PASSED_OVER or issubclass(kind, (type, *_data_types())):
            return _Form.NOTHING
        return _Form.MAPPING if issubclass(kind, Mapping) else _Form.OBJECT
    except AUTHORS_ERRORS:
        return _Form.NOTHING


_FORMS = {
    torch.Tensor: _Form.TENSOR,
    torch.nn.Module: _Form.MODULE,
    tuple: _Form.SEQUENCE,
    list: _Form.SEQUENCE,
    deque: _Form.SEQUENCE,
    dict: _Form.MAPPING,
    SimpleNamespace: _Form.OBJECT,
    Namespace: _Form.OBJECT,
}


def _data_types() -> tuple[type, ...]:
    data = sys.modules.get("torch.utils.data")
    return () if data is None else (data.Dataset, data.DataLoader)


def _parts(form: _Form, value: Any) -> Iterator[tuple[Any, object]]:
    """Return an iterator over the parts of a value with their keys, since it may be large."""
    if form is _Form.SEQUENCE:
        kind = type(value)
        base = tuple if issubclass(kind, tuple) else list if issubclass(kind, list) else deque
        return enumerate(base.__iter__(value))
    if form is _Form.NAMED_TUPLE:
        return zip(type(value)._fields, tuple.__iter__(value), strict=False)
    if form is _Form.MAPPING:
        items = dict.items if issubclass(type(value), dict) else Mapping.items
        return iter(items(value))
    return _attributes(value)


def _attributes(value: object) -> Iterator[tuple[str, object]]:
    """Yield the attributes that an object has itself, without running any code of its class."""
    try:
        held = object.__getattribute__(value, "__dict__")
        items = list(held.items()) if type(held) is dict else []
    except (AttributeError, TypeError):
        items = []
    for key, item in items:
        if type(key) is str and key.isidentifier():
            yield key, item
    for owner in type.__getattribute__(type(value), "__mro__"):
        for key, slot in list(type.__getattribute__(owner, "__dict__").items()):
            if type(slot) is MemberDescriptorType and not key.startswith("__"):
                try:
                    yield key, slot.__get__(value)
                except AttributeError:  # not set
                    continue
