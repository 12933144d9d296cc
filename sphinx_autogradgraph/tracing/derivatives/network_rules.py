"""Rules of losses, normalisations, convolutions, pooling, embeddings, attention, recurrent layers.

A formula that would not help a reader when written out is a call of torch's own function for it.
"""

from __future__ import annotations

from sphinx_autogradgraph.tracing.derivatives.evidence import MISSING, Evidence, count
from sphinx_autogradgraph.tracing.derivatives.rule_forms import Rule, summed, zeros

NONE, MEAN, SUM = 0, 1, 2
"""Torch's numbers of the reductions of losses."""


def _averaged(formula: str, at: Evidence, elements: int) -> str | None:
    reduction = at.value("reduction")
    if reduction == MEAN and elements:
        return f"{formula} / {elements}"
    return formula if reduction in (NONE, SUM) else None


def _loss(template: str) -> Rule:
    """Make the rule of a loss of two tensors of one shape; their gradients are opposite."""

    def rule(at: Evidence, edge: int) -> str | None:
        into = at.into(edge)
        one, other = at.tensor("self"), at.tensor("target")
        if one is None or other is None or one.shape != other.shape:
            return None
        signed = template.format(grad="-grad" if edge == 1 else "grad")
        return _averaged(signed, at, count(into))

    return rule


def _binary_cross_entropy(at: Evidence, edge: int) -> str | None:
    if edge != 0:
        return None
    weighted = "" if at.is_none("weight") else " * weight"
    formula = f"grad{weighted} * (self - target) / (self * (1 - self)).clamp(min=1e-12)"
    return _averaged(formula, at, count(at.into(edge)))


def _binary_cross_entropy_with_logits(at: Evidence, edge: int) -> str | None:
    if edge == 1:
        if not (at.is_none("weight") and at.is_none("pos_weight")):
            return None
        return _averaged("-grad * self", at, count(at.into(edge)))
    if edge != 0:
        return None
    weighted = "" if at.is_none("weight") else " * weight"
    if at.is_none("pos_weight"):
        formula = f"grad{weighted} * (self.sigmoid() - target)"
    else:
        formula = (
            f"grad{weighted} * (self.sigmoid() * (1 + (pos_weight - 1) * target)"
            " - pos_weight * target)"
        )
    return _averaged(formula, at, count(at.into(edge)))


def _nll(name: str) -> Rule:
    def rule(at: Evidence, edge: int) -> str | None:
        into, target = at.into(edge), at.tensor("target")
        whole = (
            f"torch.ops.aten.{name}_backward"
            "(grad, self, target, weight, reduction, ignore_index, total_weight)"
        )
        if edge != 0 or target is None:
            return None
        ignored = at.value("ignore_index")
        if len(into) > 2 or not at.is_none("weight") or bool((target == ignored).any()):
            return whole
        classes = f"torch.nn.functional.one_hot(target, {into[-1]})"
        if at.value("reduction") == NONE and len(into) == 2:
            return f"-grad.unsqueeze(1) * {classes}"
        elements = into[0] if len(into) == 2 else 1
        return _averaged(f"-grad * {classes}", at, elements) or whole

    return rule


def _mask(edge: int) -> str:
    """Return which of the three gradients of a backward to compute: that of one edge."""
    return f"[{', '.join(str(place == edge) for place in range(3))}]"


def _batch_norm(at: Evidence, edge: int) -> str | None:
    into = at.into(edge)
    if edge == 2:
        return summed_to_channels(at)
    if edge > 2:
        return None
    return (
        "torch.ops.aten.native_batch_norm_backward(grad, input, weight, running_mean, running_var,"
        f" result1, result2, training, eps, {_mask(edge)})[{edge}]"
        if into
        else None
    )


def summed_to_channels(at: Evidence) -> str:
    """Return the sum of the gradient over all dimensions but the second."""
    dims = tuple(dim for dim in range(len(at.out)) if dim != 1)
    return f"grad.sum({dims[0] if len(dims) == 1 else dims})"


def _layer_norm(at: Evidence, edge: int) -> str | None:
    if edge == 2:
        return summed("grad", at.out, at.into(2))
    if edge == 1:
        return summed("grad * (input - result1) * result2", at.out, at.into(1))
    if edge > 2:
        return None
    return (
        "torch.ops.aten.native_layer_norm_backward(grad, input, normalized_shape, result1, result2,"
        " weight, bias, [True, False, False])[0]"
    )


def _group_norm(at: Evidence, edge: int) -> str | None:
    if edge == 2:
        return summed_to_channels(at)
    if edge > 2:
        return None
    return (
        "torch.ops.aten.native_group_norm_backward(grad.contiguous(), input, result1, result2,"
        f" weight, N, C, HxW, group, {_mask(edge)})[{edge}]"
    )


