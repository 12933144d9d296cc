"""Figures that tutorials draw, by which the layout is judged: programs, and what they show.

Each function is one program.  It returns the name of the tensor to draw and its variables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

from sphinx_autogradgraph.core.show import Show
from sphinx_autogradgraph.graph.model import EXTRAS, Graph
from sphinx_autogradgraph.hosts.python import record
from sphinx_autogradgraph.tracing.names import Names
from sphinx_autogradgraph.tracing.targets import drawable
from sphinx_autogradgraph.tracing.walk import trace_tensors

Variables = tuple[str, Mapping[str, object]]


@dataclass(frozen=True)
class Figure:
    """A program of the corpus and one way to show it."""

    name: str
    program: Callable[[], Variables]
    show: tuple[Show, ...]
    depth: int | None = None

    def trace(self) -> Graph:
        """Run the program and trace what it draws."""
        from sphinx_autogradgraph.hosts import python

        torch.manual_seed(0)
        with record():
            name, variables = self.program()
        graph, _note = trace_tensors(
            drawable([(name, variables[name])], dict(variables)),
            Names({}, dict(variables)),
            python._recorded,
            extras=[extra for extra in EXTRAS if extra in self.show],
        )
        return graph


FIGURES: list[Figure] = []
"""The corpus."""


def figure(
    *shows: str, depth: int | None = None
) -> Callable[[Callable[[], Variables]], Callable[[], Variables]]:
    """Add a program to the corpus, once for each of the ``shows``, which are words by spaces."""

    def add(program: Callable[[], Variables]) -> Callable[[], Variables]:
        for text in shows or ("shape",):
            show: tuple[Show, ...] = tuple(text.split())  # type: ignore[assignment]
            more = "" if text == "shape" else f", {text.replace('shape ', '')}"
            level = "" if depth is None else f", depth {depth}"
            FIGURES.append(
                Figure(f"{program.__name__.replace('_', ' ')}{more}{level}", program, show, depth)
            )
        return program

    return add


# --- from scratch ---


@figure(
    "shape", "shape inputs", "shape saved", "shape gradients", "shape dtype values", "shape legend"
)
def walk_through() -> Variables:
    """Linear regression from scratch."""
    X, y = torch.randn(10, 2), torch.randn(10)  # noqa: N806 - as the walk-through calls it
    w = torch.randn(2, 1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    y_hat = torch.mm(X, w) + b
    l = ((y_hat - y.view(y_hat.size())) ** 2 / 2).sum()
    return "l", locals()


@figure("inputs flags")
def leaves() -> Variables:
    """One layer and its loss, with all that ``is_leaf`` and its like say."""
    x, y = torch.ones(4, 3), torch.ones(4, 2)
    W = torch.zeros(3, 2, requires_grad=True)  # noqa: N806 - as the formula calls it
    b = torch.zeros(1, 2, requires_grad=True)
    z = x @ W + b
    y_pred = z.relu()
    loss = F.mse_loss(y_pred, y)
    return "loss", locals()


@figure("shape", "shape gradients")
def concatenation() -> Variables:
    """Twelve leaves that go into one operation."""
    parts = [torch.ones(2, requires_grad=True) for _ in range(12)]
    out = torch.cat(parts).sum()
    return "out", locals()


@figure("shape", "shape gradients")
def late_concatenation() -> Variables:
    """Eleven leaves that go into one operation beside a longer branch."""
    parts = [torch.ones(2, requires_grad=True) for _ in range(11)]
    w = torch.rand(2, 2, requires_grad=True)
    h = torch.relu(torch.tanh(w @ torch.ones(2)))
    out = torch.cat([*parts, h]).sum()
    return "out", locals()


@figure("shape inputs", "shape gradients", "shape dtype values gradients")
def weighted_sum() -> Variables:
    """Six weights, each with an input of its own."""
    w = [torch.ones(2, requires_grad=True) for _ in range(6)]
    xs = [torch.ones(2) for _ in range(6)]
    y = torch.stack([weight * x for weight, x in zip(w, xs, strict=True)]).sum(0)
    loss = y.norm()
    return "loss", locals()


@figure("shape", "shape modules")
def mixture_of_experts() -> Variables:
    """Four layers side by side, weighted by a fifth."""
    experts = nn.ModuleList(nn.Linear(3, 3) for _ in range(4))
    gate = nn.Linear(3, 4)
    net = nn.ModuleDict({"experts": experts, "gate": gate})
    x = torch.ones(5, 3)
    ys = torch.stack([expert(x) for expert in experts], 1)
    p = torch.softmax(gate(x), -1)
    out = (p.unsqueeze(-1) * ys).sum(1).mean()
    return "out", locals()


@figure("shape", "shape gradients")
def weight_penalty() -> Variables:
    """The squares of all parameters of a network."""
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 1))
    penalty = torch.stack([p.pow(2).sum() for p in net.parameters()]).sum()
    return "penalty", locals()


@figure()
def two_terms() -> Variables:
    """The first example of PyTorch's tutorial on autograd."""
    a = torch.tensor([2.0, 3.0], requires_grad=True)
    b = torch.tensor([6.0, 4.0], requires_grad=True)
    Q = 3 * a**3 - b**2  # noqa: N806 - as the tutorial calls it
    return "Q", locals()


