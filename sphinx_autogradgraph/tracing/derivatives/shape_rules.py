"""Rules of operations that arrange elements: views, indexes, joining, splitting."""

from __future__ import annotations

from sphinx_autogradgraph.tracing.derivatives.evidence import MISSING, Evidence
from sphinx_autogradgraph.tracing.derivatives.rule_forms import Rule, each, sizes, summed, zeros


def _reshaped(at: Evidence, edge: int) -> str | None:
    return f"grad.reshape({sizes(at.into(edge))})"


def _expanded(at: Evidence, edge: int) -> str | None:
    return summed("grad", at.out, at.into(edge))


def _transposed(at: Evidence, edge: int) -> str | None:
    return "grad.T" if len(at.out) == 2 else "grad"


def _permuted(at: Evidence, edge: int) -> str | None:
    dims = at.value("dims")
    if dims is MISSING:
        return None
    rank = len(at.into(edge))
    placed = [item % rank for item in dims]
    return f"grad.permute({sizes(tuple(placed.index(dim) for dim in range(rank)))})"


def _squeezed(at: Evidence, edge: int) -> str | None:
    if at.into(edge) == at.out:
        return "grad"
    into = at.into(edge)
    dims = at.dims(len(into)) if at.value("dim") is not MISSING else None
    gone = [dim for dim in (range(len(into)) if dims is None else dims) if into[dim] == 1]
    return "grad" + "".join(f".unsqueeze({dim})" for dim in gone)


def _selected(at: Evidence, edge: int) -> str | None:
    return f"{zeros(at.into(edge))}.select_scatter(grad, dim, index)"


def _sliced(at: Evidence, edge: int) -> str | None:
    into = at.into(edge)
    dim, start, end, step = (at.value(role) for role in ("dim", "start", "end", "step"))
    if MISSING in (dim, start, end, step):
        return None
    arguments = [f"{dim}", f"{start or 0}"]
    if end is not None and (end < into[dim] or step != 1):
        arguments.append(f"{min(end, into[dim])}")
    if step != 1:
        arguments.append(f"step={step}")
    return f"{zeros(into)}.slice_scatter(grad, {', '.join(arguments)})"


def _indexed(at: Evidence, edge: int) -> str | None:
    if edge != 0:
        return None
    try:
        indices = at.fn._saved_indices  # type: ignore[attr-defined]
    except RuntimeError:  # freed
        return None
    given = ["None" if item is None else f"indices[{at}]" for at, item in enumerate(indices)]
    put = f"{zeros(at.into(edge))}"
    if "None" in given:
        return f"torch.ops.aten.index_put({put}, [{', '.join(given)}], grad, accumulate=True)"
    return f"{put}.index_put(({', '.join(given)},), grad, accumulate=True)"


def _stacked(at: Evidence, edge: int) -> str | None:
    return f"grad.select(dim, {edge})"


def _joined(at: Evidence, edge: int) -> str | None:
    dim = at.value("dim")
    if dim is MISSING:
        return None
    start = 0
    dim %= len(at.out)
    for before in range(edge):
        if at.fn.next_functions[before][0] is None:
            break
        into = at.into(before)
        start += into[dim] if into != (0,) else 0
    else:
        if at.into(edge) == (0,) and len(at.out) != 1:
            return None
        return f"grad.narrow({dim}, {start}, {at.into(edge)[dim]})"
    # Of what does not require grad the length is not known: reckon from the end.
    end = at.out[dim]
    for after in range(edge, len(at.fn.next_functions)):
        if at.fn.next_functions[after][0] is None:
            return None
        end -= at.into(after)[dim]
    return f"grad.narrow({dim}, {end}, {at.into(edge)[dim]})"


def _gathered(at: Evidence, edge: int) -> str | None:
    return f"{zeros(at.into(edge))}.scatter_add(dim, index, grad)" if edge == 0 else None


def _index_selected(at: Evidence, edge: int) -> str | None:
    if at.into(edge) == ():
        return None
    return f"{zeros(at.into(edge))}.index_add(dim, index, grad)"


def _rolled(at: Evidence, edge: int) -> str | None:
    dims, shifts = at.value("dims"), at.value("shifts")
    if dims is MISSING or shifts is MISSING:
        return None
    back = tuple(-shift for shift in shifts)
    return f"grad.roll({back}, {dims})" if dims else f"grad.roll({back[0]})"


def _repeated(at: Evidence, edge: int) -> str | None:
    into, times = at.into(edge), at.value("repeats")
    if times is MISSING or 0 in at.out or 0 in into:
        return None
    ones = (1,) * (len(times) - len(into)) + into
    blocks: list[int] = []
    places: list[int] = []
    for time, size in zip(times, ones, strict=True):
        places.append(len(blocks))
        blocks += [time, size]
    if not blocks:
        return "grad"
    formula = f"grad.reshape({sizes(tuple(blocks))}).sum({tuple(places)})"
    return formula if ones == into else f"{formula}.reshape({sizes(into)})"


def _padded(at: Evidence, edge: int) -> str | None:
    pad = at.value("pad")
    if pad is MISSING:
        return None
    return f"torch.nn.functional.pad(grad, {tuple(-side for side in pad)})"


RULES: dict[str, Rule] = {
    "View": _reshaped,
    "UnsafeView": _reshaped,
    "ReshapeAlias": _reshaped,
    "Expand": _expanded,
    "T": _transposed,
    "Transpose": each("grad.transpose(dim0, dim1)"),
    "Permute": _permuted,
    "Squeeze": _squeezed,
    "Unsqueeze": each("grad.squeeze(dim)"),
    "Select": _selected,
    "Slice": _sliced,
    "Index": _indexed,
    "IndexSelect": _index_selected,
    "Gather": _gathered,
    "Stack": _stacked,
    "Cat": _joined,
    "Unbind": each("torch.stack(grads, dim)"),
    "Split": each("torch.cat(grads, dim)"),
    "SplitWithSizes": each("torch.cat(grads, dim)"),
    "UnsafeSplit": each("torch.cat(grads, dim)"),
    "Flip": each("grad.flip(dims)"),
    "Roll": _rolled,
    "Repeat": _repeated,
    "ConstantPadNd": _padded,
    "Diagonal": lambda at, edge: (
        f"{zeros(at.into(edge))}.diagonal_scatter(grad, offset, dim1, dim2)"
    ),
    "Scatter": each("grad.scatter(dim, index, 0)", "grad.gather(dim, index)"),
    "ScatterAdd": each("grad", "grad.gather(dim, index)"),
    "IndexAdd": each("grad", "grad.index_select(dim, index) * alpha"),
    "MaskedSelect": lambda at, edge: (
        f"{zeros(at.into(edge))}.masked_scatter(mask, grad)"
        if (mask := at.tensor("mask")) is not None and tuple(mask.shape) == at.into(edge)
        else None
    ),
    "Unfold": lambda at, edge: (
        f"torch.ops.aten.unfold_backward(grad, {at.into(edge)}, dimension, size, step)"
    ),
}
"""Rules by the operation's name: that of its node, without ``Backward`` and the number."""
