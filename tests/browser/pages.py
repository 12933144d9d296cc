"""The pages of the site that the tests look at."""

from __future__ import annotations

PAGES = {
    "labels": """
Title
=====

.. autogradgraph:: linreg.py
   :tensor: l
   :show: shape dtype device

.. autogradgraph::
   :include-source: no

   import torch
   权重 = torch.ones(3, requires_grad=True)
   held = {"WWWWWWWW <b>mmmm</b>": torch.ones(3, requires_grad=True)}
   損失 = (权重 * held["WWWWWWWW <b>mmmm</b>"]).sum()
""",
    "lines": """
Title
=====

.. code-block:: python

   import torch

   X, w = torch.ones(3, 2), torch.ones(2, 1, requires_grad=True)
   y_hat = torch.mm(X, w)
   l = (y_hat * 2).sum()

.. autogradgraph::
   :tensor: l
""",
    "folded": """
Title
=====

.. autogradgraph::

   import torch
   from torch import nn
   torch.manual_seed(0)
   encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 12)
   loss = encoder(torch.randn(2, 5, 8)).sum()

.. autogradgraph::
   :include-source: no

   import torch
   loss = torch.ones(3, requires_grad=True).sum()
""",
    "reading": """
Title
=====

.. literalinclude:: linreg.py

.. autogradgraph:: linreg.py
   :tensor: l
   :show: shape gradients formulas
   :table: tensors, nodes

.. autogradgraph:: linreg.py
   :tensor: l
   :show: shape dtype inputs saved calls order legend

.. autogradgraph::
   :include-source: no
   :show: shape modules legend

   import torch
   from torch import nn
   torch.manual_seed(0)
   encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 6)
   loss = encoder(torch.randn(2, 5, 8)).sum()
""",
    "directions": """
Directions
==========

.. autogradgraph::
   :include-source: no
   :direction: BT

   import torch
   w = torch.ones(3, requires_grad=True)
   loss = (w * 2).sum()

.. autogradgraph::
   :include-source: no
   :direction: LR

   import torch
   w = torch.ones(3, requires_grad=True)
   loss = (w * 2).sum()
""",
}
