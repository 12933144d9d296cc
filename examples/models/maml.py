import torch

x, y = torch.randn(5), torch.randn(5)
theta = torch.tensor(1.0, requires_grad=True)
inner_loss = ((theta * x - y) ** 2).mean()
(gradient,) = torch.autograd.grad(inner_loss, theta, create_graph=True)
adapted = theta - 0.1 * gradient
out = ((adapted * x - y) ** 2).mean()
