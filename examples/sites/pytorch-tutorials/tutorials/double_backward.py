"""
Double backward with a custom Function
======================================

The backward of a custom Function can be differentiated if it saves the right tensors.
"""

import torch


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, grad_out):
        (x,) = ctx.saved_tensors
        return grad_out * 2 * x


x = torch.tensor(3.0, requires_grad=True)
out = Square.apply(x)
(grad_x,) = torch.autograd.grad(out, x, create_graph=True)

# %%
# The forward pass is one node with the name of the class:
#
# .. autogradgraph::
#    :tensor: out
#    :name: square-forward
#    :show: shape saved
#
# The gradient has a graph of its own, and ``x`` is in it.  So it can be differentiated again:
#
# .. autogradgraph::
#    :tensor: grad_x
#    :name: square-backward

(second,) = torch.autograd.grad(grad_x, x)
assert second == 2.0
