"""Run one Program in this process, and trace its targets.

Meant for a process of its own (see :mod:`~sphinx_autogradgraph.runtime.server`): it changes the
working directory, ``sys.path`` and ``sys.modules``, and runs the author's code, which may do
anything.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import importlib
import inspect
import os
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial, reduce
from operator import or_
from time import perf_counter
from traceback import walk_tb
from types import CodeType, ModuleType
from typing import Any

import torch

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph.model import ParameterRow
from sphinx_autogradgraph.program.author_files import is_authors
from sphinx_autogradgraph.program.program import Block, Program, Target, display_path
from sphinx_autogradgraph.runtime.last_value import VALUE, last_assignment, take_last_value
from sphinx_autogradgraph.runtime.observer import Observer
from sphinx_autogradgraph.runtime.result import Result, Traced
from sphinx_autogradgraph.runtime.spawned import hand_on_definitions
from sphinx_autogradgraph.runtime.tracebacks import cache_lines, diagnostic_of
from sphinx_autogradgraph.tracing.explanations import conflict_in_words
from sphinx_autogradgraph.tracing.fates import Fates, explanation
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.provenance import Recorder
from sphinx_autogradgraph.tracing.pytree import tensors_in
from sphinx_autogradgraph.tracing.targets import drawable, passed_over
from sphinx_autogradgraph.tracing.tensor_rows import tensor_rows
from sphinx_autogradgraph.tracing.walk import trace_tensors

_BUILTINS = dict(builtins.__dict__)

_FUTURES = reduce(
    or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)


_HELD: list[object] = []
"""The traced tensors, held until the process ends.

