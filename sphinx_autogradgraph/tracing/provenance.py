"""Provenance: the line, the module and the call that made each node.

Autograd stamps every node with a number that counts up (see
:func:`~sphinx_autogradgraph.tracing.internals.next_sequence_number`).  So no operation needs to
be hooked: the counter is noted whenever the program moves to another line of the author's code,
and when a module's forward begins and ends.  Each node falls between two such notes.
"""

from __future__ import annotations

import sys
from bisect import bisect_right

# Held here: the recorder works while the program runs, which may replace the built-in ones.
from builtins import bool, id, isinstance, issubclass, len, str, type  # noqa: A004, UP029
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import cache
from sys import gettrace, settrace
from types import CodeType, FrameType
from typing import Any

import torch

from sphinx_autogradgraph.graph.model import Values
from sphinx_autogradgraph.tracing.calls import SUSPENDS_TRACING, Call, Calls, call_name
from sphinx_autogradgraph.tracing.causes import Place
from sphinx_autogradgraph.tracing.changes import Changes, Conflict
from sphinx_autogradgraph.tracing.hooks import handles_made
from sphinx_autogradgraph.tracing.internals import (
    DYNAMO,
    PARAMETER_FILE,
    UNNUMBERED,
    enters_compiled_code,
    next_sequence_number,
    set_aside,
)
from sphinx_autogradgraph.tracing.origins import Origin, Visit
from sphinx_autogradgraph.tracing.pytree import AUTHORS_ERRORS, short_type_name
from sphinx_autogradgraph.tracing.reasons import Reasons
from sphinx_autogradgraph.tracing.traced_files import TracedFiles

Trace = Callable[[FrameType, str, Any], Any]


