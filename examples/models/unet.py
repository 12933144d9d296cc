import torch
from torch import nn


def double(inside, outside):
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(outside, outside, 3, padding=1),
        nn.ReLU(),
    )


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down_1, self.down_2, self.bottom = double(1, 8), double(8, 16), double(16, 32)
        self.up_2, self.up_1, self.head = double(48, 16), double(24, 8), nn.Conv2d(8, 2, 1)
        self.pool, self.wider = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)

    def forward(self, x):
        a = self.down_1(x)
        b = self.down_2(self.pool(a))
        c = self.bottom(self.pool(b))
        b = self.up_2(torch.cat([b, self.wider(c)], dim=1))
        a = self.up_1(torch.cat([a, self.wider(b)], dim=1))
        return self.head(a)


model = UNet()
x = torch.randn(1, 1, 16, 16)
out = model(x)
