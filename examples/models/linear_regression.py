import torch

X, y = torch.randn(10, 2), torch.randn(10)
w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)
y_hat = torch.mm(X, w) + b
out = ((y_hat - y.view(y_hat.size())) ** 2 / 2).sum()
