"""Rules of reductions, softmax and cumulated sums."""

from __future__ import annotations

import torch

from sphinx_autogradgraph.tracing.derivatives.evidence import MISSING, Evidence, count
from sphinx_autogradgraph.tracing.derivatives.rule_forms import (
    Rule,
    each,
    over,
    reduced,
    sizes,
    unreduced,
    zeros,
)


def _spread(at: Evidence, edge: int, formula: str = "grad") -> str | None:
    spread = unreduced(at, edge, formula)
    into = at.into(edge)
    if spread is None or into == ():
        return spread
    return f"{spread}.expand({sizes(into)})"


def _sum(at: Evidence, edge: int) -> str | None:
    return _spread(at, edge)


def _mean(at: Evidence, edge: int) -> str | None:
    spread = _spread(at, edge)
    return None if spread is None else f"{spread} / {reduced(at, edge)}"


def _freedom(at: Evidence, edge: int) -> float | int | None:
    """Return the divisor of a variance: the number of elements less the correction."""
    correction = at.value("correction")
    if correction is MISSING:
        unbiased = at.value("unbiased")
        correction = 1 if unbiased is MISSING else int(unbiased)
    free: float | int = reduced(at, edge) - (1 if correction is None else correction)
    return free if free > 0 else None


def _var(at: Evidence, edge: int) -> str | None:
    free, spread = _freedom(at, edge), unreduced(at, edge)
    if free is None or spread is None:
        return None
    return f"{spread} * 2 / {free} * (self - self.mean({over(at, edge)}))"


def _std(at: Evidence, edge: int) -> str | None:
    free, result = _freedom(at, edge), at.tensor("result")
    if free is None or result is None or not bool((result != 0).all()):
        return None
    spread = unreduced(at, edge, "grad / result")
    return None if spread is None else f"{spread} / {free} * (self - self.mean({over(at, edge)}))"


def _extreme(at: Evidence, edge: int) -> str | None:
    """Return the formula of max, min or median: the selected elements get the gradient."""
    if at.is_tensor("indices"):
        into = at.into(edge)
        if into == ():
            return "grad"
        dims = at.dims(len(into))
        if dims is None or len(dims) != 1:
            return None
        if at.value("keepdim") is True:
            return f"{zeros(into)}.scatter({dims[0]}, indices, grad)"
        return (
            f"{zeros(into)}.scatter({dims[0]}, indices.unsqueeze({dims[0]}), "
            f"grad.unsqueeze({dims[0]}))"
        )
    return _extremes(at, edge)


def _extremes(at: Evidence, edge: int) -> str | None:
    """Return the formula of max and min without indices: equal extremes share the gradient."""
    tensor, best = at.tensor("self"), at.tensor("result")
    if tensor is None or best is None:
        return None
    result, spread = unreduced(at, edge, "result"), unreduced(at, edge)
    if result is None or spread is None:
        return None
    equal = f"(self == {result})"
    hits = int((tensor == _as_kept(at, edge, best)).sum())
    if hits == count(at.out):  # no equals
        return f"{spread} * {equal}"
    return f"{spread} * {equal} / {equal}.sum({over(at, edge)})"


def _as_kept(at: Evidence, edge: int, result: torch.Tensor) -> torch.Tensor:
    if at.value("keepdim") is True or at.out == ():
        return result
    for dim in at.dims(len(at.into(edge))) or ():
        result = result.unsqueeze(dim)
    return result


def _norm(at: Evidence, edge: int) -> str | None:
    order = at.value("ord") if at.has("ord") else at.value("p")
    result = at.tensor("result")
    if result is None or not bool((result != 0).all()):
        return None
    spread = unreduced(at, edge)
    if spread is None or order is MISSING:
        return None
    if order is None or order == 2:
        ratio = unreduced(at, edge, "grad / result")
        return f"{ratio} * self"
    if order == 1:
        return f"{spread} * self.sgn()"
    return None


def _logsumexp(at: Evidence, edge: int) -> str | None:
    result, spread = unreduced(at, edge, "result"), unreduced(at, edge)
    return None if result is None else f"{spread} * (self - {result}).exp()"


def _cumulated(at: Evidence, edge: int) -> str | None:
    return "grad" if at.out == () else "grad.flip(dim).cumsum(dim).flip(dim)"


def _prod(at: Evidence, edge: int) -> str | None:
    tensor = at.tensor("self")
    if tensor is None or not bool((tensor != 0).all()):
        return None
    spread = unreduced(at, edge, "grad * result")
    return None if spread is None else f"{spread} / self"


def _softmax(at: Evidence, edge: int) -> str | None:
    if at.dtype_into(edge) != at.dtype:
        return None
    return "result * (grad - (grad * result).sum(dim, keepdim=True))"


def _log_softmax(at: Evidence, edge: int) -> str | None:
    if at.dtype_into(edge) != at.dtype:
        return None
    return "grad - result.exp() * grad.sum(dim, keepdim=True)"


RULES: dict[str, Rule] = {
    "Sum": _sum,
    "Mean": _mean,
    "Var": _var,
    "Std": _std,
    "Max": _extreme,
    "Min": _extreme,
    "Median": _extreme,
    "Amax": _extremes,
    "Amin": _extremes,
    "Sort": lambda at, edge: (
        "grad" if at.into(edge) == () else f"{zeros(at.into(edge))}.scatter(dim, indices, grad)"
    ),
    "Topk": lambda at, edge: (
        "grad" if at.into(edge) == () else f"{zeros(at.into(edge))}.scatter(dim, indices, grad)"
    ),
    "LinalgVectorNorm": _norm,
    "Norm": _norm,
    "Logsumexp": _logsumexp,
    "Cumsum": _cumulated,
    "Prod": _prod,
    "Softmax": _softmax,
    "SafeSoftmax": _softmax,
    "LogSoftmax": _log_softmax,
    "SoftmaxBackwardData": each(
        "output * (grad - (grad * output).sum(dim, keepdim=True))",
        "grad * (grad_output - (grad_output * output).sum(dim, keepdim=True))"
        " - grad_output * (grad * output).sum(dim, keepdim=True)",
    ),
}
"""Rules by the operation's name: that of its node, without ``Backward`` and the number."""
