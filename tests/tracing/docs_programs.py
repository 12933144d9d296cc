"""The programs of the documentation, the examples and the layout's corpus, each run once."""

from __future__ import annotations

import contextlib
import io
import linecache
import re
import sys
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch.autograd.graph import get_gradient_edge
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from sphinx_autogradgraph.tracing.provenance import Recorder
from sphinx_autogradgraph.tracing.walk import Walk
from tests.conftest import ROOT

DIRECTIVE = re.compile(
    r"^\.\. (code-block:: python|autogradgraph-setup::|autogradgraph::)[ ]*\n"
    r"((?:   :.*\n)*)\n((?:   .*\n|\n)+)",
    re.MULTILINE,
)


def sources() -> dict[str, str]:
    """Each program: of a page, of a figure with code of its own, of an example."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "docs").glob("*.rst")):
        page = ""
        for number, (kind, options, body) in enumerate(DIRECTIVE.findall(path.read_text("utf-8"))):
            if "autogradgraph-skip" in options:
                continue
            code = textwrap.dedent(body).strip("\n") + "\n"
            if kind == "autogradgraph::" and ":context:" not in options:
                found[f"{path.stem} {number}"] = code
            else:
                page += code
        found[path.stem] = page
    for path in sorted((ROOT / "examples").glob("*.py")):
        found[path.name] = path.read_text("utf-8")
    # The page of Markdown sites converts one, which is no question of autograd.
    return {
        name: code for name, code in found.items() if "import torch" in code and name != "markdown"
    }


class Taint(TorchDispatchMode):
    """Knows, below autograd, which tensors were computed from ones that require grad.

    It sees other calls than the recorder does, and keeps no cause: an oracle for its reasons.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tensors = WeakIdKeyDictionary()
        self.used = WeakIdKeyDictionary()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [item for item in flat((args, kwargs or {})) if isinstance(item, torch.Tensor)]
        result = func(*args, **kwargs or {})
        made = [item for item in flat(result) if isinstance(item, torch.Tensor)]
        for item in given:
            if not any(item is one for one in made):  # not when it is initialized or stepped
                self.used[item] = func
        shape_only = str(func).partition(".")[2].partition(".")[0].endswith(("_like",))
        if not shape_only and any(t.requires_grad or t in self.tensors for t in given):
            for item in made:
                self.tensors[item] = func
        return result


def flat(value: Any) -> Iterator[Any]:
    """Everything in nested lists, tuples and dicts."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from flat(item)
    elif isinstance(value, dict):
        yield from flat(list(value.values()))
    else:
        yield value


@dataclass
class Ran:
    """A program that has run, with what was recorded of it."""

    name: str
    code: str
    namespace: dict[str, Any]
    recorder: Recorder
    taint: Taint
    error: BaseException | None = None
    roots: list[tuple[str, torch.Tensor]] = field(default_factory=list)


def run(name: str, code: str) -> Ran:
    """Run a program under a recorder and the oracle, as far as it comes."""
    file = f"{name}.py"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    recorder = Recorder(lambda path: path == file, str, inputs=True)
    namespace: dict[str, Any] = {"__name__": "program"}
    ran = Ran(name, code, namespace, recorder, Taint())
    torch.manual_seed(0)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            with recorder, ran.taint:
                exec(compile(code, file, "exec"), namespace)
        except Exception as error:
            ran.error = error
        finally:
            torch.set_grad_enabled(True)
            torch.set_default_dtype(torch.float32)
    ran.roots = roots_of(namespace)
    return ran


def roots_of(namespace: dict[str, Any]) -> list[tuple[str, torch.Tensor]]:
    """The variables with a graph that no other variable's graph holds."""
    tensors = [
        (name, value)
        for name, value in namespace.items()
        if isinstance(value, torch.Tensor) and value.grad_fn is not None
    ]
    edges = [get_gradient_edge(tensor).node for _, tensor in tensors]
    inner = {
        used for walk in map(Walk, [[edge] for edge in edges]) for uses in walk.uses.values()
        for _, used, _ in uses
    }  # fmt: skip
    return [pair for pair, node in zip(tensors, edges, strict=True) if node not in inner]


@cache
def programs() -> list[Ran]:
    """All programs, run."""
    before = list(sys.path)
    sys.path.insert(0, str(Path(ROOT, "docs")))
    try:
        return [run(name, code) for name, code in sources().items()]
    finally:
        sys.path[:] = before
