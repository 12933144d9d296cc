"""Rules of products of vectors and matrices."""

from __future__ import annotations

from sphinx_autogradgraph.tracing.derivatives.evidence import Evidence
from sphinx_autogradgraph.tracing.derivatives.rule_forms import Rule, each, sizes, summed


def _added(*product: str) -> Rule:
    """Make the rule of ``beta * self + alpha * product``, with ``self`` broadcast."""

    def rule(at: Evidence, edge: int) -> str | None:
        if edge == 0:
            return summed("grad * beta", at.out, at.into(0))
        return f"{product[edge - 1]} * alpha" if edge <= len(product) else None

    return rule


RULES: dict[str, Rule] = {
    "Mm": each("grad @ mat2.T", "self.T @ grad"),
    "Bmm": each("grad @ mat2.mT", "self.mT @ grad"),
    "Mv": each("torch.outer(grad, vec)", "self.T @ grad"),
    "Dot": each("grad * tensor", "grad * self"),
    "Vdot": each("grad * other", "grad * self"),
    "Addmm": _added("grad @ mat2.T", "mat1.T @ grad"),
    "Addmv": _added("torch.outer(grad, vec)", "mat.T @ grad"),
    "Addr": _added("grad @ vec2", "grad.T @ vec1"),
    "Baddbmm": _added("grad @ batch2.mT", "batch1.mT @ grad"),
    "Addbmm": _added("grad @ batch2.mT", "batch1.mT @ grad"),
    "Trace": lambda at, edge: f"grad * torch.eye({sizes(at.into(edge))}, dtype=grad.dtype)",
}
"""Rules by the operation's name: that of its node, without ``Backward`` and the number."""