@figure("shape", "shape inputs")
def logistic_regression() -> Variables:
    """One layer and binary cross entropy, as in PyTorch's beginner tutorial."""
    x, y = torch.ones(5), torch.zeros(3)
    w = torch.randn(5, 3, requires_grad=True)
    b = torch.randn(3, requires_grad=True)
    z = torch.matmul(x, w) + b
    loss = F.binary_cross_entropy_with_logits(z, y)
    return "loss", locals()


@figure("shape", "shape values gradients")
def micrograd() -> Variables:
    """The neuron of micrograd's lecture."""
    x1, x2 = torch.tensor(2.0, requires_grad=True), torch.tensor(0.0, requires_grad=True)
    w1, w2 = torch.tensor(-3.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(6.88, requires_grad=True)
    x1w1, x2w2 = x1 * w1, x2 * w2
    n = x1w1 + x2w2 + b
    o = torch.tanh(n)
    return "o", locals()


@figure("shape", "shape values gradients")
def micrograd_l() -> Variables:
    """The expression ``L`` of micrograd's lecture."""
    a, b = torch.tensor(2.0, requires_grad=True), torch.tensor(-3.0, requires_grad=True)
    c, f = torch.tensor(10.0, requires_grad=True), torch.tensor(-2.0, requires_grad=True)
    e = a * b
    d = e + c
    L = d * f  # noqa: N806 - as the lecture calls it
    return "L", locals()


@figure()
def polynomial() -> Variables:
    """PyTorch's example that fits a sine by a polynomial."""
    x = torch.linspace(-math.pi, math.pi, 2000)
    y = torch.sin(x)
    a, b, c, d = (torch.randn((), requires_grad=True) for _ in "abcd")
    y_pred = a + b * x + c * x**2 + d * x**3
    loss = (y_pred - y).pow(2).sum()
    return "loss", locals()


@figure("shape", "shape saved")
def double_backward() -> Variables:
    """The gradient of a gradient."""
    x = torch.tensor(2.0, requires_grad=True)
    y = x**3
    (dx,) = torch.autograd.grad(y, x, create_graph=True)
    (ddx,) = torch.autograd.grad(dx, x, create_graph=True)
    return "ddx", locals()


class _Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return grad * 3 * x**2  # type: ignore[no-any-return]


@figure("shape", "shape saved")
def custom_function() -> Variables:
    """A Function of the author's own among others."""
    x = torch.randn(3, requires_grad=True)
    w = torch.randn(3, requires_grad=True)
    out = (_Cube.apply(x) * w).mean()  # type: ignore[no-untyped-call]
    return "out", locals()


@figure()
def unbound() -> Variables:
    """A node with several outputs."""
    x = torch.randn(3, 4, requires_grad=True)
    a, b, c = x.unbind()
    out = (a * b + c).sum()
    return "out", locals()


@figure()
def in_place() -> Variables:
    """A view that is changed in place."""
    w = torch.ones(4, requires_grad=True)
    x = w * 2
    v = x[:2]
    v.mul_(3)
    return "v", locals()


@figure()
def several_losses() -> Variables:
    """A sum of three terms, as in multi-task learning."""
    w = torch.randn(4, 3, requires_grad=True)
    x = torch.randn(8, 4)
    out = x @ w
    fit = (out[:, 0] - 1).pow(2).mean()
    sparse = w.abs().sum()
    decay = w.pow(2).sum()
    loss = fit + 0.1 * sparse + 0.01 * decay
    return "loss", locals()


@figure()
def gradient_penalty() -> Variables:
    """The penalty of WGAN-GP."""
    critic = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.randn(5, 2, requires_grad=True)
    (grad,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    penalty = ((grad.norm(dim=1) - 1) ** 2).mean()
    return "penalty", locals()


# --- layers and small networks ---


@figure("shape", "shape gradients", "shape saved", "shape modules", "shape inputs", "shape legend")
def mlp_step() -> Variables:
    """A network of two layers and its loss."""
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    x, y = torch.randn(5, 4), torch.randint(3, (5,))
    loss = F.cross_entropy(net(x), y)
    return "loss", locals()


@figure("shape", "shape modules")
def batch_norm() -> Variables:
    """A Sequential with batch norm."""
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
    )  # fmt: skip
    out = model(torch.randn(2, 3, 12, 12))
    return "out", locals()


class _LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(256, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        out: torch.Tensor = self.fc3(x)
        return out


@figure("shape", "shape modules")
def lenet() -> Variables:
    """The network of PyTorch's beginner tutorial."""
    net = _LeNet()
    loss = F.mse_loss(net(torch.randn(1, 1, 28, 28)), torch.randn(1, 10))
    return "loss", locals()


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.bn1, self.bn2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + x)


@figure("shape", "shape modules")
def residual_block() -> Variables:
    """A block of a ResNet whose input requires grad."""
    block = _Block(4)
    x = torch.randn(1, 4, 8, 8, requires_grad=True)
    out = block(x)
    return "out", locals()


@figure()
def highway() -> Variables:
    """A gate between what a layer makes and its input."""
    x = torch.randn(2, 4, requires_grad=True)
    transform, gate = nn.Linear(4, 4), nn.Linear(4, 4)
    t = torch.sigmoid(gate(x))
    out = torch.relu(transform(x)) * t + x * (1 - t)
    return "out", locals()


@figure("shape", "shape saved", "shape inputs")
def attention() -> Variables:
    """Scaled dot-product attention, written out."""
    x = torch.randn(4, 8)
    Wq, Wk, Wv = (torch.randn(8, 8, requires_grad=True) for _ in range(3))  # noqa: N806
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    scores = q @ k.T / math.sqrt(8)
    weights = torch.softmax(scores, dim=-1)
    out = weights @ v
    return "out", locals()


@figure()
def multi_head() -> Variables:
    """Attention by torch's own module."""
    mha = nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.randn(1, 4, 8, requires_grad=True)
    out, _ = mha(x, x, x)
    return "out", locals()


@figure()
def tied_embedding() -> Variables:
    """One weight at both ends."""
    embedding = nn.Embedding(10, 4)
    tokens = torch.tensor([1, 2, 3])
    h = torch.tanh(embedding(tokens))
    logits = h @ embedding.weight.T
    loss = F.cross_entropy(logits, tokens)
    return "loss", locals()


@figure()
def skip_gram() -> Variables:
    """Word2vec with negative samples."""
    inner, outer = nn.Embedding(20, 8), nn.Embedding(20, 8)
    centre, context, noise = torch.tensor([1]), torch.tensor([2]), torch.tensor([3, 4])
    v = inner(centre)
    good = F.logsigmoid((v * outer(context)).sum(-1)).mean()
    bad = F.logsigmoid(-(v * outer(noise)).sum(-1)).mean()
    loss = -(good + bad)
    return "loss", locals()


@figure()
def siamese() -> Variables:
    """A triplet loss: one encoder three times."""
    encoder = nn.Linear(4, 2)
    anchor, positive, negative = (encoder(torch.randn(3, 4)) for _ in range(3))
    loss = F.triplet_margin_loss(anchor, positive, negative)
    return "loss", locals()


@figure()
def gaussian() -> Variables:
    """Maximum likelihood of a normal distribution."""
    data = torch.randn(100)
    mu, log_sigma = torch.zeros((), requires_grad=True), torch.zeros((), requires_grad=True)
    z = (data - mu) / log_sigma.exp()
    nll = (0.5 * z**2 + log_sigma).mean()
    return "nll", locals()


# --- recurrent networks ---


@figure("shape", "shape inputs")
def rnn_of_three_steps() -> Variables:
    """A recurrent network, unrolled."""
    Wx, Wh = torch.randn(3, 4, requires_grad=True), torch.randn(4, 4, requires_grad=True)  # noqa: N806
    b = torch.zeros(4, requires_grad=True)
    h = torch.zeros(1, 4)
    for x in torch.randn(3, 1, 3):
        h = torch.tanh(x @ Wx + h @ Wh + b)
    loss = h.sum()
    return "loss", locals()


@figure("shape", "shape modules")
def lstm_cell() -> Variables:
    """One step of an LSTM by torch's own cell."""
    cell = nn.LSTMCell(3, 4)
    h, c = cell(torch.randn(1, 3))
    loss = h.sum()
    return "loss", locals()


@figure()
def lstm_by_hand() -> Variables:
    """One step of an LSTM, gate by gate."""
    x, h0, c0 = torch.randn(1, 3), torch.randn(1, 4), torch.randn(1, 4)
    Wi, Wf, Wg, Wo = (torch.randn(7, 4, requires_grad=True) for _ in range(4))  # noqa: N806
    xh = torch.cat([x, h0], 1)
    i, f, o = torch.sigmoid(xh @ Wi), torch.sigmoid(xh @ Wf), torch.sigmoid(xh @ Wo)
    c = f * c0 + i * torch.tanh(xh @ Wg)
    h = o * torch.tanh(c)
    return "h", locals()


@figure()
def gru_cell() -> Variables:
    """One step of a GRU, by hand."""
    x, h0 = torch.randn(1, 3), torch.randn(1, 4, requires_grad=True)
    reset, update, new = (nn.Linear(7, 4) for _ in range(3))
    r = torch.sigmoid(reset(torch.cat([x, h0], 1)))
    z = torch.sigmoid(update(torch.cat([x, h0], 1)))
    n = torch.tanh(new(torch.cat([x, r * h0], 1)))
    h = (1 - z) * n + z * h0
    return "h", locals()


@figure(depth=1)
@figure()
def seq2seq() -> Variables:
    """An encoder and a decoder with attention, two steps each."""
    embed, enc, dec = nn.Embedding(9, 4), nn.GRUCell(4, 4), nn.GRUCell(8, 4)
    head = nn.Linear(4, 9)
    h, states = torch.zeros(1, 4), []
    for token in (1, 2):
        h = enc(embed(torch.tensor([token])), h)
        states.append(h)
    memory, loss = torch.cat(states), torch.zeros(())
    for token in (3, 4):
        weights = torch.softmax(h @ memory.T, -1)
        h = dec(torch.cat([embed(torch.tensor([token])), weights @ memory], 1), h)
        loss = loss + F.cross_entropy(head(h), torch.tensor([token]))
    return "loss", locals()
