"""A multilayer perceptron with a loss."""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


class MLP(nn.Module):
    """Two linear layers with a ReLU between them."""

    def __init__(self, features: int = 4, hidden: int = 8, classes: int = 3) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, hidden)
        self.out = nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the scores of the classes."""
        return self.out(torch.relu(self.hidden(x)))


net = MLP()


def loss() -> torch.Tensor:
    """Return the loss of one batch."""
    x = torch.randn(16, 4)
    target = torch.randint(3, (16,))
    return F.cross_entropy(net(x), target)
