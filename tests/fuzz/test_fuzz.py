"""Promise: whatever a file or an author holds, the only exceptions and the only markup are ours."""

from __future__ import annotations

import ast
import contextlib
import copy
import gzip
import json
import re
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.core.settings import Settings
from sphinx_autogradgraph.figures.options import DECLARATIONS, parse_options
from sphinx_autogradgraph.graph.codec import GraphFormatError
from sphinx_autogradgraph.graph.model import (
    Edge,
    Graph,
    ModuleCall,
    Node,
    Output,
    Source,
    TensorMeta,
)
from sphinx_autogradgraph.program.fences import fences, header_options
from sphinx_autogradgraph.program.markers import MarkerError, markers_and_fences
from sphinx_autogradgraph.program.myst_fences import myst_fences
from sphinx_autogradgraph.program.notebook_cells import python_of
from sphinx_autogradgraph.program.program import (
    Block,
    Program,
    Target,
    parse_reference,
    split_expressions,
)
from sphinx_autogradgraph.render.drawing import Drawing
from sphinx_autogradgraph.runtime.cache import Cache
from sphinx_autogradgraph.runtime.last_value import last_assignment, take_last_value
from sphinx_autogradgraph.runtime.result import Result, Traced
from sphinx_autogradgraph.runtime.spawned import definitions
from sphinx_autogradgraph.snapshots.store import SnapshotError, Snapshots
from sphinx_autogradgraph.views.choice import Scope
from tests.properties import tried

META = (TensorMeta((2, 1), "float32", "cpu"),)
LINE = Source("a.py", 3, "y = f(x)")
GRAPH = Graph(
    (Output("l", 4, 0), Output("v", 3, 0, Output("w", 0, 0))),
    (
        Node(0, "leaf", "AccumulateGrad", "w", META),
        Node(1, "leaf", "AccumulateGrad", None, META),
        Node(2, "function", "MmBackward0", None, META, LINE, "net.0", "torch.mm"),
        Node(3, "function", "Unbind", "v", (META[0].replace(name="v"), META[0]), LINE, "net"),
        Node(4, "function", "SumBackward0", "l", META, LINE, ""),
    ),
    (Edge(0, 2, 0, 0), Edge(1, 2, 0, 1), Edge(2, 3, 0, 0), Edge(3, 4, 1, 0)),
    (ModuleCall("net", "Net", 2, 3), ModuleCall("net.0", "Linear", 2, 2)),
)

