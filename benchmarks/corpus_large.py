"""The larger programs of the corpus, and those whose figures hold several networks."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

from benchmarks.corpus import Variables, figure


class _VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.mu, self.logvar = nn.Linear(8, 6), nn.Linear(6, 2), nn.Linear(6, 2)
        self.decoder = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 8), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        h = torch.relu(self.hidden(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return self.decoder(z), mu, logvar


@figure("shape", "shape modules")
def vae() -> Variables:
    """A variational autoencoder and its loss."""
    model = _VAE()
    x = torch.rand(4, 8)
    recon, mu, logvar = model(x)
    kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()
    loss = F.binary_cross_entropy(recon, x, reduction="sum") + kl
    return "loss", locals()


@figure("shape", "shape modules")
def gan_step() -> Variables:
    """The discriminator's loss on real and generated samples."""
    G = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))  # noqa: N806
    D = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(), nn.Linear(4, 1))  # noqa: N806
    real, fake = torch.randn(5, 3), G(torch.randn(5, 2))
    one, zero = torch.ones(5, 1), torch.zeros(5, 1)
    loss = F.binary_cross_entropy_with_logits(D(real), one)
    loss = loss + F.binary_cross_entropy_with_logits(D(fake), zero)
    return "loss", locals()


@figure()
def actor_critic() -> Variables:
    """Two heads on one body."""
    body, actor, critic = nn.Linear(4, 8), nn.Linear(8, 2), nn.Linear(8, 1)
    h = torch.tanh(body(torch.randn(3, 4)))
    log_probs = F.log_softmax(actor(h), -1)
    value = critic(h)
    loss = -(log_probs[:, 0] * 0.7).mean() + (value - 1).pow(2).mean()
    return "loss", locals()


@figure("shape", "shape modules")
def transformer_block() -> Variables:
    """A layer of an encoder."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    out = layer(torch.randn(1, 4, 8, requires_grad=True))
    return "out", locals()


@figure(depth=2)
def encoder() -> Variables:
    """Six layers of an encoder, folded."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model = nn.TransformerEncoder(layer, 6)
    out = model(torch.randn(1, 4, 8)).mean()
    return "out", locals()


def _double(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU(),
        nn.Conv2d(outside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU(),
    )  # fmt: skip


class _UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2, self.bottom = _double(1, 4), _double(4, 8), _double(8, 16)
        self.up2, self.up1 = nn.ConvTranspose2d(16, 8, 2, 2), nn.ConvTranspose2d(8, 4, 2, 2)
        self.merge2, self.merge1 = _double(16, 8), _double(8, 4)
        self.head = nn.Conv2d(4, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = self.down1(x)
        two = self.down2(F.max_pool2d(one, 2))
        low = self.bottom(F.max_pool2d(two, 2))
        up = self.merge2(torch.cat([self.up2(low), two], 1))
        up = self.merge1(torch.cat([self.up1(up), one], 1))
        out: torch.Tensor = self.head(up)
        return out


@figure()
@figure(depth=2)
@figure(depth=3)
def u_net() -> Variables:
    """A small U-Net."""
    model = _UNet()
    out = model(torch.randn(1, 1, 16, 16)).mean()
    return "out", locals()


class _GPTBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size, length, width = x.shape
        q, k, v = self.c_attn(self.ln_1(x)).split(width, dim=2)
        q, k, v = (t.view(size, length, 2, width // 2).transpose(1, 2) for t in (q, k, v))
        scores = torch.softmax(q @ k.transpose(-2, -1) / 2.0, dim=-1)
        y = (scores @ v).transpose(1, 2).contiguous().view(size, length, width)
        x = x + self.c_proj(y)
        out: torch.Tensor = x + self.mlp(self.ln_2(x))
        return out


class _GPT(nn.Module):
    def __init__(self, layers: int = 12, width: int = 8) -> None:
        super().__init__()
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(16, width), "wpe": nn.Embedding(8, width),
                "h": nn.ModuleList(_GPTBlock(width) for _ in range(layers)),
                "ln_f": nn.LayerNorm(width),
            }
        )  # fmt: skip
        self.lm_head = nn.Linear(width, 16, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        parts = self.transformer
        x = parts["wte"](tokens) + parts["wpe"](torch.arange(tokens.shape[1]))
        for block in parts["h"]:  # type: ignore[attr-defined]
            x = block(x)
        out: torch.Tensor = self.lm_head(parts["ln_f"](x))
        return out


@figure()
def small_gpt() -> Variables:
    """Twelve blocks of a GPT: it folds by itself."""
    model = _GPT()
    tokens = torch.tensor([[1, 2, 3, 4]])
    loss = F.cross_entropy(model(tokens).view(-1, 16), tokens.view(-1))
    return "loss", locals()


@figure()
def gpt_block() -> Variables:
    """One block of a GPT at full detail."""
    block = _GPTBlock(8)
    out = block(torch.randn(1, 4, 8, requires_grad=True))
    return "out", locals()


@figure()
def long_loop() -> Variables:
    """Eighty steps of a recurrent network, in a loop."""
    Wx, Wh = torch.randn(3, 4, requires_grad=True), torch.randn(4, 4, requires_grad=True)  # noqa: N806
    h = torch.zeros(1, 4)
    for x in torch.randn(80, 1, 3):
        h = torch.tanh(x @ Wx + h @ Wh)
    loss = h.sum()
    return "loss", locals()


@figure()
def graph_convolution() -> Variables:
    """Two layers of a graph network."""
    A = torch.rand(5, 5)  # noqa: N806 - the adjacency
    X = torch.randn(5, 3)  # noqa: N806
    W1, W2 = torch.randn(3, 4, requires_grad=True), torch.randn(4, 2, requires_grad=True)  # noqa: N806
    H = torch.relu(A @ X @ W1)  # noqa: N806
    out = F.log_softmax(A @ H @ W2, dim=1)
    loss = F.nll_loss(out, torch.tensor([0, 1, 0, 1, 0]))
    return "loss", locals()


@figure()
def diffusion() -> Variables:
    """A step of a denoising diffusion model with an embedding of time."""
    time, net = nn.Linear(1, 4), nn.Sequential(nn.Linear(6, 8), nn.SiLU(), nn.Linear(8, 2))
    x, noise, t = torch.randn(5, 2), torch.randn(5, 2), torch.rand(5, 1)
    noisy = t * x + (1 - t) * noise
    predicted = net(torch.cat([noisy, time(t)], 1))
    loss = F.mse_loss(predicted, noise)
    return "loss", locals()