class Recorder:
    """Recorder of provenance: notes lines, modules and calls while it is entered.

    ``is_own`` tells by its path whether a file is the author's; the innermost line of such a
    file counts.  ``display`` gives the name of a file for people.  ``inputs`` asks to note also
    which tensors that do not require grad went into calls, ``values`` to keep the elements of
    small tensors that calls returned.
    """

    def __init__(
        self,
        is_own: Callable[[str], bool],
        display: Callable[[str], str],
        *,
        inputs: bool = False,
        values: bool = False,
    ) -> None:
        self.files = TracedFiles(is_own, display)
        self._passed_over: set[str] = set()  # files of others that do not matter
        self._of_torch: dict[int, bool] = {}  # by the id of a module's type: whether it is torch's
        self._tracer = self._trace_call
        self._lines: list[tuple[str, int]] = []  # of the author's frames, the innermost last
        # The calls of modules, and for each the place in the list of the one that it was made in.
        self._visited: list[torch.nn.Module] = []
        self._outer_visits: list[int | None] = []
        self._inside: list[tuple[int, int]] = []  # the calls under way, and their frames
        self._starts: list[int] = []
        self._places: list[Place | None] = []
        self._place_visits: list[int | None] = []
        self.reasons = Reasons(self.place, cuts=inputs)
        self.changes = Changes(self.place)
        self._calls = Calls(self.reasons, self.changes, inputs=inputs, values=values)
        self._entered = ExitStack()
        self._hooks: list[Any] = []  # those of modules, while they are registered
        self._first_handle = handles_made()
        self._own_handles = 0
        self.locals_of: CodeType | None = None
        """The code of a function whose variables are kept in :attr:`locals` when it returns."""
        self.locals: dict[str, object] = {}

    def __enter__(self) -> Recorder:
        self._add_hooks()
        self._entered.callback(self._remove_hooks)
        self._entered.enter_context(self._calls)
        self._lines, self._inside = [], []
        self._note()
        self._entered.callback(settrace, gettrace())
        settrace(self._tracer)
        return self

    def __exit__(self, *_: object) -> None:
        self._entered.close()
        self._lines, self._inside = [], []
        self._note()  # what this package computes itself belongs to no line

    def enter_frame(self, frame: FrameType) -> None:
        """Trace the lines of a frame that runs already, as that of a ``with`` statement."""
        path = frame.f_code.co_filename
        if self.files.has(path):
            self._lines.append((path, frame.f_lineno))
            frame.f_trace = self._trace_line
            self._note()

    @property
    def is_tracing(self) -> bool:
        """Whether it traces the lines that run now, in this thread."""
        return gettrace() is self._tracer

    def keep_values(self) -> None:
        """Keep the elements of small tensors from now on."""
        self._calls.keep_values()

    def _add_hooks(self) -> None:
        hooks = torch.nn.modules.module
        self._own_handles -= handles_made()
        self._hooks = [
            hooks.register_module_forward_pre_hook(self._enter_module),
            hooks.register_module_forward_hook(self._leave_module, always_call=True),
            hooks.register_module_parameter_registration_hook(self._registered),
        ]
        self._own_handles += handles_made()

    def _remove_hooks(self) -> None:
        while self._hooks:
            self._hooks.pop().remove()

    def _step_aside(self, frame: FrameType) -> Trace:
        """Remove hooks and mode while Dynamo compiles a function and runs the compiled one.

        Dynamo would compile them, too, and break its graph at them.  The call of a
        compiled module is noted as one.
        """
        module = frame.f_locals.get("self") if frame.f_code.co_name == "__call__" else None
        if module is not None:
            self._enter_module(module, ())
        self._remove_hooks()
        back = set_aside(self._calls)

        def trace(_frame: FrameType, event: str, _arg: object) -> Trace:
            if event == "return":
                back()
                self._add_hooks()
                if module is not None:
                    self._leave_module(module, (), None)
            return trace

        return trace

    # --- notes ---

    def place(self) -> Place | None:
        """Return the line that the program is at."""
        return self._lines[-1] if self._lines else None

    def _note(self) -> None:
        place = self._lines[-1] if self._lines else None
        visit = self._inside[-1][0] if self._inside else None
        start = next_sequence_number()
        starts = self._starts
        if starts and starts[-1] == start:  # nothing was made since the last note
            self._places[-1] = place
            self._place_visits[-1] = visit
        else:
            starts.append(start)
            self._places.append(place)
            self._place_visits.append(visit)

    def _trace_call(self, frame: FrameType, _event: str, _arg: object) -> Trace | None:
        path = frame.f_code.co_filename
        if path in self._passed_over:
            return None
        if not self.files.has(path):
            return self._trace_call_of_torch(frame, path) if self._hooks else None
        if not self._hooks:  # Dynamo is at work
            return None
        self._lines.append((path, frame.f_lineno))
        self._note()
        return self._trace_line

    def _trace_call_of_torch(self, frame: FrameType, path: str) -> Trace | None:
        """Notice the few calls in others' files that matter."""
        if path.endswith(DYNAMO):
            return self._step_aside(frame) if enters_compiled_code(frame.f_code) else None
        if not path.endswith(PARAMETER_FILE):
            self._passed_over.add(path)
            return None
        data: Any = frame.f_locals.get("data")
        if frame.f_code.co_name != "__new__" or not issubclass(type(data), torch.Tensor):
            return None

        def trace(_frame: FrameType, event: str, made: object) -> Trace:
            if event == "return":
                # An odd tensor of the program may raise when it is read.
                with suppress(*AUTHORS_ERRORS):
                    if isinstance(made, torch.nn.Parameter):
                        self.reasons.became_parameter(data, made)
            return trace

        return trace

    def _trace_line(self, frame: FrameType, event: str, _arg: object) -> Trace:
        if event == "line":
            depth = len(self._lines)
            if depth:
                self._lines[-1] = (frame.f_code.co_filename, frame.f_lineno)
            # A module that this frame called and that is still here has ended by an exception
            # of which torch did not tell.
            while self._inside and self._inside[-1][1] >= depth:
                self._inside.pop()
            self._note()
        elif event == "return":
            if frame.f_code is self.locals_of:
                self.locals = dict(frame.f_locals)
            if self._lines:
                self._lines.pop()
            self._note()
        return self._trace_line

    def _enter_module(self, module: torch.nn.Module, _args: object) -> None:
        if SUSPENDS_TRACING:
            settrace(None)
        inside = self._inside
        self._outer_visits.append(inside[-1][0] if inside else None)
        inside.append((len(self._visited), len(self._lines)))
        self._visited.append(module)
        self._note()
        self._trace_or_not()

    def _registered(self, module: torch.nn.Module, name: str, parameter: object) -> None:
        with suppress(*AUTHORS_ERRORS):  # an odd tensor of the program may raise when it is read
            self.reasons.registered(module, name, parameter)

    def _leave_module(self, _module: torch.nn.Module, _args: object, _output: object) -> None:
        if SUSPENDS_TRACING:
            settrace(None)
        if self._inside:
            self._inside.pop()
        self._note()
        self._trace_or_not()

    def _trace_or_not(self) -> None:
        """Trace lines, but not inside torch's own modules, until they enter one of the author's.

        Python pays for tracing with every call, and torch's modules make many.  With Dynamo loaded
        they are traced all the same: they may hold compiled functions, which have to be noticed.
        """
        trace: Trace | None = self._tracer
        if self._inside and "torch._dynamo.eval_frame" not in sys.modules:
            kind = type(self._visited[self._inside[-1][0]])
            torchs = self._of_torch.get(id(kind))
            if torchs is None:
                torchs = self._of_torch[id(kind)] = _is_torchs(kind)
            if torchs:
                trace = None
        if gettrace() is not trace:
            settrace(trace)

    # --- answers ---

    def origins(self, paths: Mapping[int, str]) -> Callable[[int], Origin]:
        """Make a function from sequence numbers to origins; ``paths`` names modules, by id."""
        calls: dict[int, str | None] = {}
        source = cache(self.files.source)  # a loop has few lines and makes many nodes
        visits: list[Visit] = []
        for module, outer in zip(self._visited, self._outer_visits, strict=True):
            kind = short_type_name(module)
            inside = None if outer is None else visits[outer]
            visits.append(Visit(paths.get(id(module), kind), kind, inside))

        def origin(number: int) -> Origin:
            at = bisect_right(self._starts, number) - 1
            if number == UNNUMBERED or at < 0:
                return Origin()
            place, inside = self._places[at], self._place_visits[at]
            visit = None if inside is None else visits[inside]
            call = self.call(number)
            if call is not None and id(call.function) not in calls:
                calls[id(call.function)] = call_name(call.function)
            return Origin(
                source=source(place),
                module="" if visit is None else visit.path,
                call=None if call is None else calls[id(call.function)],
                visit=visit,
            )

        return origin

    @property
    def saw_hooks(self) -> bool:
        """Whether hooks of others have been registered since this recorder was made."""
        return handles_made() - self._first_handle > self._own_handles

    @property
    def conflict(self) -> Conflict | None:
        """Saved tensor, changed in place, for which a backward of the program failed."""
        return self._calls.conflict

    def saw_use_of(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor that requires grad went into a call, if operands are noted at all.

        It may say so of one that never did: ids are given again.
        """
        return id(tensor) in self._calls.used

    @property
    def input_storages(self) -> set[int] | None:
        """The addresses of the memory of inputs, if they were noted."""
        return self._calls.storages

    def call(self, number: int) -> Call | None:
        """Return the call that made the node with that sequence number."""
        return self._calls.of(number)

    def values_of(self, number: int, output: int) -> Values:
        """Return the kept elements of an output of the node with that sequence number."""
        return self._calls.values.get((number, output))

    def moment(self, number: int) -> tuple[int, Place] | None:
        """Return when, as a number that counts up, and at which line a node was made."""
        at = bisect_right(self._starts, number) - 1
        if number == UNNUMBERED or at < 0:
            return None
        place = self._places[at]
        return None if place is None else (at, place)


def _is_torchs(kind: type) -> bool:
    """Whether a class is torch's own, whatever a metaclass or an attribute of the author's says."""
    module: object = type.__getattribute__(kind, "__dict__").get("__module__")
    return isinstance(module, str) and module.startswith("torch.")
