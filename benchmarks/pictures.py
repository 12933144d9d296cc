"""The pictures of one model by torchviz and torchview, for the page that compares them with ours.

Run ``pip install torchviz torchview``, install Graphviz and run ``python benchmarks/pictures.py``.
Netron's is a screenshot of the model that this script exports, if onnx is installed, too.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torchview import draw_graph
from torchviz import make_dot

IMAGES = Path(__file__).parents[1] / "docs" / "images" / "peers"


class MLP(nn.Module):
    """Two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(4, 8)
        self.out = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply them."""
        result: torch.Tensor = self.out(torch.relu(self.hidden(x)))
        return result


def main() -> None:
    """Write the pictures."""
    net, x = MLP(), torch.randn(5, 4)
    drawn = {
        "torchviz": make_dot(net(x), params=dict(net.named_parameters())),
        "torchview": draw_graph(net, input_data=x, expand_nested=True).visual_graph,
    }
    for name, digraph in drawn.items():
        digraph.attr("graph", dpi="144")
        digraph.render(IMAGES / name, format="png", cleanup=True)
    torch.onnx.export(net, (x,), str(IMAGES / "mlp.onnx"), dynamo=True, external_data=False)


if __name__ == "__main__":
    main()
