"""Rehearsal of a program in the worker, so that forks find ready what is made at its first use."""

from __future__ import annotations

import os

import torch

from sphinx_autogradgraph.program.program import Block, Program, Target
from sphinx_autogradgraph.runtime.child import ProgramRun
from sphinx_autogradgraph.runtime.publishable import Publisher
from sphinx_autogradgraph.runtime.result import Result

_TIMES = 3
"""Times that it is run, after which Python has adapted the code that every program goes through."""

_CODE = """
x, y = torch.ones(2, 2), torch.ones(2)
w = torch.normal(0, 1, size=(2, 1), requires_grad=True)
z = torch.mm(x, w) + torch.zeros(1, requires_grad=True)
loss = ((z - y.view(z.size())) ** 2 / 2).sum()
"""
"""A program of which nothing stays; its operations are too small to run in parallel."""


def rehearse() -> None:
    """Run and trace a small program, without what would change this process."""
    block = Block(_CODE, "rehearsal", os.path.join(os.sep, "rehearsal"))
    directory = os.path.dirname(block.path)
    program = Program((block,), (Target(after=1),), directory=directory, root=directory)
    for _ in range(_TIMES):
        run = ProgramRun(program)
        run.module.__dict__["torch"] = torch
        run.run_block(block)
        result = Result((run.trace_target(program.targets[0]),))
        Publisher(program).encode(result.to_dict())