Torch destroys a graph by recursion where Python has walked it; a long one overflows the stack."""


def execute(program: Program) -> Result:
    """Run a program and trace its targets; an exception of the program becomes a diagnostic."""
    observer = Observer(program)
    run = ProgramRun(program)
    targets = run.targets(observer)
    return Result(targets, observer.observed(run.module), run.tracing)


class ProgramRun:
    """A run of a program in this process."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.module = ModuleType(program.module)
        self.tracing = 0.0
        self._flags = 0
        self._value: tuple[str, object] | None = None
        self._assigned: tuple[str, ...] = ()
        self._begun: list[ast.Module] = []
        self._files = {block.path: block.file for block in program.blocks}
        self._recorder = Recorder(
            is_own=lambda path: path in self._files or is_authors(path),
            display=lambda path: self._files.get(path) or display_path(path, program.root),
            inputs=any(
                {"inputs", "memory"} & set(target.extras) or target.parameters or target.explain
                for target in program.targets
            ),
            values=any("values" in target.extras for target in program.targets),
        )

    def targets(self, observer: Observer) -> tuple[Traced | Diagnostic, ...]:
        """Run the program; return what was traced, or a diagnostic, for each target."""
        found: dict[int, Traced | Diagnostic] = {}
        failed: Diagnostic | None = self._attempt(partial(self._enter, observer))
        for count in range(len(self.program.blocks) + 1):
            if count and failed is None:
                block = self.program.blocks[count - 1]
                step = partial(self.run_block, block)
                if self.program.raises is not None and count == len(self.program.blocks):
                    step = partial(self._run_to_raise, block, self.program.raises)
                failed = self._attempt(step)
                if failed is not None:
                    failed = replace(failed, block=count - 1)
            for index, target in enumerate(self.program.targets):
                if target.after == count:
                    begin = perf_counter()
                    found[index] = failed or self.trace_target(target)
                    self.tracing += perf_counter() - begin
        return tuple(found[index] for index in range(len(self.program.targets)))

    def _attempt(self, step: Callable[[], None]) -> Diagnostic | None:
        try:
            step()
        except DiagnosticError as error:
            return error.diagnostic
        except BaseException as error:
            _restore_builtins()
            return self._with_conflict(diagnostic_of(error, self.program))
        _restore_builtins()
        return None

    def _conflict(self) -> Message | None:
        """Name the tensor changed in place for which a backward of the program failed, if any."""
        conflict = self._recorder.conflict
        if conflict is None:
            return None
        names = Names(self._recorder.locals, self.module.__dict__)
        return conflict_in_words(conflict, names, self._recorder)

    def _with_conflict(self, diagnostic: Diagnostic) -> Diagnostic:
        """Add what was changed in place to the diagnostic of what the program raised."""
        why = self._conflict()
        if why is None:
            return diagnostic
        values = {"error": Message(diagnostic.message, diagnostic.values), "why": why}
        return replace(diagnostic, message="{error} ({why})", values=values)

    def _enter(self, observer: Observer) -> None:
        """Prepare this process: directory, imports, seeds, the module whose namespace is used."""
        program = self.program
        os.chdir(program.directory)
        sys.path[:] = dict.fromkeys([program.directory, *program.path, *sys.path])
        sys.argv = [program.blocks[0].path if program.blocks else ""]
        sys.dont_write_bytecode = True
        observer.begin()
        torch.set_num_threads(1)
        random.seed(program.seed)
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed(program.seed % 2**32)
        others = torch.version.cuda, torch.version.hip, getattr(torch.version, "xpu", None)
        if any(others) or torch.backends.mps.is_built():
            torch.manual_seed(program.seed)
        else:  # that would note for later, with a stack of sources, what no device will ask for
            torch.default_generator.manual_seed(program.seed)
        if program.import_module is not None:
            self.module = self._import(program.import_module)
            return
        if program.module == "__main__" or program.module not in sys.modules:
            sys.modules[program.module] = self.module  # dataclasses and pickle look there
        if program.blocks:
            self.module.__file__ = program.blocks[0].path
            hand_on_definitions(program.module, self.module.__file__, lambda: self._begun)
        cache_lines(program.blocks)

    def _import(self, name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name or ""
            if name == missing or name.startswith(f"{missing}."):
                diagnostic = Diagnostic(
                    "reference",
                    "there is no module {module}; is its directory on sys.path in conf.py?",
                    {"module": missing},
                )
                raise DiagnosticError(diagnostic) from None
            raise

    def run_block(self, block: Block) -> None:
        """Run a block; raise what it raises."""
        # Blank lines before it give the code the line numbers of the author's file.
        source = "\n" * (block.line - 1) + block.code
        tree = ast.parse(source, block.path)
        self._begun.append(tree)
        assigned = last_assignment(tree, source)
        text = take_last_value(tree, source)
        code: CodeType = compile(tree, block.path, "exec", self._flags, dont_inherit=True)
        self._flags |= code.co_flags & _FUTURES
        namespace = self.module.__dict__
        try:
            with self._recorder:
                try:
                    exec(code, namespace)
                finally:
                    # Here, and without a frame that the recorder would look at with what is left.
                    builtins.__dict__.update(_BUILTINS)
        except BaseException as error:  # where it may raise, what was bound before can be drawn
            line = _line_in(namespace, error)
            assigned = last_assignment(ast.parse(source), source, before=line)
            raise
        finally:
            if text is not None and VALUE in namespace:
                self._value = (text, namespace.pop(VALUE))
            self._assigned = assigned or self._assigned
        if self.program.module != "__main__":
            self._begun.clear()  # spawned processes can import it now

    def _run_to_raise(self, block: Block, expected: str) -> None:
        """Run a block that is expected to raise; its variables can be drawn all the same."""
        try:
            self.run_block(block)
        except BaseException as error:
            if not any(_is_called(kind, expected) for kind in type(error).__mro__):
                raise
            return
        diagnostic = Diagnostic(
            "execution",
            "the code was expected to raise {expected}, and did not",
            {"expected": expected},
        )
        raise DiagnosticError(diagnostic)

    def trace_target(self, target: Target) -> Traced | Diagnostic:
        """Return what was traced in the present state of the program, or a diagnostic."""
        namespace = self.module.__dict__
        try:
            values = self._values(target)
            names = Names(self._recorder.locals, namespace)
            outputs = self._drawable(target, values, names)
            _HELD.append(outputs)
            graph, note = trace_tensors(
                outputs,
                names,
                self._recorder,
                extras=target.extras,
            )
            rows = tensor_rows(namespace, outputs) if target.tensors else ()
            parameters: tuple[ParameterRow, ...] = ()
            unmeasured = None
            if target.parameters:
                parameters, unmeasured = Fates(outputs, names, self._recorder).rows()
            words = explanation(outputs, names, self._recorder) if target.explain else ""
        except DiagnosticError as error:
            return error.diagnostic
        except BaseException as error:
            return diagnostic_of(error, self.program)
        why = self._conflict()
        failed = None if why is None else Message("Backward failed: {why}.", {"why": why})
        notes = [
            text for text in (passed_over(values), note or unmeasured, failed) if text is not None
        ]
        return Traced(graph, rows, parameters, words, tuple(notes))

    def _drawable(
        self, target: Target, values: Sequence[tuple[str, object]], names: Names
    ) -> list[tuple[str, torch.Tensor]]:
        """Return the tensors with a graph; the detail of the fault explains those without."""
        try:
            return drawable(values, self.module.__dict__, self._recorder)
        except DiagnosticError as error:
            tensors = [found for name, value in values for found in tensors_in(name, value)]
            if not target.explain or not tensors:
                raise
            words = explanation(tensors, names, self._recorder)
            raise DiagnosticError(replace(error.diagnostic, detail=words)) from None

    def _values(self, target: Target) -> list[tuple[str, object]]:
        """Return the values to draw, each with its name."""
        if target.member is not None:
            return [self._member(target.member)]
        if target.expressions:
            return [(text, self._evaluate(text)) for text in target.expressions]
        if self._value is not None and tensors_in(*self._value):
            return [self._value]
        return [(text, self._evaluate(text)) for text in self._assigned]

    def _evaluate(self, text: str) -> object:
        try:
            with self._recorder:
                if text.startswith("*"):
                    return list(eval(text[1:], self.module.__dict__))
                return eval(text, self.module.__dict__)
        except BaseException as error:
            what = f":tensor: {text}"
            raise DiagnosticError(diagnostic_of(error, self.program, what=what)) from None

    def _member(self, name: str) -> tuple[str, object]:
        value: Any = self.module
        for part in name.split("."):
            try:
                value = getattr(value, part)
            except AttributeError:
                where = self.program.import_module or self.program.blocks[0].file
                diagnostic = Diagnostic(
                    "reference", "there is no {name} in {where}", {"name": name, "where": where}
                )
                raise DiagnosticError(diagnostic) from None
        if not callable(value) or tensors_in(name, value):
            return name, value
        needed = _required_arguments(value)
        if needed:
            diagnostic = Diagnostic(
                "reference",
                "{name} cannot be called to draw what it returns: it needs {arguments}",
                {"name": name, "arguments": ", ".join(needed)},
            )
            raise DiagnosticError(diagnostic)
        self._recorder.locals_of = getattr(value, "__code__", None)
        with self._recorder:
            return f"{name}()", value()


def _line_in(namespace: dict[str, Any], error: BaseException) -> int:
    """Return the line of a block's own code at which it raised."""
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_locals is namespace]
    return lines[-1] if lines else 0


def _is_called(kind: type, name: str) -> bool:
    return name in (kind.__name__, kind.__qualname__, f"{kind.__module__}.{kind.__qualname__}")


def _restore_builtins() -> None:
    """Restore the built-in functions, which a program may have replaced."""
    builtins.__dict__.update(_BUILTINS)


def _required_arguments(function: Callable[..., object]) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some built-ins do not tell; the call will
        return []
    return [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
