"""The walk-through as a notebook of marimo."""

import marimo

app = marimo.App()


@app.cell
def _():
    import torch

    from sphinx_autogradgraph import draw

    X = torch.randn(10, 2)
    y = torch.mv(X, torch.tensor([2.0, -3.4])) + 4.2
    w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    return X, b, draw, torch, w, y


@app.cell
def _(X, b, draw, torch, w, y):
    y_hat = torch.mm(X, w) + b
    l = ((y_hat - y.view(y_hat.size())) ** 2 / 2).sum()
    draw(l)
    return


if __name__ == "__main__":
    app.run()
