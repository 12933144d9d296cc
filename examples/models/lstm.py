import torch
from torch import nn


class Unrolled(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.LSTMCell(3, 4), nn.Linear(4, 2)

    def forward(self, steps):
        h = c = torch.zeros(1, 4)
        for step in steps:
            h, c = self.cell(step, (h, c))
        return self.head(h)


model = Unrolled()
x = torch.randn(3, 1, 3)
out = model(x)
