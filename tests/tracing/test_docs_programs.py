"""What is said of the documentation's own programs, against oracles that know nothing of it."""

from __future__ import annotations

import pytest
import torch
from torch.autograd.graph import Node as GradFn

from benchmarks.corpus import FIGURES
from sphinx_autogradgraph.tracing.derivatives.evidence import Evidence
from sphinx_autogradgraph.tracing.derivatives.formulas import derivative_of, proved, slot_of
from sphinx_autogradgraph.tracing.fates import Fates
from sphinx_autogradgraph.tracing.inputs import inputs_of
from sphinx_autogradgraph.tracing.internals import op_name, sequence_number
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.pytree import tensors_in
from sphinx_autogradgraph.tracing.reach import Reach
from sphinx_autogradgraph.tracing.walk import Walk
from tests.tracing.docs_programs import Ran, programs
from tests.tracing.edge_sums import adds_up
from tests.tracing.formula_samples import checked, nodes_of
from tests.tracing.textbook import textbook

pytestmark = pytest.mark.long

SAYS = {
    "detached": ("detach", ".data", "numpy", "item()", "tolist", "tensor(", "float(", "state_dict"),
    "frozen": ("requires_grad", "freeze"),
}
"""What stands in a line that detaches or freezes."""


def false_reasons(ran: Ran) -> list[str]:
    """The reasons given for inputs of a program that the oracle refutes."""
    found = []
    names = Names(ran.namespace)
    walk = Walk([tensor.grad_fn for _, tensor in ran.roots if tensor.grad_fn is not None])
    for input in inputs_of(walk.functions(), ran.recorder, names):
        tensor, cause = input.tensor(), input.cause
        if tensor is None:
            continue
        tainted = tensor in ran.taint.tensors
        source = ran.recorder.files.source_of(cause, input.name)
        line = "" if source is None else source.text
        said = f"{ran.name}: {input.name} {cause.why} at {line!r}"
        if cause.why == "created" and not cause.function and not cause.doubt and tainted:
            found.append(f"{said}, but it was computed from what requires grad")
        if cause.of is not None and not tainted and "item()" not in line:
            found.append(f"{said}, but nothing that requires grad went into it")
        if SAYS.get(cause.why) and not any(word in line for word in SAYS[cause.why]):
            found.append(f"{said}, but the line does nothing of that kind")
        if cause.why == "dtype" and tensor.dtype.is_floating_point and cause.of is None:
            found.append(f"{said}, but its dtype could")
    return found


def false_fates(ran: Ran) -> list[str]:
    """What is said of parameters that the oracle refutes."""
    found = []
    names = Names(ran.namespace)
    fates = Fates(ran.roots, names, ran.recorder)
    for held in Reach([ran.namespace]).tensors:
        why = fates.of(str(held.path), held.tensor)
        said = "" if why is None else why.sentence()
        if said == "never used" and held.tensor in ran.taint.used:
            found.append(f"{ran.name}: {held.path} {said}, but {ran.taint.used[held.tensor]}")
    return found


def test_no_reason_given_in_the_docs_is_false() -> None:
    ran = programs()
    assert [wrong for one in ran for wrong in false_reasons(one)] == []
    assert [wrong for one in ran for wrong in false_fates(one)] == []
    given = [
        input.cause.why
        for one in ran
        for input in inputs_of(
            Walk([t.grad_fn for _, t in one.roots if t.grad_fn]).functions(),
            one.recorder, Names(one.namespace),
        )
    ]  # fmt: skip
    assert {"created", "detached", "dtype", "frozen"} <= set(given)
    assert len(given) > 100


def distinct(tensor: torch.Tensor, ran: Ran | None) -> list[GradFn]:
    """The function nodes of a graph, of those that a loop made with one operation the first.

    Without a recorder all nodes of one operation count as one.
    """
    found: dict[object, GradFn] = {}
    for fn in nodes_of(tensor):
        moment = None if ran is None else ran.recorder.moment(sequence_number(fn))
        found.setdefault((op_name(fn), moment and moment[1]), fn)
    return list(found.values())


def test_nearly_all_function_nodes_have_a_formula_for_every_edge() -> None:
    corpus: list[tuple[str, torch.Tensor, Ran | None]] = [
        (f"{ran.name}: {name}", tensor, ran) for ran in programs() for name, tensor in ran.roots
    ]
    corpus += [(name, loss, None) for name, loss in textbook().items()]
    complete, lacking = 0, []
    for example, tensor, ran in corpus:
        for fn in distinct(tensor, ran):
            at = Evidence(fn)
            if all(
                (at.op, slot_of(at, edge)) in proved() and derivative_of(at, edge, Names({}))
                for edge, (used, _) in enumerate(fn.next_functions)
                if used is not None
            ):
                complete += 1
            else:
                lacking.append((at.op, example))
    assert complete >= 500
    assert len(lacking) / (complete + len(lacking)) <= 0.05, lacking


def test_no_formula_in_the_docs_is_refuted() -> None:
    wrong = {
        (ran.name, op, edge): f"{derivative.formula}: {problem}"
        for ran in programs()
        for _, tensor in ran.roots
        for op, edge, derivative, problem in checked(tensor)
        if problem is not None and (op, edge) in proved()
    }
    assert wrong == {}


def test_edges_add_up_in_every_graph_of_the_docs_and_of_the_corpus() -> None:
    corpus = {f"{ran.name}: {name}": tensor for ran in programs() for name, tensor in ran.roots}
    for program in {figure.program for figure in FIGURES}:
        torch.manual_seed(0)
        name, variables = program()
        tensors = [value for _, value in tensors_in(name, variables[name])]
        corpus.update({f"{program.__name__} {place}": one for place, one in enumerate(tensors)})
    checked_graphs = [
        example
        for example, loss in corpus.items()
        if loss.grad_fn is not None and not loss.is_nested and adds_up(example, loss)
    ]
    assert len(checked_graphs) >= 60
