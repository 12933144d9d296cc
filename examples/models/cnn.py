import torch
from torch import nn

model = nn.Sequential(
    nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(864, 10)
)
x = torch.randn(1, 1, 28, 28)
out = model(x)
