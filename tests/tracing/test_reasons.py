"""Why a tensor is not in the graph: the right tensor, reason and line, of programs people ask about."""

from __future__ import annotations

import linecache
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sphinx_autogradgraph import explain, record
from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.graph.model import EXTRAS, Graph, Node
from sphinx_autogradgraph.hosts.cli import main
from sphinx_autogradgraph.tracing.explanations import conflict_in_words
from sphinx_autogradgraph.tracing.fates import Fates, explanation
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.provenance import Recorder
from sphinx_autogradgraph.tracing.targets import drawable
from sphinx_autogradgraph.tracing.walk import trace_tensors

SETUP = """\
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
X = torch.randn(4, 3)
w = torch.randn(3, 2, requires_grad=True)
h = X @ w
"""

FILE = "asked.py"


@dataclass
class Ran:
    """A program that has run under a recorder."""

    namespace: dict[str, Any]
    recorder: Recorder
    code: str

    def graph(self, name: str = "loss") -> Graph:
        names = Names(self.namespace)
        outputs = [(name, self.namespace[name])]
        return trace_tensors(outputs, names, self.recorder, extras=["inputs", "saved"])[0]


def run(code: str, raises: type[Exception] | None = None) -> Ran:
    code = SETUP + textwrap.dedent(code)
    namespace: dict[str, Any] = {"__name__": "asked"}
    recorder = Recorder(lambda path: path == FILE, str, inputs=True)
    lines = code.splitlines(keepends=True)
    linecache.cache[FILE] = (len(code), None, lines, FILE)
    with recorder:
        if raises is None:
            exec(compile(code, FILE, "exec"), namespace)
        else:
            with pytest.raises(raises):
                exec(compile(code, FILE, "exec"), namespace)
    return Ran(namespace, recorder, code)


def of(graph: Graph, name: str) -> Node:
    (node,) = [node for node in graph.nodes if node.kind == "input" and node.name == name]
    return node


