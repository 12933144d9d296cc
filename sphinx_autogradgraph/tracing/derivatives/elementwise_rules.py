"""Rules of operations that work element by element: arithmetic, functions, activations."""

from __future__ import annotations

import math

from sphinx_autogradgraph.tracing.derivatives.evidence import MISSING, Evidence
from sphinx_autogradgraph.tracing.derivatives.rule_forms import Rule, broadcasting, summed


def _add(at: Evidence, edge: int) -> str | None:
    # The scalar that is added has no edge, but it may be the first: 1 + x is x + 1.
    return summed("grad * alpha" if edge == 1 else "grad", at.out, at.into(edge))


def _sub(at: Evidence, edge: int) -> str | None:
    return summed("-grad * alpha" if edge == 1 else "grad", at.out, at.into(edge))


def _rsub(at: Evidence, edge: int) -> str | None:
    return summed("-grad * alpha" if edge == 0 else "grad", at.out, at.into(edge))


def _mul(at: Evidence, edge: int) -> str | None:
    return summed("grad * self" if edge == 1 else "grad * other", at.out, at.into(edge))


def _div(at: Evidence, edge: int) -> str | None:
    rounded = at.value("rounding_mode")
    if rounded is not MISSING and rounded is not None:
        return None
    formula = "-grad * self / other ** 2" if edge == 1 else "grad / other"
    return summed(formula, at.out, at.into(edge))


def _pow(at: Evidence, edge: int) -> str | None:
    if not at.is_tensor("self"):  # 2 ** x: the exponent is the only tensor
        base = at.value("self")
        if base is MISSING or not base > 0:
            return None
        return summed(f"grad * result * {math.log(base)!r}", at.out, at.into(edge))
    if edge == 1:
        bases = at.tensor("self")
        if bases is None or not bool((bases > 0).all()):
            return None
        return summed("grad * result * self.log()", at.out, at.into(edge))
    if at.is_tensor("exponent"):
        exponent = at.tensor("exponent")
        if exponent is None or bool((exponent == 0).any()):
            return None
    elif at.value("exponent") in (0, MISSING):
        return None
    return summed("grad * exponent * self ** (exponent - 1)", at.out, at.into(edge))


def _clamp(at: Evidence, edge: int) -> str | None:
    if edge != 0 or at.is_tensor("min"):
        return None
    low, high = at.value("min"), at.value("max")
    kept = [
        test
        for test, bound in (("(self >= min)", low), ("(self <= max)", high))
        if bound is not None and bound is not MISSING
    ]
    return f"grad * {' & '.join(kept)}" if len(kept) == 1 else f"grad * ({' & '.join(kept)})"


def _where(at: Evidence, edge: int) -> str | None:
    # The condition has the first place, and no gradient.
    both = {1: "torch.where(condition, grad, 0)", 2: "torch.where(condition, 0, grad)"}
    first = len(at.fn.next_functions) == 2
    formula = both.get(edge + 1 if first else edge)
    return None if formula is None else summed(formula, at.out, at.into(edge))


def _gelu(at: Evidence, edge: int) -> str | None:
    if at.value("approximate") == "tanh":
        return "torch.ops.aten.gelu_backward(grad, self, approximate='tanh')"
    return (
        "grad * (0.5 * (1 + torch.erf(self / 2 ** 0.5))"
        " + self * torch.exp(-self ** 2 / 2) / (2 * torch.pi) ** 0.5)"
    )


def _max_of_two(sign: str) -> Rule:
    def rule(at: Evidence, edge: int) -> str | None:
        # Where both are the same, each has a half.
        one, two = ("self", "other") if edge == 0 else ("other", "self")
        mine, others = at.tensor("self"), at.tensor("other")
        if mine is None or others is None:
            return None
        if not bool((mine != others).all()):
            half = f"(grad * ({one} {sign} {two}) + grad * ({one} == {two}) / 2)"
            return summed(half, at.out, at.into(edge))
        return summed(f"grad * ({one} {sign} {two})", at.out, at.into(edge))

    return rule


def _leaky(at: Evidence, edge: int) -> str | None:
    if at.value("self_is_result") is True:
        return None
    return "torch.where(self > 0, grad, grad * negative_slope)"


def _elu(at: Evidence, edge: int) -> str | None:
    if not at.is_tensor("self"):
        return None
    return (
        "torch.where(self > 0, grad * scale,"
        " grad * scale * alpha * input_scale * (self * input_scale).exp())"
    )


def _dropout(at: Evidence, edge: int) -> str | None:
    kept = at.value("p")
    if kept is MISSING or kept == 1:
        return None
    return f"grad * result1 / {1 - kept!r}"


