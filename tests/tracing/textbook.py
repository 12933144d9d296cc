"""The examples of a textbook, small: a loss of each."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def textbook() -> dict[str, Tensor]:
    """The losses, by what they are the losses of."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    try:
        return {**_regressions(), **_networks(), **_recurrent(), **_attention(), **_losses()}
    finally:
        torch.set_default_dtype(default)


def _regressions() -> dict[str, Tensor]:
    X, y = torch.randn(10, 2), torch.randn(10)
    w, b = torch.randn(2, 1, requires_grad=True), torch.zeros(1, requires_grad=True)
    y_hat = torch.mm(X, w) + b
    W = torch.randn(2, 3, requires_grad=True)
    target = torch.randint(3, (10,))
    exp = torch.exp(X @ W)
    softmax = exp / exp.sum(1, keepdim=True)
    return {
        "linear regression": ((y_hat - y.view(y_hat.size())) ** 2 / 2).sum(),
        "mean squared error": nn.MSELoss()(X @ w + b, y.reshape(-1, 1)),
        "softmax regression": -torch.log(softmax[range(10), target]).mean(),
        "cross entropy": functional.cross_entropy(X @ W, target),
        "weight decay": (y_hat**2).mean() + 0.1 * (w**2).sum() / 2 + b.abs().sum(),
        "polynomial": (y - w[0] - w[1] * y**2).pow(2).sum(),
    }


def _networks() -> dict[str, Tensor]:
    layers: list[nn.Module] = []
    for activation in (
        nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.ELU(),
        nn.SELU(), nn.CELU(0.5), nn.Softplus(), nn.LeakyReLU(), nn.PReLU(), nn.Hardtanh(),
        nn.LogSigmoid(), nn.Dropout(0.3), nn.BatchNorm1d(4), nn.LayerNorm(4), nn.Softmax(1),
    ):  # fmt: skip
        layers += [nn.Linear(4, 4), activation]
    convolutions = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, groups=2), nn.GroupNorm(2, 4), nn.AvgPool2d(2), nn.Conv2d(4, 6, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3),
    )  # fmt: skip
    images = torch.randn(2, 3, 12, 12, requires_grad=True)
    block = nn.Conv2d(3, 3, 3, padding=1)
    up = nn.Sequential(nn.ConvTranspose2d(3, 2, 3, stride=2), nn.Upsample(scale_factor=2))
    return {
        "perceptron": nn.Sequential(*layers, nn.Linear(4, 1))(torch.randn(5, 4)).mean(),
        "convolutions": functional.cross_entropy(convolutions(images), torch.tensor([0, 2])),
        "residual block": functional.relu(block(images) + images).mean(),
        "upsampling": up(images).sum(),
        "one-dimensional": nn.MaxPool1d(2)(nn.Conv1d(3, 4, 3)(torch.randn(2, 3, 9))).sum(),
        "dropout": torch.native_dropout(images, 0.5, True)[0].sum(),
    }


def _recurrent() -> dict[str, Tensor]:
    found = {}
    for kind in (nn.RNN, nn.LSTM, nn.GRU):
        outputs, _ = kind(3, 4, num_layers=2, bidirectional=True)(torch.randn(5, 2, 3))
        found[kind.__name__] = outputs.sum()
    # In float32 an LSTM is one node.
    outputs, _ = nn.LSTM(3, 4, dtype=torch.float32)(torch.randn(5, 2, 3, dtype=torch.float32))
    found["LSTM in float32"] = outputs.sum()
    cell, gates = nn.LSTMCell(3, 4), nn.GRUCell(3, 4)
    state, hidden = None, None
    for step in torch.randn(3, 2, 3):
        state, hidden = cell(step, state), gates(step, hidden)
    assert state is not None
    assert hidden is not None
    found["cells"] = state[0].sum() + hidden.sum()
    W, U, b = (torch.randn(4, 4, requires_grad=True) for _ in range(3))
    h = torch.zeros(2, 4)
    for _ in range(3):
        h = torch.tanh(torch.randn(2, 4) @ W + h @ U + b[0])
    found["from scratch"] = torch.stack([h, h * 2]).mean() + torch.cat([h, h]).sum()
    return found


def _attention() -> dict[str, Tensor]:
    x = torch.randn(2, 5, 8, requires_grad=True)
    mask = torch.triu(torch.ones(5, 5), 1).bool()
    scores = (x @ x.transpose(-2, -1) / 8**0.5).masked_fill(mask, -torch.inf)
    heads = [
        part.unflatten(-1, (2, 4)).transpose(1, 2) for part in nn.Linear(8, 24)(x).chunk(3, -1)
    ]
    fused = functional.scaled_dot_product_attention(heads[0], heads[1], heads[2], is_causal=True)
    single = torch.float32
    fast = [torch.randn(1, 2, 4, 8, dtype=single, requires_grad=True) for _ in range(3)]
    words = nn.Embedding(10, 8)(torch.tensor([[1, 2, 0], [3, 3, 1]]))
    padded = nn.Embedding(10, 8, padding_idx=0)(torch.tensor([1, 2, 0]))
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    decoder = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
    return {
        "attention": (scores.softmax(-1) @ x).mean(),
        "fused attention": fused.sum(),
        "fast attention": functional.scaled_dot_product_attention(fast[0], fast[1], fast[2]).sum(),
        "several heads": nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x)[0].mean(),
        "embeddings": words.mean() + padded.sum(),
        "encoder": encoder(words).mean(),
        "decoder": decoder(words, x).mean(),
        "einsum": torch.einsum("bij,bkj->bik", x, x).sum(),
    }


def _losses() -> dict[str, Tensor]:
    x, p = torch.randn(6, requires_grad=True), torch.rand(6)
    pairs = torch.randn(4, 2, requires_grad=True)
    names = (
        "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits",
    )  # fmt: skip
    found = {name: getattr(functional, name)(x, p) for name in names}
    found["binary_cross_entropy"] = functional.binary_cross_entropy(x.sigmoid(), p)
    found["kl_div"] = functional.kl_div(x.log_softmax(0), p, reduction="sum")
    found["triplet"] = functional.triplet_margin_loss(pairs, pairs + 1, pairs * 2)
    found["cosine"] = functional.cosine_similarity(pairs, pairs + 1).sum()
    found["statistics"] = x.std() + x.var() + x.max() + x.norm() + x.logsumexp(0) + x.prod()
    (gradient,) = torch.autograd.grad((x**3).sum() + x.tanh().sum(), x, create_graph=True)
    found["gradient penalty"] = (gradient**2).sum()
    return found
