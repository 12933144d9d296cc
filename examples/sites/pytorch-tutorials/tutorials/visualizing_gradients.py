"""
Visualize gradients
===================

How large are the gradients that reach each layer?
"""

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Sigmoid(), nn.Linear(8, 1))
loss = net(torch.randn(16, 8)).pow(2).mean()

# %%
# Each box is a layer.  The number in it is the norm of the gradient that arrived, and each sigmoid
# makes it smaller:
#
# .. autogradgraph::
#    :tensor: loss
#    :name: gradients-of-layers
#    :depth: 2
#    :show: gradients
#    :table: parameters
#
# No hook has to be written for that: the figure measures the gradients itself.
