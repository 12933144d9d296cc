"""``draw``, ``trace``, ``record``, and the forms of a Drawing; the command ``draw``."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sphinx_autogradgraph import Graph, draw, record, trace
from sphinx_autogradgraph.hosts.cli import main
from sphinx_autogradgraph.render.drawing import FORMS
from tests.conftest import LINREG, ROOT


def test_names_come_from_the_caller() -> None:
    X = torch.ones(3, 2)
    w = torch.ones(2, 1, requires_grad=True)
    l = torch.mm(X, w).sum()
    graph = trace(l)
    assert isinstance(graph, Graph)
    assert graph.leaves == ("w",)
    assert [output.name for output in graph.outputs] == ["l"]
    assert draw(l).graph == graph
    assert draw(l).caption == (
        "Autograd graph of l. Leaves: w (2, 1). grad_fn chain: SumBackward0 → MmBackward0."
    )
    assert repr(draw(l)).startswith("l ()\nSumBackward0 l ()\nMmBackward0 (3, 1)\nw (2, 1)")
    assert [output.name for output in trace({"a": l * 2}).outputs] == ["output['a']"]


def test_draw_takes_and_says_what_the_directive_does() -> None:
    x = torch.ones(4, requires_grad=True)
    l = x.exp().sum()
    assert draw(l, show="memory, dtype").caption.endswith("ExpBackward0. Kept for backward: 16 B.")
    assert "float32" in draw(l, show="shape dtype").dot
    with pytest.raises(ValueError, match="no 'colours'"):
        draw(l, show="shape colours")


def test_as_make_dot_was_called() -> None:
    def loss(net: nn.Module) -> torch.Tensor:
        return net(torch.ones(1, 2)).sum()

    out = loss(nn.Linear(2, 2))
    assert set(trace(out).leaves) == {None}
    other = nn.Linear(2, 2)
    drawing = draw(loss(other), params=dict(other.named_parameters()))
    assert set(drawing.graph.leaves) == {"weight", "bias"}
    digraph = drawing.digraph
    digraph.attr("graph", label="mine")
    assert "mine" in digraph.source
    assert "mine" not in drawing.dot
    assert "AddmmBackward0" in drawing.dot


def test_what_has_no_graph_says_why() -> None:
    detached = torch.ones(2)
    with pytest.raises(ValueError, match=r"detached has no autograd graph"):
        draw(detached)
    with pytest.raises(ValueError, match="holds no tensor"):
        trace(3)
    l = torch.ones(2, requires_grad=True).sum()
    with pytest.raises(ValueError, match="is empty"):
        draw({})
    with pytest.raises(ValueError, match="keys that are neither text nor numbers"):
        draw({l: l})
    with pytest.raises(ValueError, match="no 'colours'"):
        draw(l, show=["colours"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="direction"):
        draw(l, direction="UP")  # type: ignore[arg-type]


def test_record_adds_lines_modules_and_calls() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    X = torch.ones(1, 2)
    with record():
        h = net(X)
        l = torch.mm(h, h.T).sum()
    graph = trace(l)
    made = {node.op: node for node in graph.nodes if node.kind == "function"}
    assert made["ReluBackward0"].module == "net.1"
    mm = made["MmBackward0"]
    assert (mm.call, mm.module) == ("torch.mm", "")
    assert mm.source is not None
    assert (mm.source.file, mm.source.text) == (
        "tests/hosts/test_api.py",
        "l = torch.mm(h, h.T).sum()",
    )
    assert made["AddmmBackward0"].source is not None
    assert made["AddmmBackward0"].source.text == "h = net(X)"
    shown = draw(l, show=("inputs", "calls"))
    assert "X" in [node.name for node in shown.graph.nodes if node.kind == "input"]
    assert "torch.mm" in shown.svg
    with record():
        exec("m = h.exp()", globals(), scope := {"h": h})  # code from no file
    made_by = trace(scope["m"]).nodes[-1]
    assert made_by.call == "torch.Tensor.exp"
    assert made_by.source is not None
    assert made_by.source.text.startswith("exec(")
    after = trace(l * 2)
    assert after.nodes[-1].source is None
    assert sys.gettrace() is None or "record" not in repr(sys.gettrace())


def test_a_record_in_another_leaves_it_its_lines() -> None:
    w = torch.ones(2, requires_grad=True)

    def inner(h: torch.Tensor) -> torch.Tensor:
        with record(values=True):
            return h.sin()

    with record():
        h = w.exp()
        with record():
            h = h.tanh()
        h = inner(h)
        l = h.sum()
    graph = draw(l, show=("values",)).graph
    texts = [node.source.text for node in graph.nodes if node.source]
    assert texts == ["h = w.exp()", "h = h.tanh()", "return h.sin()", "l = h.sum()"]
    values = {node.op: node.outputs[0].values for node in graph.nodes}
    assert values["SinBackward0"] is not None
    assert values["TanhBackward0"] is None
    assert sys.gettrace() is None or "Recorder" not in repr(sys.gettrace())


def test_gradients_and_their_note() -> None:
    w = torch.ones(3, requires_grad=True)
    l = (w * w).sum()
    drawing = draw(l, show=("shape", "gradients"))
    assert drawing.graph.nodes[0].gradient is not None
    assert w.grad is None
    l.backward()
    assert "retain_graph=True" in draw(l, show=["gradients"]).caption


@pytest.mark.parametrize("ending", FORMS)
def test_a_drawing_can_be_saved(tmp_path: Path, ending: str) -> None:
    权重 = torch.ones(3, requires_grad=True)
    l = (权重 * 2).sum()
    path = draw(l, show=("shape", "dtype")).save(tmp_path / f"l{ending}")
    data = path.read_bytes()
    if ending == ".svg":
        assert ET.fromstring(data).tag.endswith("svg")
    elif ending == ".json":
        assert Graph.from_json(data.decode()) == trace(l)
    elif ending == ".png":
        assert data.startswith(b"\x89PNG")
        assert len(data) > 2_000
    elif ending == ".pdf":
        assert data.startswith(b"%PDF")
    else:
        assert "MulBackward0" in data.decode()
    with pytest.raises(ValueError, match=r"unsupported extension \.\w+; use"):
        draw(l).save(tmp_path / "l.gif")


def test_notebooks_get_the_svg_and_the_text() -> None:
    l = torch.ones(3, requires_grad=True).sum()
    bundle = draw(l)._repr_mimebundle_()
    assert list(bundle) == ["text/html", "image/svg+xml", "text/plain", "application/pdf"]
    assert set(draw(l)._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert set(draw(l)._repr_mimebundle_(exclude=["text/plain"])) == {
        "text/html",
        "image/svg+xml",
        "application/pdf",
    }


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sphinx_autogradgraph", "draw", *arguments],
        capture_output=True, text=True, timeout=120, cwd=cwd,
    )  # fmt: skip


def test_the_command_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "linreg.py").write_text(LINREG)
    (tmp_path / "bad.py").write_text("x = 1\nx / 0\n")
    (tmp_path / "plain.py").write_text("import torch\nx = torch.ones(2)\n")
    done = run("examples/linreg.py", "--tensor", "l", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "├─ MmBackward0 (10, 1)" in done.stdout
    assert "Leaves: w (2, 1), b (1,)." in done.stdout
    done = run("examples/linreg.py", "--tensor", "l", "-o", "out.svg", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (tmp_path / "out.svg").stat().st_size > 200
    done = run("bad.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "bad.py, line 2: ZeroDivisionError" in done.stderr
    failing: list[tuple[list[str], int, str]] = [
        (["missing.py"], 2, "there is no file missing.py"),
        (["what is this"], 2, "is no reference"),
        (["plain.py:absent"], 2, "there is no absent"),
        (["plain.py", "--show", "colours"], 2, "choose from"),
        (["plain.py", "-o", "x.gif"], 2, "unsupported extension .gif; use .svg"),
        (["plain.py", "--tensor", "1 +"], 2, "does not parse"),
        (["plain.py", "--direction", "UP"], 2, "choose from TB"),
        ([], 2, "REFERENCE"),
    ]
    monkeypatch.chdir(tmp_path)
    for arguments, status, says in failing:
        try:
            found: object = main(["draw", *arguments])
        except SystemExit as ended:
            found = ended.code
        stderr = capsys.readouterr().err
        assert (found, says in stderr) == (status, True), (arguments, stderr)


def test_importing_the_package_brings_no_torch() -> None:
    code = "import sys, sphinx_autogradgraph.hosts.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_the_public_names() -> None:
    import sphinx_autogradgraph

    assert set(sphinx_autogradgraph.__all__) == {
        "DiagnosticError", "Drawing", "Graph", "__version__", "draw", "explain", "record", "setup",
        "trace",
    }  # fmt: skip
    found: list[Any] = [
        getattr(sphinx_autogradgraph, name) for name in sphinx_autogradgraph.__all__
    ]
    assert all(item.__doc__ for item in found if not isinstance(item, str))
    with pytest.raises(AttributeError, match="nothing"):
        sphinx_autogradgraph.nothing  # noqa: B018


@pytest.mark.long
def test_in_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a kernel of its own: the drawing shows itself, and nodes have the lines of their cells."""
    pytest.importorskip("ipykernel")
    import nbclient
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager

    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    spec = {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "here", "language": "python"}  # fmt: skip
    (tmp_path / "kernels" / "here").mkdir(parents=True)
    (tmp_path / "kernels" / "here" / "kernel.json").write_text(json.dumps(spec))
    assert "here" in KernelSpecManager(data_dir=str(tmp_path)).find_kernel_specs()
    cells = [
        "import torch\nfrom sphinx_autogradgraph import draw, record, trace\n"
        "X = torch.ones(3, 2)\nw = torch.ones(2, 1, requires_grad=True)",
        "with record():\n    y_hat = torch.mm(X, w)\n    l = y_hat.sum()\ndraw(l)",
        "print([(node.source.file, node.source.line) for node in trace(l).nodes if node.source])",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells])
    nbclient.NotebookClient(notebook, kernel_name="here", timeout=120).execute()
    (shown,) = notebook.cells[1].outputs
    assert ET.fromstring(shown.data["image/svg+xml"]).tag.endswith("svg")
    assert "Leaves: w (2, 1)" in shown.data["text/plain"]
    (printed,) = notebook.cells[2].outputs
    assert printed.text == "[('In [2]', 2), ('In [2]', 3)]\n"


def test_the_difference_of_graphs() -> None:
    w = torch.ones(2, 1, requires_grad=True)
    l = (w**2).sum()
    before = trace(l)
    assert before.diff(before) == []
    l = w.exp().sum()
    assert trace(l).diff(before) == ["ExpBackward0 became PowBackward0"]
