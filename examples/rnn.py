"""A recurrent network written out as a loop, over eighty steps."""

import torch

W = torch.randn(4, 8, requires_grad=True)
U = torch.randn(8, 8, requires_grad=True)
b = torch.zeros(8, requires_grad=True)

h = torch.zeros(1, 8)
for x in torch.randn(80, 1, 4):
    h = torch.tanh(x @ W + h @ U + b)
loss = h.sum()