def _convolution(at: Evidence, edge: int) -> str | None:
    if edge == 2:
        return summed_to_channels(at)
    if edge > 2 or at.value("transposed") is MISSING:
        return None
    rank = len(at.out) - 2
    options = _convolution_options(at)
    if at.value("transposed") or rank not in (1, 2, 3):
        return (
            "torch.ops.aten.convolution_backward(grad, input, weight, None, stride, padding,"
            f" dilation, transposed, output_padding, groups, {_mask(edge)})[{edge}]"
        )
    if edge == 0:
        return f"torch.nn.grad.conv{rank}d_input({at.into(0)}, weight, grad{options})"
    return f"torch.nn.grad.conv{rank}d_weight(input, {at.into(1)}, grad{options})"


def _convolution_options(at: Evidence) -> str:
    said = ""
    for role, default in (("stride", 1), ("padding", 0), ("dilation", 1)):
        value = at.value(role)
        if isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]
        if value != default:
            said += f", {role}={value}"
    groups = at.value("groups")
    return said if groups == 1 else f"{said}, groups={groups}"


def _embedding(at: Evidence, edge: int) -> str | None:
    if at.value("sparse") is not False:
        return None
    rows = at.into(0)[0]
    indices, padding = at.tensor("indices"), at.value("padding_idx")
    if indices is None:
        return None
    if at.value("scale_grad_by_freq") is False and not bool((indices == padding).any()):
        if indices.dim() == 1:
            return f"{zeros(at.into(0))}.index_add(0, indices, grad)"
        flat = "indices.flatten()"
        return f"{zeros(at.into(0))}.index_add(0, {flat}, grad.reshape(-1, {at.into(0)[1]}))"
    return (
        f"torch.ops.aten.embedding_dense_backward(grad, indices, {rows}, padding_idx,"
        " scale_grad_by_freq)"
    )


def _pooled(name: str, *arguments: str) -> Rule:
    def rule(at: Evidence, edge: int) -> str | None:
        return f"torch.ops.aten.{name}({', '.join(('grad', *arguments))})"

    return rule


_WINDOW = ("self", "kernel_size", "stride", "padding")
_AVERAGE = (*_WINDOW, "ceil_mode", "count_include_pad", "divisor_override")
_MAX = (*_WINDOW, "dilation", "ceil_mode", "result1")


def _attention(at: Evidence, edge: int) -> str | None:
    if edge > 2:
        return None
    masked = "" if at.is_none("attn_mask") else ", attn_mask=attn_mask"
    return (
        "torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(grad, query, key,"
        f" value, output, logsumexp, dropout_p, is_causal{masked}, scale=scale)[{edge}]"
    )


def _recurrent(at: Evidence, edge: int) -> str | None:
    """Return the formulas of a layer of an LSTM or GRU that oneDNN computed as a whole."""
    if edge > 6:
        return None
    return (
        "torch.ops.aten.mkldnn_rnn_layer_backward(input, weight0, weight1, weight2, weight3, hx_,"
        " cx_, result0, result1, result2, grads[0], grads[1], grads[2], reverse, mode, hidden_size,"
        " num_layers, has_biases, train, bidirectional, batch_sizes, batch_first, result3)"
        f"[{edge}]"
    )


RULES: dict[str, Rule] = {
    "MseLoss": _loss("{grad} * 2 * (self - target)"),
    "SmoothL1Loss": _loss("{grad} * ((self - target) / beta).clamp(-1, 1)"),
    "HuberLoss": _loss("{grad} * (self - target).clamp(-delta, delta)"),
    "BinaryCrossEntropy": _binary_cross_entropy,
    "BinaryCrossEntropyWithLogits": _binary_cross_entropy_with_logits,
    "NllLoss": _nll("nll_loss"),
    "NllLoss2D": _nll("nll_loss2d"),
    "NativeBatchNorm": _batch_norm,
    "NativeLayerNorm": _layer_norm,
    "NativeGroupNorm": _group_norm,
    "Convolution": _convolution,
    "Embedding": _embedding,
    "AvgPool2D": _pooled("avg_pool2d_backward", *_AVERAGE),
    "AvgPool3D": _pooled("avg_pool3d_backward", *_AVERAGE),
    "MaxPool2DWithIndices": _pooled("max_pool2d_with_indices_backward", *_MAX),
    "MaxPool3DWithIndices": _pooled("max_pool3d_with_indices_backward", *_MAX),
    "AdaptiveAvgPool2D": _pooled("_adaptive_avg_pool2d_backward", "self"),
    "AdaptiveAvgPool3D": _pooled("_adaptive_avg_pool3d_backward", "self"),
    "AdaptiveMaxPool2D": _pooled("adaptive_max_pool2d_backward", "self", "result1"),
    "UpsampleNearest2D": lambda at, edge: (
        f"torch.ops.aten.upsample_nearest2d_backward(grad, {at.out[2:]}, {at.into(0)},"
        " scales_h, scales_w)"
    ),
    "ScaledDotProductFlashAttentionForCpu": _attention,
    "MkldnnRnnLayer": _recurrent,
}
"""Rules by the operation's name: that of its node, without ``Backward`` and the number."""
