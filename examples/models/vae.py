import torch
from torch import nn


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(6, 4), nn.Linear(2, 6)

    def forward(self, x):
        mu, log_var = self.encoder(x).chunk(2, dim=1)
        z = mu + torch.exp(log_var / 2) * torch.randn(3, 2)
        reconstruction = ((self.decoder(z) - x) ** 2).sum()
        divergence = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum()
        return reconstruction + divergence


model = VAE()
x = torch.randn(3, 6)
out = model(x)
