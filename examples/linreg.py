"""Linear regression from scratch: a model, a loss, and gradient descent by hand."""

import torch

torch.manual_seed(0)

# Data: ten points near the plane y = 2 * x0 - 3.4 * x1 + 4.2.
X = torch.randn(10, 2)
y = torch.mv(X, torch.tensor([2.0, -3.4])) + 4.2 + 0.01 * torch.randn(10)

# Parameters: the leaves of the graph.
w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)

# The forward pass.
y_hat = torch.mm(X, w) + b
l = ((y_hat - y.view(y_hat.size())) ** 2 / 2).sum()


def train(steps: int = 100, learning_rate: float = 0.03) -> None:
    """Fit ``w`` and ``b`` by gradient descent."""
    for step in range(steps):
        y_hat = torch.mm(X, w) + b
        loss = ((y_hat - y.view(y_hat.size())) ** 2 / 2).sum()
        loss.backward()
        with torch.no_grad():
            for parameter in (w, b):
                parameter -= learning_rate * parameter.grad
                parameter.grad.zero_()
        if step % 20 == 0:
            print(f"step {step:3d}: loss {loss.item():.5f}")
    print("w =", w.detach().flatten().tolist(), " b =", b.item())


if __name__ == "__main__":
    train()
