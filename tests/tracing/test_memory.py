"""Bytes that nodes keep for backward, against the storages' sizes counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from sphinx_autogradgraph import draw, record
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.provenance import Recorder
from sphinx_autogradgraph.tracing.walk import trace_tensors
from sphinx_autogradgraph.views.module_folds import fold_modules

# Two operations with large results in a row: (64, 64) of float32 are 16,384 bytes.
LARGE = 64 * 64 * 4


def weights() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.ones(64, 64), torch.ones(64, 64, requires_grad=True)


def leaves_and_inputs_only() -> Any:
    x, w = weights()
    return (x @ w).sum()


def result() -> Any:
    x, w = weights()
    return (x @ w).exp().sum()


def one_for_two() -> Any:  # exp keeps its result, sin the same tensor
    x, w = weights()
    return (x @ w).exp().sin().sum()


def two() -> Any:
    x, w = weights()
    return (x @ w).sin().sin().sum()


def in_place() -> Any:
    x, w = weights()
    return torch.relu_(x @ w).sum()


def half() -> Any:
    x, w = weights()
    return (x @ w).to(torch.bfloat16).exp().sum()


def part_of_a_storage() -> Any:  # a view of one row keeps the whole
    x, w = weights()
    return (x @ w)[0].sin().sum()


def checkpointed() -> Any:
    x, w = weights()
    return checkpoint(lambda x: (x @ w).sin().sin(), x, use_reentrant=False).sum()


def dropped() -> Any:  # the mask is made inside of the call
    x, w = weights()
    return nn.functional.dropout(x @ w, 0.5).sum()


def autocast() -> Any:  # mm keeps a copy of x, as bfloat16, and exp its result
    x, w = weights()
    with torch.autocast("cpu", torch.bfloat16):
        return (x @ w).exp().sum()


def views_of_one_result() -> Any:  # sin and cos keep two halves of one storage
    x, w = weights()
    top, bottom = (x @ w).chunk(2)
    return top.sin().sum() + bottom.cos().sum()


def buffers() -> Any:  # running statistics are the module's; what it saves is one number a feature
    x, w = weights()
    return nn.BatchNorm1d(64)(x @ w).sum()


def freed() -> Any:
    out = two()
    out.backward()
    return out


BY_HAND = [
    (leaves_and_inputs_only, 0), (result, LARGE), (one_for_two, LARGE), (two, 2 * LARGE),
    (in_place, LARGE), (half, LARGE // 2), (part_of_a_storage, LARGE), (checkpointed, 0),
    (dropped, LARGE), (freed, 0), (autocast, LARGE), (views_of_one_result, LARGE), (buffers, LARGE + 2 * 64 * 4),
]  # fmt: skip


def graph_of(program: Callable[[], Any], recorder: Recorder | None) -> Graph:
    if recorder is None:
        out = program()
    else:
        with recorder:
            out = program()
    return trace_tensors([("out", out)], Names({"out": out}), recorder, extras=["memory"])[0]


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    ("program", "expected"), BY_HAND, ids=lambda item: getattr(item, "__name__", str(item))
)
def test_the_bytes_are_those_of_the_storages(
    program: Callable[[], Any], expected: int, recorded: bool
) -> None:
    recorder = Recorder(lambda path: path == __file__, str, inputs=True) if recorded else None
    if program in (dropped, autocast) and not recorded:
        pytest.skip("only the recorder tells a mask, or a copy, from an input")
    graph = graph_of(program, recorder)
    assert sum(node.saved_bytes or 0 for node in graph.nodes) == expected
    assert all(node.saved_bytes != 0 for node in graph.nodes)
    assert Graph.from_json(graph.to_json()) == graph
    assert all(node.saved_bytes is None for node in graph.structure().nodes)


@pytest.mark.parametrize(("program", "said"), [(two, "32 KiB"), (one_for_two, "16 KiB")])
def test_the_caption_has_the_sum(program: Callable[[], Any], said: str) -> None:
    assert draw(program(), show="memory").caption.endswith(f" Kept for backward: {said}.")


def test_what_was_made_outside_of_the_record_is_counted_as_without_one() -> None:
    with record():
        for _ in range(20):  # whose memory may be given again
            two()
    for _ in range(10):
        assert draw(two(), show="memory").caption.endswith(" Kept for backward: 32 KiB.")


def test_a_fold_says_the_sum_of_what_is_in_it() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.Sigmoid())
    recorder = Recorder(lambda path: path == __file__, str, inputs=True)
    with recorder:
        out = net(torch.ones(2, 4)).sum()
    names = Names({"net": net, "out": out})
    graph = trace_tensors([("out", out)], names, recorder, extras=["memory"])[0]
    view = fold_modules(graph, 1)
    (fold,) = [node for node in view.nodes if node.kind == "module"]
    assert fold.saved_bytes == 2 * (2 * 8 * 4)