REASONS = [
    # code, the input, why, the line, the op or leaf that it was cut from
    ("d = h.detach()\nloss = (h * d).sum()", "d", "detached", "d = h.detach()", "MmBackward0"),
    ("d = h.data\nloss = (h * d).sum()", "d", "detached", "d = h.data", "MmBackward0"),
    ("d = h.detach()\ne = d * 2 + 1\nloss = (h * e).sum()", "e", "detached", "d = h.detach()", "MmBackward0"),
    ("d = torch.tensor(h)\nloss = (h * d).sum()", "d", "detached", "d = torch.tensor(h)", "MmBackward0"),
    ("s = h.sum()\nd = torch.tensor(s.item())\nloss = s * d", "d", "detached", "d = torch.tensor(s.item())", "SumBackward0"),
    ("s = h.sum()\nv = float(s)\nd = torch.tensor([v, 1.0])\nloss = (s * d).sum()", "d", "detached", "v = float(s)", "SumBackward0"),
    ("n = h.detach().numpy()\nd = torch.from_numpy(n)\nloss = (h * d).sum()", "d", "detached", "n = h.detach().numpy()", "MmBackward0"),
    ("n = w.detach().numpy()\nd = torch.tensor(n)\nloss = (w * d).sum()", "d", "detached", "n = w.detach().numpy()", "w"),
    ("k = w.sum().item()\nd = X * k\nloss = (X @ w * d[:, :2]).sum()", "d", "detached", "k = w.sum().item()", None),
    ("with torch.no_grad():\n    t = h * 2\nloss = (h * t).sum()", "t", "no_grad", "t = h * 2", "MmBackward0"),
    ("with torch.no_grad():\n    t = X @ w\nt = t + 1\nloss = (h * t).sum()", "t", "no_grad", "t = X @ w", "w"),
    ("with torch.inference_mode():\n    t = X @ w\nt = t.clone()\nloss = (h + t).sum()", "t", "no_grad", "t = X @ w", "w"),
    ("@torch.no_grad()\ndef target(x):\n    return x.exp()\nt = target(h)\nloss = F.mse_loss(h, t)", "t", "no_grad", "return x.exp()", "MmBackward0"),
    ("torch.set_grad_enabled(False)\nt = h.exp()\ntorch.set_grad_enabled(True)\nloss = (h * t).sum()", "t", "no_grad", "t = h.exp()", "MmBackward0"),
    ("i = h.argmax(1)\nloss = F.cross_entropy(h, i)", "i", "dtype", "i = h.argmax(1)", "MmBackward0"),
    ("y = torch.tensor([0, 1, 1, 0])\nloss = F.cross_entropy(h, y)", "y", "dtype", "y = torch.tensor([0, 1, 1, 0])", None),
    ("m = h > 0\nloss = (h * m).sum()", "m", "dtype", "m = h > 0", "MmBackward0"),
    ("m = (h > 0).float()\nloss = (h * m).sum()", "m", "dtype", "m = (h > 0).float()", "MmBackward0"),
    ("values, where = h.max(1)\nloss = values.sum() + h.gather(1, where[:, None]).sum()", "where", "dtype", "values, where = h.max(1)", "MmBackward0"),
    ("loss = h.sum()", "X", "created", "X = torch.randn(4, 3)", None),
    ("V = X.view(2, 6)\nloss = (w.view(1, 6) * V).sum()", "V", "created", "X = torch.randn(4, 3)", None),
    ("Z = X / X.max()\nloss = (Z @ w).sum()", "Z", "created", "Z = X / X.max()", None),
    ("z = torch.zeros_like(h)\nloss = (h * z).sum()", "z", "created", "z = torch.zeros_like(h)", None),
    ("net = nn.Linear(2, 2)\nnet.weight.requires_grad = False\nloss = net(h).sum()", "net.weight", "frozen", "net.weight.requires_grad = False", None),
    ("net = nn.Linear(2, 2)\nfor param in net.parameters():\n    param.requires_grad_(False)\nloss = net(h).sum()", "net.weight", "frozen", "param.requires_grad_(False)", None),
    ("net = nn.Linear(3, 2).requires_grad_(False)\nf = net(X)\nloss = (h * f).sum()", "f", "frozen", "net = nn.Linear(3, 2).requires_grad_(False)", None),
    ("class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.scale = nn.Parameter(torch.ones(2), requires_grad=False)\nnet = Net()\nloss = (h * net.scale).sum()", "net.scale", "frozen", "self.scale = nn.Parameter(torch.ones(2), requires_grad=False)", None),
    ("e = torch.zeros(4, 2)\nwith torch.no_grad():\n    e.mul_(0.9).add_(h, alpha=0.1)\nloss = (h - e).sum()", "e", "no_grad", "e.mul_(0.9).add_(h, alpha=0.1)", "MmBackward0"),
    ("b = torch.zeros(4, 2)\nb[:] = h.detach()\nloss = (h - b).sum()", "b", "detached", "b[:] = h.detach()", "MmBackward0"),
    ("t = h * 2\nt.detach_()\nloss = (h * t).sum()", "t", "detached", "t.detach_()", None),
    ("d = torch.zeros(4, 2)\nd.data = h.data\nloss = (h * d).sum()", "d", "detached", "d.data = h.data", "MmBackward0"),
    ("d = X.new_tensor(h.tolist())\nloss = (h * d).sum()", "d", "detached", "d = X.new_tensor(h.tolist())", "MmBackward0"),
    ("d = torch.from_numpy(h.detach().numpy())\nloss = (h * d).sum()", "d", "detached", "d = torch.from_numpy(h.detach().numpy())", "MmBackward0"),
    ("d = torch.as_tensor(np.asarray(h.detach()))\nloss = (h * d).sum()", "d", "detached", "d = torch.as_tensor(np.asarray(h.detach()))", "MmBackward0"),
    ("d = torch.from_numpy(h.detach().numpy() * 2)\nloss = (h * d).sum()", "d", "created", "d = torch.from_numpy(h.detach().numpy() * 2)", None),
    ("n = np.ones((4, 3), dtype='float32')\nd = torch.from_numpy(n)\nloss = (d @ w).sum()", "d", "created", "d = torch.from_numpy(n)", None),
    ("h.sum().backward(retain_graph=True)\ng = w.grad\nloss = (w * g).sum()", "g", "created", "h.sum().backward(retain_graph=True)", None),
    ("enc = nn.Linear(3, 2)\nwith torch.no_grad():\n    z = enc(X)\nloss = (h * z).sum()", "z", "no_grad", "z = enc(X)", None),
    ("ids = h.argmax(1)\nloss = nn.Embedding(4, 2)(ids).sum() + h.sum()", "ids", "dtype", "ids = h.argmax(1)", "MmBackward0"),
    ("w2 = torch.randn(3, 2, requires_grad=True)\nw2.requires_grad_(False)\nt = X @ w2\nloss = (h * t).sum()", "t", "frozen", "w2.requires_grad_(False)", None),
    ("out = torch.zeros(4, 2)\nwith torch.no_grad():\n    out[0].copy_(h[0])\nloss = (h * out).sum()", "out", "no_grad", "out[0].copy_(h[0])", None),
    ("out = torch.zeros(4, 2)\nout.data[0] = h[0]\nloss = (h * out).sum()", "out", "detached", "out.data[0] = h[0]", None),
    ("rank = torch.argsort(h[:, 0]).float()[:, None]\nloss = (h * rank).sum()", "rank", "dtype", "rank = torch.argsort(h[:, 0]).float()[:, None]", None),
    ("import pickle\ng = pickle.loads(pickle.dumps(h.detach()))\nloss = (h * g).sum()", "g", "created", "g = pickle.loads(pickle.dumps(h.detach()))", None),
    ("import copy\nold = nn.Linear(2, 2).requires_grad_(False)\nnew = copy.deepcopy(old)\nloss = new(h).sum()", "new.weight", "frozen", "old = nn.Linear(2, 2).requires_grad_(False)", None),
    ("mean = nn.Linear(2, 2)\nfor p in mean.parameters():\n    p.requires_grad_(False)\nwith torch.no_grad():\n    mean.weight.mul_(0.9).add_(h.sum())\nloss = mean(h).sum()", "mean.weight", "frozen", "p.requires_grad_(False)", None),
    ("mean = nn.Linear(2, 2).requires_grad_(False)\nmean.weight.data = mean.weight.data + h.sum().detach()\nloss = mean(h).sum()", "mean.weight", "frozen", "mean = nn.Linear(2, 2).requires_grad_(False)", None),
    ("p = torch.ones(2)\np.requires_grad_(False)\nloss = (h * p).sum()", "p", "created", "p = torch.ones(2)", None),
    ("scale = nn.Parameter(torch.ones(2), requires_grad=False)\nbag = nn.ParameterList([scale])\nloss = (h * bag[0]).sum()", "bag.0", "frozen", "scale = nn.Parameter(torch.ones(2), requires_grad=False)", None),
    ("buf = torch.zeros(4, 2)\nwith torch.no_grad():\n    buf.copy_(h)\nbuf.zero_()\nloss = (h * buf).sum()", "buf", "created", "buf.zero_()", None),
    ("buf = torch.zeros(4, 2)\nbuf.copy_(h.detach())\nbuf.copy_(X[:, :2])\nloss = (h * buf).sum()", "buf", "created", "buf.copy_(X[:, :2])", None),
    ("buf = torch.empty(4, 2)\nbuf.normal_()\nloss = (h * buf).sum()", "buf", "created", "buf = torch.empty(4, 2)", None),
    ("x = F.dropout(X, 0.0, True)\nloss = (x @ w).sum()", "X", "created", "X = torch.randn(4, 3)", None),
    ("h2 = torch.tanh(h)\nh = h2.detach()\nloss = (h * w.sum()).sum()", "h", "detached", "h = h2.detach()", None),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("code", "name", "why", "line", "cut"), REASONS)
