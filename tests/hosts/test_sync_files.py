"""``autogradgraph sync``: graphs in text that nothing executes."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphinx_autogradgraph.graph.diff import differences
from sphinx_autogradgraph.hosts.cli import main
from sphinx_autogradgraph.program.fences import Fence
from sphinx_autogradgraph.program.markers import (
    Marker,
    MarkerError,
    lines_of_text,
    markers_and_fences,
)
from sphinx_autogradgraph.render.drawing import Drawing
from sphinx_autogradgraph.render.drawn_graph import graph_in_mermaid, graph_in_svg
from tests.conftest import LINREG
from tests.render.test_drawing import linreg

README = """\
# Title

```python
import torch
w = torch.ones(2, 1, requires_grad=True)
l = (torch.ones(3, 2) @ w).pow(2).sum()
```

1. item

   <!-- autogradgraph tensor="l" direction="LR" -->
   <!-- /autogradgraph -->

````md
<!-- autogradgraph tensor="nothing" -->
<!-- /autogradgraph -->
````

> <!-- autogradgraph reference="code/linreg.py" tensor="l" svg="img/the loss.svg" alt="a {b} [c]" -->
> old
> <!-- /autogradgraph -->

No end of line after this `<!-- autogradgraph -->`"""

MDX = """\
import X from './x'

