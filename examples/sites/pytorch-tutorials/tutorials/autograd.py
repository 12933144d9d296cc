"""
Automatic differentiation
=========================

Autograd records every operation on a tensor that requires grad.
"""

import torch

a = torch.linspace(0.0, 2 * torch.pi, steps=5, requires_grad=True)
b = torch.sin(a)
c = 2 * b
d = c + 1
out = d.sum()

# %%
# Each operation has become a node, and ``a`` is the only leaf:
#
# .. autogradgraph::
#    :tensor: out
#    :name: autograd-out
#    :show: shape formulas gradients
#    :caption: The graph of ``out``, with what backward sends along each arrow.
#
# ``out.backward()`` goes along these arrows, from the bottom to the top.

out.backward()
print(a.grad)