def test_an_input_says_why_it_does_not_require_grad(
    code: str, name: str, why: str, line: str, cut: str | None
) -> None:
    ran = run(code)
    torch.set_grad_enabled(True)
    graph = ran.graph()
    reason = of(graph, name).reason
    assert reason is not None
    assert reason.why == why
    assert reason.source is not None
    assert reason.source.text == line
    assert ran.code.splitlines()[reason.source.line - 1].strip() == line
    node = None if reason.of is None else graph.nodes[reason.of]
    assert (node and (node.name if node.kind == "leaf" else node.op)) == cut
    assert Graph.from_json(graph.to_json()) == graph


NO_GRAPH = [
    ("h = h.detach()\nloss = h.sum()", "`loss` has no graph: `h` was detached at asked.py:{} (`h = h.detach()`)"),
    ("loss = h.detach().sum()", "`loss` has no graph: `h` was detached at asked.py:{} (`loss = h.detach().sum()`)"),
    ("a = h.data\nloss = a.sum()", "`loss` has no graph: `h` was detached at asked.py:{} (`a = h.data`)"),
    ("loss = torch.tensor(h.sum().item())", "was detached at asked.py:{} (`loss = torch.tensor(h.sum().item())`)"),
    ("with torch.no_grad():\n    y = h * 2\nloss = y.sum()", "`loss` has no graph: `y` was computed under torch.no_grad() or inference_mode() at asked.py:{} (`y = h * 2`)"),
    ("net = nn.Linear(3, 1)\nnet.requires_grad_(False)\nloss = net(X).sum()", "only frozen parameters went into it: requires_grad was set to False at asked.py:{} (`net.requires_grad_(False)`)"),
    ("loss = h.argmax()", "its dtype is torch.int64, and only floating point and complex tensors can require grad; it was made at asked.py:{} (`loss = h.argmax()`)"),
    ("loss = torch.tensor([h.sum(), w.sum()]).mean()", "`[h.sum(), w.sum()]` was detached at asked.py:{} (`loss = torch.tensor([h.sum(), w.sum()]).mean()`)"),
    ("loss = (h - w.sum()).detach().sum()", "`(h - w.sum())` was detached at asked.py:{} (`loss = (h - w.sum()).detach().sum()`)"),
    ("hit = (h.argmax(1) == 0).float()\nloss = hit.mean()", "it was computed from integers or booleans, which were made at asked.py:{} (`hit = (h.argmax(1) == 0).float()`)"),
    ("loss = torch.Tensor([h.sum()]).mean()", "what went into it was not recorded; it was made at asked.py:{} (`loss = torch.Tensor([h.sum()]).mean()`)"),
    ("loss = X.sum()", "nothing that requires grad went into it; it was made at asked.py:{} (`loss = X.sum()`)"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("code", "said"), NO_GRAPH)
def test_a_tensor_without_a_graph_says_where_it_was_cut(code: str, said: str) -> None:
    ran = run(code)
    with pytest.raises(DiagnosticError) as raised:
        drawable([("loss", ran.namespace["loss"])], ran.namespace, ran.recorder)
    text = said.partition("(`")[2].removesuffix("`)") or code
    line = 1 + [line.strip() for line in ran.code.splitlines()].index(text)
    assert said.format(line) in raised.value.diagnostic.sentence()


CHANGED = [
    ("y = h.exp()\nloss = y.sum()\ny += 1\nloss.backward()", "`y`, which ExpBackward0 had saved at asked.py:{} (`y = h.exp()`), was changed in place by add_ at asked.py:{} (`y += 1`)"),
    ("y = h * 2\nloss = (y * y).sum()\ny.add_(1)\nloss.backward()", "`y`, which MulBackward0 had saved at asked.py:{} (`loss = (y * y).sum()`), was changed in place by add_ at asked.py:{} (`y.add_(1)`)"),
    ("y = h.sigmoid()\nloss = y.sum()\ny[0] = 0\nloss.backward()", "`y`, which SigmoidBackward0 had saved at asked.py:{} (`y = h.sigmoid()`), was changed in place by __setitem__ at asked.py:{} (`y[0] = 0`)"),
    ("loss = (h @ w.t()).sum()\nwith torch.no_grad():\n    w -= 0.1\ntorch.autograd.backward(loss)", "`w`, which MmBackward0 had saved at asked.py:{} (`loss = (h @ w.t()).sum()`), was changed in place by sub_ at asked.py:{} (`w -= 0.1`)"),
    ("lin = nn.Linear(2, 2)\nlast = nn.Linear(2, 1)\nopt = torch.optim.SGD([*lin.parameters(), *last.parameters()], 0.1)\nloss = last(lin(h)).sum()\nloss.backward(retain_graph=True)\nopt.step()\nloss.backward()", "`last.weight`, which AddmmBackward0 had saved at asked.py:{} (`loss = last(lin(h)).sum()`), was changed in place by add_ at asked.py:{} (`opt.step()`)"),
    ("y = torch.sigmoid(h)\nz = F.relu_(y)\nz.sum().backward()", "`y`, which SigmoidBackward0 had saved at asked.py:{} (`y = torch.sigmoid(h)`), was changed in place by relu_ at asked.py:{} (`z = F.relu_(y)`)"),
    ("y = h.tanh()\nz = nn.ReLU(inplace=True)(y)\nz.sum().backward()", "`y`, which TanhBackward0 had saved at asked.py:{} (`y = h.tanh()`), was changed in place by relu at asked.py:{} (`z = nn.ReLU(inplace=True)(y)`)"),
    ("y = h.exp()\nv = y[0]\nv.zero_()\ny.sum().backward()", "`y`, which ExpBackward0 had saved at asked.py:{} (`y = h.exp()`), was changed in place by zero_ at asked.py:{} (`v.zero_()`)"),
    ("net = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.ReLU(inplace=True))\nloss = net(h).sum()\nloss.backward()", "a tensor, which SigmoidBackward0 had saved at asked.py:{} (`loss = net(h).sum()`), was changed in place by relu at asked.py:{} (`loss = net(h).sum()`)"),
    ("b = torch.ones(2)\nloss = (h * b).sum()\ntorch.add(b, 1, out=b)\nloss.backward()", "`b`, which MulBackward0 had saved at asked.py:{} (`loss = (h * b).sum()`), was changed in place by add at asked.py:{} (`torch.add(b, 1, out=b)`)"),
    ("lin = nn.Linear(2, 2)\nopt = torch.optim.Adam(lin.parameters(), foreach=True)\nloss = lin(lin(h)).sum()\nloss.backward(retain_graph=True)\nopt.step()\nloss.backward()", "`lin.weight`, which AddmmBackward0 had saved at asked.py:{} (`loss = lin(lin(h)).sum()`), was changed in place by _foreach_addcdiv_ at asked.py:{} (`opt.step()`)"),
    ("states = torch.zeros(3, 4, 2)\nfor t in range(2):\n    states[t + 1] = torch.tanh(states[t] @ w.T @ w + h)\nstates[-1].sum().backward()", "`states`, which MmBackward0 had saved at asked.py:{} (`states[t + 1] = torch.tanh(states[t] @ w.T @ w + h)`), was changed in place by __setitem__ at asked.py:{} (`states[t + 1] = torch.tanh(states[t] @ w.T @ w + h)`)"),
    ("last = nn.Linear(2, 1)\nloss = last(h).sum()\nlast.load_state_dict(nn.Linear(2, 1).state_dict())\nloss.backward()", "`last.weight`, which AddmmBackward0 had saved at asked.py:{} (`loss = last(h).sum()`), was changed in place by copy_ at asked.py:{} (`last.load_state_dict(nn.Linear(2, 1).state_dict())`)"),
    ("def halved(t):\n    t /= 2\n    return t\ny = h.exp()\nhalved(y).sum().backward()", "`y`, which ExpBackward0 had saved at asked.py:{} (`y = h.exp()`), was changed in place by div_ at asked.py:{} (`t /= 2`)"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "said"), CHANGED)
def test_a_backward_that_fails_for_a_change_in_place_says_what_was_changed_where(
    code: str, said: str
) -> None:
    ran = run(code, raises=RuntimeError)
    conflict = ran.recorder.conflict
    assert conflict is not None
    found = conflict_in_words(conflict, Names(ran.namespace), ran.recorder).sentence()
    lines = [line.strip() for line in ran.code.splitlines()]
    texts = re.findall(r"\(`(.*?)`\)(?=,|$)", said)
    assert found == said.format(*(1 + lines.index(text) for text in texts))
    if "loss" in ran.namespace:
        nodes = ran.graph().nodes
        assert any(item.changed for node in nodes for item in node.saved or ())


PARTS = """\
encoder, decoder = nn.Linear(2, 4), nn.Linear(4, 1)
spare, aside = nn.Linear(2, 2), nn.Linear(2, 2)
frozen = nn.Linear(4, 4).requires_grad_(False)
z = encoder(h).detach()
other = aside(h).sum()
loss = decoder(frozen(z)).sum()
total = torch.zeros(())
state = torch.zeros(4, 2)
for step in range(10):
    total = total + decoder(z).mean()
    state = torch.tanh(state + h)
"""


def test_each_parameter_says_what_gradient_reaches_it_or_why_none_does() -> None:
    ran = run(PARTS)
    outputs = [("loss", ran.namespace["loss"])]
    rows, note = Fates(outputs, Names(ran.namespace), ran.recorder).rows()
    said = {row.name: row.why and row.why.sentence() for row in rows}
    assert said.pop("decoder.weight") is None
    assert {row.name: row.gradient and row.gradient.norm for row in rows}["decoder.bias"] == 4.0
    assert said["encoder.weight"] == (
        "used only behind a cut: `encoder(h)` was detached at asked.py:13 "
        "(`z = encoder(h).detach()`)"
    )
    assert said["spare.weight"] == "never used"
    assert said["aside.bias"] == "used in the graph of `other` only"
    assert said["frozen.weight"] == (
        "it is frozen: requires_grad was set to False at asked.py:12 "
        "(`frozen = nn.Linear(4, 4).requires_grad_(False)`)"
    )
    assert note is not None
    assert "Of 10 parameters no gradient reaches" in note.sentence()
    assert ran.namespace["decoder"].weight.grad is None


def test_a_parameter_frozen_after_its_use_says_so_and_the_others_have_their_gradients() -> None:
    ran = run("net = nn.Linear(2, 1)\nloss = net(h).sum()\nnet.weight.requires_grad_(False)")
    outputs = [("loss", ran.namespace["loss"])]
    rows, note = Fates(outputs, Names(ran.namespace), ran.recorder).rows()
    weight, bias = rows
    assert weight.gradient is None
    assert "it is frozen: requires_grad was set to False at asked.py" in str(
        weight.why and weight.why.sentence()
    )
    assert (bias.gradient and bias.gradient.norm, bias.why) == (4.0, None)
    assert note is not None
    assert "no gradient reaches `net.weight`" in note.sentence()


def test_explain_says_why_each_tensor_is_in_the_graph_or_not() -> None:
    ran = run(PARTS)
    names = Names(ran.namespace)
    lines = explanation([("loss", ran.namespace["loss"])], names, ran.recorder).splitlines()
    assert lines[0] == "`loss`, `decoder.weight`, `decoder.bias`: in the graph"
    assert "`spare.weight`, `spare.bias`: not in the graph; never used" in lines
    assert (
        "`X`: not in the graph; nothing that requires grad went into it; it was made at "
        "asked.py:7 (`X = torch.randn(4, 3)`)" in lines
    )
    history = [line for line in lines if "history" in line]
    assert history == [
        "`total` holds the history of 10 steps at asked.py:19 "
        "(`total = total + decoder(z).mean()`); detach() or item() there ends it",
        "`state` holds the history of 10 steps at asked.py:20 "
        "(`state = torch.tanh(state + h)`); detach() or item() there ends it",
    ]
    (cut,) = explanation([("z", ran.namespace["z"])], names, ran.recorder).splitlines()
    assert cut.startswith("`z` has no graph: `encoder(h)` was detached at asked.py:13")


@pytest.mark.parametrize(
    "code",
    [
        "y = h.exp()\ny.data.mul_(2)\nloss = y.sum()",  # autograd cannot see it
        "norm = nn.BatchNorm1d(2)\nloss = (norm(h) + norm(h * 2)).sum()",  # its buffers change
    ],
)
def test_a_change_that_breaks_no_backward_is_not_told(code: str) -> None:
    ran = run(f"{code}\nloss.backward(retain_graph=True)")
    assert ran.recorder.conflict is None
    assert not any(item.changed for node in ran.graph().nodes for item in node.saved or ())


def test_without_a_record_nothing_is_said_of_how_a_parameter_was_used() -> None:
    used, other = nn.Linear(2, 1), nn.Linear(2, 1)
    used(torch.ones(2))
    loss = other(torch.ones(2)).sum()
    said = explanation([("loss", loss)], Names({"used": used, "other": other}), None)
    assert "`used.weight`, `used.bias`: not in the graph; in no graph that a variable holds" in said


def test_several_additions_on_one_line_are_no_loop() -> None:
    ran = run("loss = (h + h + h + h + h).sum()\ny = h + h + h + h + h")
    assert "history" not in explanation(
        [("loss", ran.namespace["loss"])], Names(ran.namespace), ran.recorder
    )


MISSING = [
    # code, what explain says of which tensor
    ("net = nn.Linear(2, 1)\nl2 = net(h).mean()\nloss = h.sum() + l2.item()", "`l2`: not in the graph; no edge of the graph leads to it; `l2` was detached at asked.py:{} (`loss = h.sum() + l2.item()`)"),
    ("G, D = nn.Linear(3, 2), nn.Linear(2, 1)\nfake = G(X)\nloss = D(fake.detach()).mean()", "`G.weight`, `G.bias`, `fake`: not in the graph; used only behind a cut: `fake` was detached at asked.py:{} (`loss = D(fake.detach()).mean()`)"),
    ("enc, dec = nn.Linear(3, 4), nn.Linear(4, 1)\nwith torch.no_grad():\n    z = enc(X)\nloss = dec(z).sum()", "`enc.weight`, `enc.bias`: not in the graph; used only behind a cut: `z` was computed under torch.no_grad() or inference_mode() at asked.py:{} (`z = enc(X)`)"),
    ("emb, proj = nn.Embedding(4, 2), nn.Linear(3, 4)\nids = proj(X).argmax(1)\nloss = emb(ids).sum()", "`proj.weight`, `proj.bias`: not in the graph; used only behind a cut: integers or booleans were made of it at asked.py:{} (`ids = proj(X).argmax(1)`)"),
    ("a, b = nn.Linear(2, 1), nn.Linear(2, 1)\nflag = True\nloss = a(h).sum() if flag else b(h).sum()", "`b.weight`, `b.bias`: not in the graph; never used"),
    ("w2 = torch.ones(2, requires_grad=True)\nw2.requires_grad = False\nloss = (h * w2).sum()", "`w2`: not in the graph; it is frozen: requires_grad was set to False at asked.py:{} (`w2.requires_grad = False`)"),
    ("n = h.detach().numpy() + 1\nd = torch.from_numpy(n)\nloss = (h * d).sum()", "`d`: not in the graph; it was made from numbers, and where they came from is not known: a tensor of a graph became numbers at asked.py:{} (`n = h.detach().numpy() + 1`); it was made at asked.py:{} (`d = torch.from_numpy(n)`)"),
    ("total = 0.0\nfor row in h:\n    total += row.sum().item()\nd = torch.tensor(total)\nloss = h.sum() * d", "`d`: not in the graph; it was made from numbers, and where they came from is not known: a tensor of a graph became numbers at asked.py:{} (`total += row.sum().item()`); it was made at asked.py:{} (`d = torch.tensor(total)`)"),
    ("d = torch.vmap(lambda row: row * 2)(X)\nloss = (d @ w).sum()", "`d`: not in the graph; it does not require grad, and what went into it was not recorded; it was made at asked.py:{} (`d = torch.vmap(lambda row: row * 2)(X)`)"),
    ("enc = nn.Linear(3, 4)\nz = enc(X)\np = nn.Parameter(z)\nloss = (p ** 2).sum()", "`enc.weight`, `enc.bias`, `z`: not in the graph; used only behind a cut: nn.Parameter made a new leaf of `z` at asked.py:{} (`p = nn.Parameter(z)`)"),
    ("enc = nn.Linear(3, 4)\nz = enc(X)\nq = z.detach().requires_grad_()\nloss = (q ** 2).sum()", "`enc.weight`, `enc.bias`, `z`: not in the graph; used only behind a cut: `z` was detached at asked.py:{} (`q = z.detach().requires_grad_()`)"),
    ("class Enc(nn.Linear):\n    @torch.no_grad()\n    def forward(self, x):\n        return super().forward(x)\nenc = Enc(3, 2)\nloss = (h * enc(X)).sum()", "`enc.weight`, `enc.bias`: not in the graph; used only behind a cut: what was made of it was computed under torch.no_grad() or inference_mode() at asked.py:{} (`return super().forward(x)`)"),
    ("book = nn.Parameter(torch.ones(5, 2))\nnear = torch.cdist(h, book).argmin(1)\nq = book[near]\nst = h + (q - h).detach()\nloss = st.sum()", "`book`, `q`: not in the graph; used only behind a cut: `(q - h)` was detached at asked.py:{} (`st = h + (q - h).detach()`)"),
    ("v = torch.ones(2, requires_grad=True)\nloss = (h * v).sum()\nw.requires_grad_(False)", "`w`: in the graph, but no gradient is kept for it; it is frozen: requires_grad was set to False at asked.py:{} (`w.requires_grad_(False)`)"),
    ("a, b = nn.Linear(2, 1), nn.Linear(2, 1)\nlarger = max(a(h).sum(), b(h).sum())\nloss = larger * 2", "`b.weight`, `b.bias`: not in the graph; used only behind a cut: integers or booleans were made of it at asked.py:{} (`larger = max(a(h).sum(), b(h).sum())`)"),
    ("at = nn.Linear(2, 1)\ntable = nn.Parameter(torch.ones(9, 2))\nrow = int(at(h).abs().sum())\nloss = table[row % 9].sum()", "`at.weight`, `at.bias`: not in the graph; used only behind a cut: `at(h).abs().sum()` was detached at asked.py:{} (`row = int(at(h).abs().sum())`)"),
    ("class Scale(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n        most = x.abs().max()\n        ctx.mark_non_differentiable(most)\n        return x / most, most\n    @staticmethod\n    def backward(ctx, grad, _):\n        return grad\ny, most = Scale.apply(h)\nloss = (y * most).sum()", "`most`: not in the graph; `most` was computed in the forward of the Function Scale at asked.py:{} (`most = x.abs().max()`)"),
    ("(g,) = torch.autograd.grad(h.sum(), w)\nloss = (w * g).sum()", "`g`: not in the graph; it is a gradient, computed without create_graph=True; it was made at asked.py:{} (`(g,) = torch.autograd.grad(h.sum(), w)`)"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "said"), MISSING)
def test_what_is_missing_says_where_it_was_lost_or_that_it_is_not_sure(
    code: str, said: str
) -> None:
    ran = run(code)
    found = explanation([("loss", ran.namespace["loss"])], Names(ran.namespace), ran.recorder)
    lines = [line.strip() for line in ran.code.splitlines()]
    texts = re.findall(r"\(`(.*?)`\)(?=;|$)", said)
    assert said.format(*(1 + lines.index(text) for text in texts)) in found.splitlines()


@pytest.mark.long
def test_explain_from_python_and_at_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with record():
        w = torch.ones(2, requires_grad=True)
        cut = w.detach()
        loss = (w * cut).sum()
    assert "`loss`, `w`: in the graph" in explain(loss)
    assert "`w` was detached at" in explain(cut)
    with pytest.raises(ValueError, match="a str holds no tensor"):
        explain("text")
    file = tmp_path / "asked.py"
    file.write_text(SETUP + "loss = h.sum()\nh = h.detach()\n")
    assert main(["explain", f"{file}", "--tensor", "loss"]) == 0
    assert "`h` was detached at asked.py:11 (`h = h.detach()`)" in capsys.readouterr().out
    assert main(["explain", f"{file}", "--tensor", "h"]) == 0
    assert "`h` has no graph: `h` was detached at asked.py:11" in capsys.readouterr().out
    assert main(["explain", f"{file}", "--tensor", "3"]) == 1
    assert "holds no tensor" in capsys.readouterr().err
    assert main(["explain", f"{tmp_path / 'no.py'}"]) == 2


ODD = """
def refuse(*_, **__):
    raise RuntimeError("ours alone")

class Odd(torch.Tensor):
    {name} = {value}

class OddParameter(Odd, nn.Parameter):
    pass

class Kept:
    __class__ = property(refuse)

class Pass(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.odd, ctx.kept = odd, Kept()
        return x * 1

    @staticmethod
    def backward(ctx, grad):
        return grad

net = nn.Linear(2, 1)
with torch._C.DisableTorchFunction():
    odd = torch.ones(2).as_subclass(Odd)
    odd_made = (w * 3).as_subclass(Odd)
    net._parameters["odd"] = torch.Tensor._make_subclass(OddParameter, torch.ones(2), True)
    product = (h * odd).sum()
target = h.detach()
loss = (net(h) * target[:, :1]).sum() + product + Pass.apply(h).sum()
"""


def said_beside(name: str, value: str) -> tuple[Graph, list[object], list[str]]:
    """The graph of a program with odd tensors, and what is said of its other tensors."""
    ran = run(ODD.format(name=name, value=value))
    names, outputs = Names(ran.namespace), [("loss", ran.namespace["loss"])]
    graph, note = trace_tensors(outputs, names, ran.recorder, extras=EXTRAS)
    assert note is None
    rows = Fates(outputs, names, ran.recorder).rows()[0]
    words = explanation(outputs, names, ran.recorder).splitlines()
    return (
        graph.structure(),
        [row for row in rows if "odd" not in row.name],
        [line for line in words if "`odd" not in line and ".odd`" not in line],
    )


@pytest.fixture(scope="module")
def said_beside_plain() -> tuple[Graph, list[object], list[str]]:
    return said_beside("at_peace", "None")


@pytest.mark.parametrize(
    "name",
    [
        "__class__", "__getattribute__", "__hash__", "_base", "_version", "data_ptr", "dim", "dtype",
        "grad", "grad_fn", "is_inference", "is_leaf", "output_nr", "requires_grad", "retains_grad",
        "untyped_storage",
    ],
)  # fmt: skip
def test_a_tensor_that_raises_costs_what_is_said_of_itself_alone(
    name: str, said_beside_plain: tuple[Graph, list[object], list[str]]
) -> None:
    called = name.startswith("__") or name in ("data_ptr", "dim", "is_inference", "untyped_storage")
    value = "refuse" if called and name != "__class__" else "property(refuse)"
    assert said_beside(name, value) == said_beside_plain


RECORDED = [
    """
    class Odd(torch.Tensor):
        requires_grad = property(lambda _: 1 / 0)
    class OddParameter(Odd, nn.Parameter):
        pass
    with torch._C.DisableTorchFunction():
        odd = torch.Tensor._make_subclass(OddParameter, torch.ones(2), True)
    nn.Module().register_parameter("odd", odd)
    """,
    """
    class Odd(nn.Module):
        __module__ = 5
        def forward(self, x):
            return x
    Odd()(w)
    """,
    """
    class Unsaid(RuntimeError):
        def __str__(self):
            raise ValueError
    class Fails(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1
        @staticmethod
        def backward(ctx, grad):
            raise Unsaid
    try:
        Fails.apply(w).sum().backward()
    except Unsaid:
        pass
    """,
    """
    class Odd(torch.Tensor):
        __class__ = property(lambda _: 1 / 0)
    try:
        nn.Parameter(torch.ones(2).as_subclass(Odd))
    except ZeroDivisionError:
        pass
    """,
]


@pytest.mark.parametrize("code", RECORDED)
def test_odd_objects_run_under_a_recorder_as_without(code: str) -> None:
    ran = run(textwrap.dedent(code) + "loss = h.sum()\n")
    source = ran.graph().nodes[-1].source
    assert source is not None
    assert source.text == "loss = h.sum()"