```py title="a"
import torch
x = torch.ones(2, requires_grad=True)
y = x.exp()
```
{/* autogradgraph tensor="y" */}
{/* /autogradgraph */}
"""


def test_files_are_kept_in_sync(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme, page, bad = (tmp_path / name for name in ("README.md", "page.mdx", "bad.md"))
    readme.write_bytes(README.encode())
    page.write_bytes(MDX.replace("\n", "\r\n").encode())
    bad.write_text("```python\n1 / 0\n```\n<!-- autogradgraph -->\n<!-- /autogradgraph -->\n")
    (tmp_path / "code").mkdir()
    code = tmp_path / "code" / "linreg.py"
    code.write_text(LINREG)
    files = [str(path) for path in (readme, bad, page)]
    everything = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert main(["sync", "--check", *files]) == 1
    told = capsys.readouterr()
    assert f"{readme}:11: there is no graph here yet" in told.out
    assert f"{readme}:19: the drawing is not the one that the code gives" in told.out
    assert f"{page}:8: there is no graph here yet" in told.out
    assert f"{bad}:1: " in told.err
    assert "ZeroDivisionError" in told.err
    assert everything == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert main(["sync", *files]) == 1  # for one of them
    assert bad.read_bytes() == everything[bad]
    text = readme.read_bytes().decode()
    before, _, rest = text.partition('   <!-- autogradgraph tensor="l" direction="LR" -->\n')
    block, _, after = rest.partition("   <!-- /autogradgraph -->\n")
    assert before == README[: len(before)]
    assert block.startswith("\n   ```mermaid\n   flowchart LR\n")
    assert block.endswith("\n   ```\n\n")
    alt = "a \\{b\\} \\[c\\]"
    assert after == README.partition("   <!-- /autogradgraph -->\n")[2].replace(
        "> old\n", f">\n> ![{alt}](img/the%20loss.svg)\n>\n"
    )
    assert (tmp_path / "img" / "the loss.svg").read_text("utf-8").count("<g class=") > 10
    assert page.read_bytes().count(b"\r\n") == page.read_bytes().count(b"\n")
    assert b"```mermaid\r\nflowchart TB\r\n" in page.read_bytes()

    capsys.readouterr()
    assert main(["sync", "--check", str(readme), str(page)]) == 0
    assert capsys.readouterr().out == ""

    readme.write_text(readme.read_text("utf-8").replace(".pow(2)", ".exp()"), "utf-8")
    code.write_text(LINREG.replace("** 2", "** 2 * 3"))
    page.write_bytes(page.read_bytes().replace(b".exp()", b".tanh()"))
    assert main(["sync", "--check", str(readme), str(page)]) == 1
    told = capsys.readouterr()
    assert "ExpBackward0 became TanhBackward0" in told.out  # also with the line ends of Windows
    assert "PowBackward0 became ExpBackward0" in told.out
    assert "MulBackward0 is new" in told.out


def test_never_means_that_sync_runs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.autogradgraph]\nexecution = "never"\n')
    page = tmp_path / "page.mdx"
    page.write_text(MDX.replace("import torch", "open('ran', 'w')"))
    assert main(["sync", str(page)]) == 1
    assert "execution is 'never'" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.mdx", "pyproject.toml"]


@pytest.mark.parametrize("what", ["<svg>the author's own</svg>\n", "a pipe", "a directory", ""])
def test_a_file_that_is_no_drawing_of_ours_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    page, logo = tmp_path / "page.mdx", tmp_path / "logo.svg"
    page.write_text(MDX.replace('tensor="y"', 'tensor="y" svg="logo.svg"'))
    if what == "a pipe":
        os.mkfifo(logo)
    elif what == "a directory":
        logo.mkdir()
    else:
        logo.write_text(what)
    before = page.read_text(), logo.stat().st_ino
    assert main(["sync", str(page)]) == (1 if what else 0)
    if what:
        assert "logo.svg is no drawing of autogradgraph" in capsys.readouterr().err
        assert (page.read_text(), logo.stat().st_ino) == before
    else:
        assert main(["sync", str(page)]) == 0  # over its own


def test_what_is_no_place_for_a_graph_says_so_at_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text, says in (
        ("a\n<!-- /autogradgraph -->\n", ":2: nothing is open"),
        (
            "<!-- autogradgraph -->\n\n<!-- autogradgraph -->\n<!-- /autogradgraph -->\n",
            ":1: no comment",
        ),
        ("<!-- autogradgraph seed=1 ; -->\n<!-- /autogradgraph -->\n", ":1: cannot read ';'"),
        ('<!-- autogradgraph tenor="l" -->\n<!-- /autogradgraph -->\n', "there is no option tenor"),
        ('<!-- autogradgraph show="l" -->\n<!-- /autogradgraph -->\n', ":show: cannot be 'l'"),
        ('<!-- autogradgraph svg="l.png" -->\n<!-- /autogradgraph -->\n', "does not end in .svg"),
        ("<!-- autogradgraph -->\n<!-- /autogradgraph -->\n", "no Python code above"),
    ):
        file = tmp_path / "a.md"
        file.write_text(text)
        assert main(["sync", str(file)]) == 1
        assert says in capsys.readouterr().err
        assert file.read_text() == text
    os.mkfifo(tmp_path / "pipe.md")
    for name, says in (("none.md", "No such file"), ("pipe.md", "it is no regular file")):
        assert main(["sync", str(tmp_path / name)]) == 1
        assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "    <!-- autogradgraph -->\n    <!-- /autogradgraph -->\n",
        "~~~~ x'y\n<!-- autogradgraph -->\n~~~\n<!-- /autogradgraph -->\n~~~~~~\n",
        "  ```\nless\n<!-- autogradgraph -->\n```\n",
        "see <!-- autogradgraph --> <!-- /autogradgraph -->\n",
        "<!-- autogradgraph-skip -->\n",
        "> ```\n> <!-- autogradgraph -->\n",
        "```\n<!-- autogradgraph -->\n",
    ],
)
def test_comments_in_code_are_text(text: str) -> None:
    lines = text.splitlines()
    assert not [item for item in markers_and_fences(lines) if isinstance(item, Marker)]


@pytest.mark.parametrize(
    "text",
    [
        "- item\n\n      <!-- autogradgraph -->\n      <!-- /autogradgraph -->\n",
        "> ```\n> code\n\n<!-- autogradgraph -->\n<!-- /autogradgraph -->\n",
        "- ```js\n  x\n  ```\n\n<!--autogradgraph-->\n<!--/autogradgraph-->\n",
        "```\n<!-- autogradgraph -->\n````\n<!-- autogradgraph -->\n<!-- /autogradgraph -->\n",
        "\ufeff<!-- autogradgraph -->\n<!-- /autogradgraph -->\n",
    ],
)
def test_comments_outside_of_code_are_places(text: str) -> None:
    items = markers_and_fences(text.splitlines())
    assert len([item for item in items if isinstance(item, Marker)]) == 1


def test_what_stands_between_the_comments_is_no_program() -> None:
    text = "<!-- autogradgraph -->\n```python\n1 / 0\n```\n<!-- /autogradgraph -->\n"
    assert not [item for item in markers_and_fences(text.splitlines()) if isinstance(item, Fence)]


@given(st.text(alphabet=st.sampled_from("ab`~>-<! \n\r\t\x0b\u2028{}*/") | st.characters()))
def test_lines_are_the_text_and_no_text_is_too_much(text: str) -> None:
    lines = lines_of_text(text)
    assert "".join(lines) == text
    assert all(line.rstrip("\r\n").count("\n") == 0 for line in lines)
    try:
        markers_and_fences([line.rstrip("\r\n") for line in lines])
    except MarkerError:
        assert "autogradgraph" in text


def test_a_drawing_is_read_back_as_far_as_words_go() -> None:
    graph = linreg("w#1 (x)")
    drawing = Drawing(graph)
    for found in (graph_in_mermaid(drawing.mermaid), graph_in_svg(drawing.svg)):
        assert found is not None
        assert found.chain == graph.chain
        assert [output.name for output in found.outputs] == ["l"]
        assert len(found.edges) == len(graph.edges)
        assert [node.outputs[0].shape for node in found.nodes] == [
            node.outputs[0].shape for node in graph.nodes
        ]
        assert found.leaves == ("w#1 (x)", "b")
    other = graph_in_mermaid(Drawing(linreg("v")).mermaid)
    mine = graph_in_mermaid(Drawing(linreg("w")).mermaid)
    assert mine is not None
    assert other is not None
    assert differences(mine, other) == ["leaf w became leaf v"]
    assert graph_in_mermaid("flowchart TB\n a --> b\n") is None
    assert graph_in_svg("<svg") is None


@pytest.mark.parametrize(
    ("error", "said"),
    [(errno.ENOSPC, "autogradgraph: [Errno 28] No space left on device\n"), (errno.EPIPE, "")],
)
def test_standard_output_that_cannot_be_written_is_no_traceback(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: int,
    said: str,
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(error, os.strerror(error))

    (tmp_path / "a.md").write_text("text\n")
    monkeypatch.setattr(sys, "stdout", Full())
    assert main(["sync", str(tmp_path / "a.md")]) == 1
    assert capsys.readouterr().err == said
