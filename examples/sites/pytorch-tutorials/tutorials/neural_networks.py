"""
Neural networks
===============

A network is defined by its layers and by its ``forward``.

A training step has the following parts.  This block is prose, and is not run:

.. code-block:: python

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc = nn.Linear(16 * 5 * 5, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(torch.flatten(x, 1))


net = Net()
output = net(torch.randn(1, 1, 32, 32))
loss = nn.MSELoss()(output, torch.randn(1, 10))

# %%
# The layers, as boxes that can be opened:
#
# .. autogradgraph::
#    :tensor: loss
#    :name: network-layers
#    :depth: 2
#
# All operations between the loss and the output:
#
# .. autogradgraph::
#    :tensor: loss
#    :name: network-loss
#    :around: output

net.zero_grad()
loss.backward()
print(net.conv1.bias.grad)
