"""Nodes and tensors with hooks say so, and what is asked of torch for it changes nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn

from sphinx_autogradgraph import draw, record, trace
from sphinx_autogradgraph.runtime.result import Traced
from sphinx_autogradgraph.snapshots.store import snapshot_text


def clip(gradient: torch.Tensor) -> torch.Tensor:
    return gradient.clamp(-1, 1)


def watch(*_given: Any) -> None:
    pass


def programs_hooks() -> tuple[torch.Tensor, nn.Module, torch.Tensor]:
    w = torch.ones(2, requires_grad=True)
    net = nn.Linear(2, 2)
    net.weight.register_post_accumulate_grad_hook(watch)
    net.weight.register_hook(clip)
    net.bias.register_hook(clip).remove()
    net.register_full_backward_hook(watch)
    y = net((w * 2).view(1, 2))
    y.register_hook(partial(print, end=""))
    loss = y.exp().sum()
    assert loss.grad_fn is not None
    loss.grad_fn.register_hook(lambda sent, arrived: None)
    loss.grad_fn.register_prehook(watch)
    return loss, net, y


def test_each_hook_stands_at_its_node_in_the_order_in_which_they_run() -> None:
    with record():
        loss, net, y = programs_hooks()
    graph = trace(loss)
    found = {node.name or node.op: node.hooks for node in graph.nodes if node.hooks}
    assert found == {
        "net.weight": ("clip", "watch"),
        "BackwardHookFunctionBackward": ("watch",),
        "y": ("print", "watch"),
        "loss": ("watch", "<lambda>"),
    }
    assert '"hooks"' not in snapshot_text(Traced(graph))
    y.retain_grad()
    loss.backward()
    assert net.weight.grad is not None
    assert trace(loss).nodes[-1] == graph.nodes[-1]  # no hook of ours is left


def test_the_drawing_and_the_text_say_which_hooks_there_are() -> None:
    with record():
        w = torch.ones(2, requires_grad=True)
        w.register_hook(clip)
        y = w * 2
        y.register_hook(clip)
        y.register_hook(print)
        loss = y.sum()
    drawing = draw(loss)
    assert drawing.caption.endswith("Hooks: w (clip), y (clip, print).")
    assert "hook: clip" in drawing.svg
    assert "2 hooks" in drawing.svg
    assert "<title>hooks: clip, print</title>" in drawing.svg
    description = drawing.svg.partition("<desc")[2].partition("</desc>")[0]
    assert "Hooks: w (clip), y (clip, print)." in description


def test_without_hooks_nothing_is_asked_of_nodes() -> None:
    with record():
        w = torch.ones(2, requires_grad=True)
        loss = (w * 2).sum()
    before = torch.utils.hooks.RemovableHandle.next_id
    graph = trace(loss)
    assert torch.utils.hooks.RemovableHandle.next_id == before
    assert '"hooks"' not in graph.to_json()
