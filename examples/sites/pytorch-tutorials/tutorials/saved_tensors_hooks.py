"""
Hooks for saved tensors
=======================

Operations save tensors for backward.  A pair of hooks can pack them in another way.
"""

import torch

x = torch.randn(5, requires_grad=True)
y = x.pow(2)
loss = y.exp().sum()

# %%
# What is saved stands beside the node that saved it:
#
# .. autogradgraph::
#    :tensor: loss
#    :name: saved-plain
#    :show: shape saved
#
# Here each saved tensor is packed as half-precision numbers:

with torch.autograd.graph.saved_tensors_hooks(lambda t: t.half(), lambda t: t.float()):
    packed_loss = x.pow(2).exp().sum()

# %%
# The graph is the same; only the way of saving differs.
#
# .. autogradgraph::
#    :tensor: packed_loss
#    :name: saved-packed
#    :show: shape memory
