"""Fates of the tensors and parameters of a program: in the graph, or why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch

from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph.model import ParameterRow
from sphinx_autogradgraph.tracing.causes import Cause
from sphinx_autogradgraph.tracing.cuts import Behind
from sphinx_autogradgraph.tracing.explanations import at, because, cut_off
from sphinx_autogradgraph.tracing.gradients import measure
from sphinx_autogradgraph.tracing.inputs import inputs_of
from sphinx_autogradgraph.tracing.internals import (
    gradient_edge,
    is_accumulate_grad,
    op_name,
    own_attribute,
    requires_grad,
    sequence_number,
)
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.provenance import Recorder
from sphinx_autogradgraph.tracing.reach import Rank
from sphinx_autogradgraph.tracing.tensor_metadata import describe
from sphinx_autogradgraph.tracing.walk import Walk

Named = Sequence[tuple[str, torch.Tensor]]

FEW = 6
"""Maximum number of tensors of one fate that are all named; of more, the first and last are."""

MANY_STEPS = 3
"""Minimum number of nodes made by one line, in one history, that show a loop."""

MAX_OTHERS = 50
"""Maximum number of other variables whose graphs are searched."""


class Fates:
    """Finds which tensors are in the graph of the outputs, and why others are not."""

    def __init__(self, outputs: Named, names: Names, recorder: Recorder | None) -> None:
        self._outputs = [(name, tensor) for name, tensor in outputs if requires_grad(tensor)]
        self._names = names
        self._recorder = recorder
        self._walk = Walk([gradient_edge(tensor)[0] for _, tensor in self._outputs])
        names.nodes = len(self._walk.uses)
        self._leaves = _leaves_of(self._walk)
        self._behind_here, self._behind = Behind({}, {}), Behind({}, {})
        if recorder is not None:
            reasons = recorder.reasons
            found = [input.cause for input in inputs_of(self._walk.functions(), recorder, names)]
            renewed = (reasons.cause_of_leaf(leaf) for leaf in _leaves_of(self._walk).values())
            found += [cause for cause in renewed if cause is not None]
            self._behind_here, self._behind = reasons.cuts.behind(found), reasons.cuts.behind()
        self._others = self._other_graphs()

    def _other_graphs(self) -> dict[int, str]:
        """Return, for each leaf in the graph of another variable, the name of that variable."""
        found: dict[int, str] = {}
        edges = map(gradient_edge, self._names.intermediates()[-MAX_OTHERS:])
        others = [(fn, output) for fn, output in edges if fn not in self._walk.uses]
        for fn, output in reversed(others):  # the last first: it is likely to be made of the rest
            name = self._names.of_output(fn, output)
            for leaf in _leaves_of(Walk([fn])):
                found.setdefault(leaf, name or "")
        return found

    def holds(self, tensor: torch.Tensor) -> bool:
        """Whether the tensor is in the graph."""
        grad_fn = own_attribute(tensor, "grad_fn")
        return id(tensor) in self._leaves if grad_fn is None else grad_fn in self._walk.uses

    def of(self, name: str, tensor: torch.Tensor) -> Message | None:
        """Return why no gradient of the outputs reaches a tensor; None where one does."""
        if self.holds(tensor) and (requires_grad(tensor) or self._recorder is None):
            return None
        if not requires_grad(tensor):
            if self._recorder is None:
                return Message("it does not require grad")
            return because(self._recorder.reasons.of(tensor), tensor, name, self._recorder)
        if not own_attribute(tensor, "is_leaf"):
            return self._of_intermediate(tensor)
        other = self._others.get(id(tensor))
        cut = self._behind_here.of(tensor) or (None if other else self._behind.of(tensor))
        if cut is not None:
            return self._behind_cut(cut)
        if other:
            return Message("used in the graph of `{name}` only", {"name": other})
        accumulated = own_attribute(tensor, "grad") is not None
        if accumulated or (self._recorder and self._recorder.saw_use_of(tensor)):
            return Message("used, but in no graph that a variable still holds")
        if self._recorder is None:
            return Message("in no graph that a variable holds")
        return Message("never used")

    def _of_intermediate(self, tensor: torch.Tensor) -> Message:
        """Return why a tensor with a grad_fn is not in the graph."""
        cut = self._behind_here.of(tensor)
        if cut is not None:
            return self._behind_cut(cut)
        why = Message("no edge of the graph leads to it")
        cut = None if self._recorder is None else self._recorder.reasons.cuts.of(tensor)
        if self._recorder is None or cut is None:
            return why
        return Message("{why}; {clause}", {"why": why, "clause": cut_off(cut, self._recorder)})

    def _behind_cut(self, cut: Cause) -> Message:
        assert self._recorder is not None, "without a recorder no cut is known"
        return Message("used only behind a cut: {why}", {"why": cut_off(cut, self._recorder)})

    # --- parameters ---

    def parameters(self) -> list[tuple[str, torch.Tensor]]:
        """Return the parameters of the program's modules, each once."""
        found: dict[int, tuple[str, torch.Tensor]] = {}
        for held in self._names.reach.tensors:
            if held.rank is Rank.MODULE and issubclass(type(held.tensor), torch.nn.Parameter):
                found.setdefault(id(held.tensor), (str(held.path), held.tensor))
        return list(found.values())

    def rows(self) -> tuple[tuple[ParameterRow, ...], Message | None]:
        """Return a row for each parameter, and a note on what could not be measured."""
        tensors = [tensor for _, tensor in self._outputs]
        functions = self._walk.functions()
        arrived, _, note = measure(tensors, functions, self._walk.leaves(functions))
        norms = {
            id(fn.variable): gradient  # type: ignore[attr-defined]
            for fn, gradient in arrived.items()
            if is_accumulate_grad(fn)
        }
        rows = []
        for name, tensor in self.parameters():
            gradient = norms.get(id(tensor))
            why = self.of(name, tensor)
            if why is None and gradient is None and note is None:
                why = Message("no gradient was passed to it")
            rows.append(ParameterRow(name, describe(tensor).shape, gradient, why))
        without = [row.name for row in rows if row.gradient is None]
        if note is None and without:
            values = {"names": _listed(without), "count": str(len(rows))}
            note = Message("Of {count} parameters no gradient reaches {names}.", values)
        return tuple(rows), note

    # --- in words ---

    def lines(self) -> Iterator[Message]:
        """Yield a line for each tensor of the program, or for several of one fate."""
        groups: dict[str, tuple[Message, list[str]]] = {}
        for name, tensor in self._named():
            said = self._fate(name, tensor)
            groups.setdefault(said.sentence(), (said, []))[1].append(name)
        for said, names in groups.values():
            yield Message("{names}: {fate}", {"names": _listed(names), "fate": said})
        yield from self._histories()

    def _fate(self, name: str, tensor: torch.Tensor) -> Message:
        why = self.of(name, tensor)
        if not self.holds(tensor):
            return Message("not in the graph; {why}", {"why": why or ""})
        if why is None:
            return Message("in the graph")
        return Message("in the graph, but no gradient is kept for it; {why}", {"why": why})

    def _named(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Return outputs, variables and parameters, each tensor once, in the order of binding."""
        seen: set[int] = set()
        outputs = {id(tensor): name for name, tensor in self._outputs}
        found = sorted(self._names.reach.tensors, key=lambda held: held.rank.value)
        for name, tensor in [
            *((name, tensor) for name, tensor in self._outputs),
            *((str(held.path), held.tensor) for held in found),
        ]:
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield outputs.get(id(tensor), name), tensor

    def _histories(self) -> Iterator[Message]:
        """Yield sentences on variables that hold the history of many steps of a loop."""
        if self._recorder is None:
            return
        made_by = ((name, own_attribute(tensor, "grad_fn")) for name, tensor in self._named())
        shown = [(name, fn) for name, fn in made_by if fn is not None]
        for name, grad_fn in shown[:MAX_OTHERS]:
            made = self._recorder.moment(sequence_number(grad_fn))
            if made is None:
                continue
            op = op_name(grad_fn)
            walk = Walk([grad_fn])
            steps = set()
            for fn in walk.uses:
                moment = self._recorder.moment(sequence_number(fn))
                if moment is not None and moment[1] == made[1] and op_name(fn) == op:
                    steps.add(moment[0])
            if len(steps) >= MANY_STEPS:
                values: Mapping[str, str | Message] = {
                    "name": name,
                    "count": str(len(steps)),
                    "at": at(self._recorder.files.source(made[1])),
                }
                yield Message(
                    "`{name}` holds the history of {count} steps{at}; "
                    "detach() or item() there ends it",
                    values,
                )


def _leaves_of(walk: Walk) -> dict[int, torch.Tensor]:
    """Return the leaf tensors of a graph by their ids (:func:`id`)."""
    return {
        id(fn.variable): fn.variable  # type: ignore[attr-defined]
        for fn in walk.uses
        if is_accumulate_grad(fn)
    }


def _listed(names: Sequence[str]) -> str | Message:
    quoted = [f"`{name}`" for name in names]
    if len(quoted) <= FEW:
        return ", ".join(quoted)
    values = {"first": ", ".join(quoted[:2]), "last": quoted[-1], "count": str(len(quoted))}
    return Message("{first}, … {last} ({count})", values)


def explanation(outputs: Named, names: Names, recorder: Recorder | None) -> str:
    """Return why each tensor and parameter is or is not in the outputs' graph, a line for each."""
    lines = [
        because(recorder.reasons.of(tensor), tensor, name, recorder)
        if recorder is not None
        else Message("it does not require grad")
        for name, tensor in outputs
        if not requires_grad(tensor)
    ]
    without = [name for name, tensor in outputs if not requires_grad(tensor)]
    said = [
        Message("`{name}` has no graph: {why}", {"name": name, "why": why})
        for name, why in zip(without, lines, strict=True)
    ]
    if len(without) < len(outputs):
        said += Fates(outputs, names, recorder).lines()
    return "\n".join(message.sentence() for message in said)
