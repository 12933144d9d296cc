"""
Linear regression from scratch
==============================

The figures of this tutorial are drawn from its own code.
"""

import torch

from sphinx_autogradgraph import draw

X = torch.randn(10, 2)
y = torch.mv(X, torch.tensor([2.0, -3.4])) + 4.2

# %%
# The parameters are the leaves of the graph.

w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)

# %%
# The forward pass ends in the loss.

y_hat = torch.mm(X, w) + b
l = ((y_hat - y.view(y_hat.size())) ** 2 / 2).sum()

# %%
# The directive draws what the script has computed up to here:
#
# .. autogradgraph::
#    :tensor: l
#    :caption: The loss, by the directive.
#
# And ``draw`` as the last expression of a block shows its figure:

draw(l)