RULES: dict[str, Rule] = {
    "Add": _add,
    "Sub": _sub,
    "Rsub": _rsub,
    "Mul": _mul,
    "Div": _div,
    "Pow": _pow,
    "Clamp": _clamp,
    "ClampMin": broadcasting("grad * (self >= min)"),
    "ClampMax": broadcasting("grad * (self <= max)"),
    "Where": _where,
    "Maximum": _max_of_two(">"),
    "Minimum": _max_of_two("<"),
    "MaskedFill": broadcasting("grad.masked_fill(mask, 0)"),
    "Addcmul": broadcasting("grad", "grad * value * tensor2", "grad * value * tensor1"),
    "Addcdiv": broadcasting(
        "grad", "grad * value / tensor2", "-grad * value * tensor1 / tensor2 ** 2"
    ),
    "Lerp": broadcasting("grad * (1 - weight)", "grad * weight", "grad * (end - self)"),
    "Neg": broadcasting("-grad"),
    "Exp": broadcasting("grad * result"),
    "Exp2": broadcasting(f"grad * result * {math.log(2)!r}"),
    "Expm1": broadcasting("grad * (result + 1)"),
    "Log": broadcasting("grad / self"),
    "Log2": broadcasting(f"grad / (self * {math.log(2)!r})"),
    "Log10": broadcasting(f"grad / (self * {math.log(10)!r})"),
    "Log1P": broadcasting("grad / (self + 1)"),
    "Sqrt": broadcasting("grad / (2 * result)"),
    "Rsqrt": broadcasting("-grad * result ** 3 / 2"),
    "Reciprocal": broadcasting("-grad * result ** 2"),
    "Abs": broadcasting("grad * self.sgn()"),
    "Sign": broadcasting("torch.zeros_like(grad)"),
    "Sin": broadcasting("grad * self.cos()"),
    "Cos": broadcasting("-grad * self.sin()"),
    "Tan": broadcasting("grad * (1 + result ** 2)"),
    "Asin": broadcasting("grad / (1 - self ** 2).sqrt()"),
    "Acos": broadcasting("-grad / (1 - self ** 2).sqrt()"),
    "Atan": broadcasting("grad / (1 + self ** 2)"),
    "Sinh": broadcasting("grad * self.cosh()"),
    "Cosh": broadcasting("grad * self.sinh()"),
    "Tanh": broadcasting("grad * (1 - result ** 2)"),
    "Sigmoid": broadcasting("grad * result * (1 - result)"),
    "Erf": broadcasting("grad * 2 / torch.pi ** 0.5 * (-self ** 2).exp()"),
    "Relu": broadcasting("grad * (result > 0)"),
    "Threshold": broadcasting("grad * (self > threshold)"),
    "ThresholdBackward": broadcasting("grad * (self > threshold)", "torch.zeros_like(grad)"),
    "Hardtanh": broadcasting("grad * ((self > min_val) & (self < max_val))"),
    "LeakyRelu": _leaky,
    "Elu": _elu,
    "Celu": broadcasting("torch.where(self > 0, grad, grad * (self / alpha).exp())"),
    "PreluKernel": broadcasting(
        "torch.where(self > 0, grad, grad * weight)", "torch.where(self > 0, 0, grad * self)"
    ),
    "Gelu": _gelu,
    "Mish": broadcasting("torch.ops.aten.mish_backward(grad, self)"),
    "Hardswish": broadcasting("torch.ops.aten.hardswish_backward(grad, self)"),
    "TanhBackward": broadcasting("grad * (1 - output ** 2)", "grad * grad_output * -2 * output"),
    "SigmoidBackward": broadcasting(
        "grad * output * (1 - output)", "grad * grad_output * (1 - 2 * output)"
    ),
    "Silu": broadcasting("grad * self.sigmoid() * (1 + self * (1 - self.sigmoid()))"),
    "Softplus": broadcasting(
        "torch.where(self * beta > threshold, grad, grad * (self * beta).sigmoid())"
    ),
    "LogSigmoid": broadcasting("grad * (-self).sigmoid()"),
    "NativeDropout": _dropout,
    "Hardsigmoid": broadcasting("grad * ((self > -3) & (self < 3)) / 6"),
    "Clone": broadcasting("grad"),
    "ToCopy": broadcasting("grad"),
    "Fill": broadcasting("torch.zeros_like(grad)", "grad.sum()"),
    "Zero": broadcasting("torch.zeros_like(grad)"),
    "Tril": broadcasting("grad.tril(diagonal)"),
    "Triu": broadcasting("grad.triu(diagonal)"),
    "Atan2": broadcasting(
        "grad * other / (self ** 2 + other ** 2)", "-grad * self / (self ** 2 + other ** 2)"
    ),
}
"""Rules by the operation's name: that of its node, without ``Backward`` and the number."""