HOSTILE = [
    '"><script>alert(1)</script>', "</script>", "<!--", "]]>", "\x00", "\u202e", "\ud800", "{0}",
    "&amp;", "'", "\\", "$(x)", "`", "\n", "a" * 5000, "javascript:alert(1)", "../../etc/passwd",
    "http://evil/", "\x1b[2J",
]  # fmt: skip
texts = st.sampled_from(HOSTILE) | st.text(max_size=20)
numbers = st.sampled_from([-1, 0, 1, 2, 3, 7, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308])
atoms: st.SearchStrategy[Any] = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    atoms,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def places(data: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """All places in plain data."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    found = [at] if at else []
    for key, value in items:
        if isinstance(value, dict | list):
            found += places(value, (*at, key))
        else:
            found.append((*at, key))
    return found


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> Any:
    """Plain data of which a few places hold something else, or are missing."""
    data = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(data)))
        holder = data
        for key in place[:-1]:
            holder = holder[key]
        if draw(st.booleans()):
            holder[place[-1]] = draw(values)
        elif draw(st.booleans()):
            del holder[place[-1]]
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from(["members", "fold", "saved", "gradient", "values"]))] = (
                draw(values)
            )
        if not places(data):
            break
    return data


ELEMENTS = {
    "svg", "title", "desc", "style", "g", "path", "polygon", "polyline", "rect", "ellipse",
    "text", "tspan", "a", "line", "circle", "defs", "marker",
}  # fmt: skip


def check_markup(svg: str) -> None:
    """Assert that there is nothing in a drawing but what we draw."""
    for element in ElementTree.fromstring(svg).iter():
        assert element.tag.rpartition("}")[2] in ELEMENTS
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert not re.match(r"\s*(javascript|data):", value)


@tried(60, 1250)
@given(damaged(GRAPH.to_dict()))
def test_a_graph_is_read_or_refused_and_what_is_read_can_be_used(data: Any) -> None:
    try:
        graph = Graph.from_dict(data)
    except GraphFormatError:
        return
    assert Graph.from_json(graph.to_json()) == graph
    assert graph.diff(graph) == []
    GRAPH.diff(graph)
    graph.diff(GRAPH)
    assert len(graph.chain) <= len(graph.nodes)
    assert len(graph.backward_order) <= len(graph.nodes)
    graph.structure()


@tried(10, 125)
@given(damaged(GRAPH.to_dict()))
def test_the_only_markup_in_a_drawing_is_ours(data: Any) -> None:
    try:
        graph = Graph.from_dict(data)
    except GraphFormatError:
        return
    for scope in (Scope(), Scope(depth=1)):
        check_markup(Drawing(graph, scope=scope).svg)


@tried(6, 75)
@given(texts, texts, texts, texts)
def test_names_of_any_kind_are_text(name: str, op: str, file: str, module: str) -> None:
    clean = [text.encode("utf-8", "replace").decode() for text in (name, op, file, module)]
    node = Node(2, "function", clean[1], clean[0], META, Source(clean[2], 1, clean[0]), clean[3])
    nodes = (GRAPH.nodes[0], GRAPH.nodes[1], node)
    graph = Graph(
        (Output(clean[0], 2, 0),), nodes, GRAPH.edges[:2], (ModuleCall(clean[3], clean[1], 2, 2),)
    )
    drawing = Drawing(graph, show=["shape", "modules", "calls"])
    check_markup(drawing.svg)
    assert "<script>alert" not in drawing.html


@tried(50, 750)
@given(st.binary(max_size=60) | damaged(GRAPH.to_dict()))
def test_a_snapshot_is_read_or_refused_and_never_has_a_view(data: Any) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "page.1.json")
        path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
        try:
            kept = Snapshots(directory).read(path)
        except SnapshotError:
            return
    assert kept is not None
    assert all(node.fold is None and not node.members for node in kept.graph.nodes)


RESULT = Result((Traced(GRAPH),))
PROGRAM = Program((Block("x", "page.rst", "/p/page.rst"),), (Target(1),), "/p", "/p")


@tried(30, 750)
@given(st.data())
def test_a_cache_entry_is_a_hit_or_a_miss(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as directory:
        cache = Cache(directory)
        cache.put(PROGRAM, RESULT)
        (path,) = Path(directory).glob("*/*.json.gz")
        entry = json.loads(gzip.decompress(path.read_bytes()))
        target = entry["result"]["targets"][0]
        target["graph"] = json.loads(target["graph"])
        entry = data.draw(damaged(entry))
        with contextlib.suppress(LookupError, TypeError):  # of what the damage has left
            target = entry["result"]["targets"][0]
            target["graph"] = json.dumps(target["graph"])
        path.write_bytes(gzip.compress(json.dumps(entry).encode()))
        found = cache.get(PROGRAM)
    if found is not None:
        for traced in found.targets:
            assert isinstance(traced, Traced)
            assert all(isinstance(note.sentence(), str) for note in traced.notes)


@tried(100, 1250)
@given(st.dictionaries(st.sampled_from(sorted(DECLARATIONS)), texts | numbers.map(str)))
def test_options_are_read_or_reported(options: dict[str, str]) -> None:
    parsed = parse_options(options, Settings())
    for diagnostic in parsed.diagnostics:
        assert diagnostic.sentence()


@tried(100, 1250)
@given(texts | st.text(alphabet="ab.:/\\ ~{}[](),'\"\n", max_size=30))
def test_references_and_expressions_are_read_or_reported(text: str) -> None:
    for parse in (parse_reference, split_expressions):
        with contextlib.suppress(DiagnosticError):
            parse(text)


@tried(100, 1250)
@given(st.lists(texts | st.text(alphabet="`~ >-{}=\"'.#autogradph\t", max_size=30), max_size=12))
def test_any_page_has_fences(lines: list[str]) -> None:
    for text in lines:
        header_options(text)
    for fence in fences(["```autogradgraph " + "".join(lines), *lines]):
        assert 0 < fence.line <= len(lines) + 1
    list(myst_fences(lines))
    with contextlib.suppress(MarkerError):
        markers_and_fences(lines)


CODE = [
    "x = 1\n", "(", ")", "[", "'", '"""', "lambda: ", "def f():\n", "class C(\n", " ", "\t", "\n", "\r", "\f",
    ">>> ", "... ", "In [1]: ", "   ...: ", "%magic\n", "%%bash\n", "!ls\n", "x?\n", "\\\n", "# ", "yield x", "*a, b = ",
    "\x00", "\ud800", "\ufeff", "-" * 3000, "(" * 300, "[x for x in " * 30, "f'{", "from __future__ import annotations\n",
]  # fmt: skip


@tried(100, 1250)
@given(st.lists(st.sampled_from(CODE) | texts, max_size=12).map("".join))
def test_any_text_is_a_program_or_none(text: str) -> None:
    code = python_of(text)
    assert code.count("\n") == text.expandtabs().count("\n")
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    last_assignment(tree, code)
    definitions(tree)
    take_last_value(tree, code)
    with contextlib.suppress(SyntaxError, ValueError):
        compile(tree, "page.rst", "exec", dont_inherit=True)
