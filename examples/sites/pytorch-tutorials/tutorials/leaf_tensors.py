"""
Leaf and non-leaf tensors
=========================

Which tensors have a ``grad`` after ``backward()``?
"""

import torch
import torch.nn.functional as F

x = torch.ones(1, 3)
W = torch.ones(3, 2, requires_grad=True)
b = torch.ones(1, 2, requires_grad=True)
z = x @ W + b
y_pred = F.relu(z)
loss = F.mse_loss(y_pred, torch.ones(1, 2))

# %%
# No operation has made ``W`` and ``b``, so they are leaves:
#
# .. autogradgraph::
#    :tensor: loss
#    :name: leaves-before
#    :show: flags inputs

z.retain_grad()
loss.backward()

# %%
# Now the leaves have a ``grad``, and so has ``z``, which was told to keep it:
#
# .. autogradgraph::
#    :tensor: loss
#    :name: leaves-after
#    :show: flags inputs
#    :table: tensors
