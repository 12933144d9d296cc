"""Formulas that torch itself is generated from, as far as they can be read as Python.

The installed torch brings its ``derivatives.yaml``.  An entry gives, for each argument of a
function, a formula in C++.  Nodes are named after entries, with a number in the order of the
file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch

from sphinx_autogradgraph.tracing.derivatives.evidence import Evidence
from sphinx_autogradgraph.tracing.derivatives.rule_forms import sizes, summed


def torch_formula(at: Evidence, edge: int) -> str | None:
    """Return torch's own formula of an edge of a node, if it can be read."""
    formulas = torch_formulas().get(at.op)
    text = formulas[edge] if formulas and edge < len(formulas) else None
    if text is None:
        return None
    text = text.replace(SIZES, sizes(at.into(edge)))
    return summed(text, at.out, at.into(edge)) if at.out != at.into(edge) else text


@cache
def torch_formulas() -> Mapping[str, tuple[str | None, ...]]:
    """Return the readable formulas of each node type, by input number.

    There are none without that file or PyYAML, which torch does not require.
    """
    try:
        import yaml  # type: ignore[import-untyped]

        path = Path(torch.__path__[0]).parent / "torchgen/packaged/autograd/derivatives.yaml"
        with path.open(encoding="utf-8") as file:
            entries = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (ImportError, OSError):
        return {}
    found = {}
    numbers: Counter[str] = Counter()
    for entry in entries:
        for key, arguments in _variants(entry):
            differentiable = {
                name: formula
                for name, formula in arguments.items()
                if formula != "non_differentiable"
            }
            if not differentiable:
                continue
            prefix = _node_name(entry["name"].partition("(")[0].partition(".")[0]) + key
            found[f"{prefix}{numbers[prefix]}"] = _by_edge(entry["name"], differentiable)
            numbers[prefix] += 1
    return found


def _variants(entry: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the formulas of an entry by argument, for each dispatch key that has some."""
    if "dispatch" in entry:
        for key, arguments in entry["dispatch"].items():
            yield ("" if key == "Default" else key), _formulas(arguments)
    else:
        yield "", _formulas(entry)


def _formulas(arguments: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for names, formula in arguments.items():
        if names in ("name", "dispatch", "output_differentiability", "result"):
            continue
        for name in names.split(","):
            found[name.strip()] = formula if "," not in names else UNREADABLE
    return found


UNREADABLE = "{"


def _node_name(function: str) -> str:
    name = "".join(part.title() for part in function.split("_")) + "Backward"
    return name.replace("ForwardBackward", "Backward")


def _by_edge(schema: str, formulas: Mapping[str, str]) -> tuple[str | None, ...]:
    """Return the formulas in the order of the edges, which is that of differentiable arguments."""
    declared = re.findall(r"(\w+)(?:=[^,)]*)?(?=[,)])", schema.partition("(")[2])
    ordered = [name for name in declared if name in formulas]
    if "TensorList" in schema or "Tensor[]" in schema or "Tensor?[]" in schema:
        return ()
    return tuple(_as_python(formulas[name]) for name in ordered)


SIZES = "SIZES_OF_INPUT"

_REWRITES = (
    (r"\.conj\(\)", ""),
    (r"\b(?:at|c10)::", "torch."),
    (r"\btorch\.(special|linalg|fft)_", r"torch.\1."),
    (r"\.(mH|mT|dtype|device)\(\)", r".\1"),
    (r"\bself_?(?:\.sym_sizes\(\)|_sym_sizes)", f"[{SIZES}]"),
    (r"_symint\b", ""),
    (r"\btrue\b", "True"),
    (r"\bfalse\b", "False"),
    (r"\bM_PI\b", "torch.pi"),
    (r"\bgrads\[0\]", "grad"),
    (r"&&", "and"),
    (r"\|\|", "or"),
)


def _as_python(formula: str) -> str | None:
    """Return a C++ formula as Python, None if it is none after a few replacements."""
    text = " ".join(formula.split())
    for pattern, new in _REWRITES:
        text = re.sub(pattern, new, text)
    if re.search(r"::|->|[{}?;!]|\bauto\b|not_implemented|_backward\b|grad_\w+|_opt\b", text):
        return None
    called = re.findall(r"(?<![\w.])(\w+)\(", text)
    if called or ("<" in text and ">" in text):
        return None
    try:
        compile(text, "derivatives.yaml", "eval")
    except (SyntaxError, ValueError):
        return None
    return text
