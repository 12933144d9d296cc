"""The loss of a linear regression, as a function of a library."""

import torch


def half_squares(y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return half the sum of squared errors.

    >>> import torch
    >>> from regression import half_squares
    >>> X, y = torch.randn(10, 2), torch.randn(10)
    >>> w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
    >>> b = torch.zeros(1, requires_grad=True)
    >>> y_hat = torch.mm(X, w) + b
    >>> l = half_squares(y_hat, y)

    .. autogradgraph::
       :tensor: l
    """
    return ((y_hat - y.view(y_hat.size())) ** 2 / 2).sum()
