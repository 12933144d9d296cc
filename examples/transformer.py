"""A small transformer that classifies sequences, and one step of a loop that trains it."""

import torch
from torch import nn


class Classifier(nn.Module):
    """An encoder of six layers, and a linear head on what it makes of the first token."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(100, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 6)
        self.head = nn.Linear(16, 5)

    def forward(self, tokens):
        return self.head(self.encoder(self.embedding(tokens))[:, 0])


model = Classifier()
tokens = torch.randint(100, (4, 10))
labels = torch.tensor([0, 1, 2, 3])
loss = nn.functional.cross_entropy(model(tokens), labels)
