"""The custom fence of SuperFences, as its hosts call it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from sphinx_autogradgraph import Graph
from sphinx_autogradgraph.hosts.markdown import site as sites
from sphinx_autogradgraph.markdown import formatter, validator
from sphinx_autogradgraph.program.fences import Fence, fences
from tests.conftest import LINREG, Elements

markdown = pytest.importorskip("markdown")
superfences = pytest.importorskip("pymdownx.superfences")

CODE = "import torch\nx = torch.ones(3, requires_grad=True)\ny = (x * 2).exp()\n"


class Writer:
    """A directory with a page, and what Python-Markdown makes of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.fences = [
            {"name": name, "class": name, "format": formatter, "validator": validator}
            for name in ("autogradgraph", "autogradgraph-setup")
        ]

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")

    def convert(self, text: str) -> Elements:
        html = markdown.markdown(
            textwrap.dedent(text),
            extensions=["pymdownx.superfences", "admonition", "attr_list"],
            extension_configs={"pymdownx.superfences": {"custom_fences": self.fences}},
        )
        return Elements(html)

    def settings(self, text: str) -> None:
        self.write("pyproject.toml", f"[tool.autogradgraph]\n{textwrap.dedent(text)}")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sphinx_autogradgraph", *arguments],
            cwd=self.directory, capture_output=True, text=True, timeout=120,
        )  # fmt: skip


@pytest.fixture
def writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sites, "_sites", {})
    (tmp_path / "mkdocs.yml").write_text("site_name: x\n")
    yield Writer(tmp_path)
    for site in sites._sites.values():
        site.close()


def graphs(page: Elements) -> list[Graph]:
    return [Graph.from_json(script.text) for script in page.select("script", "autogradgraph-data")]


def test_a_figure_from_a_file(writer: Writer) -> None:
    writer.write("examples/linreg.py", LINREG)
    page = writer.convert(
        """
        # Title

        ```autogradgraph reference="examples/linreg.py" tensor="l" name="loss" caption="The *loss* & `l`."
        ```
        """
    )
    (figure,) = page.select("figure", "autogradgraph")
    assert not any('"nodes"' in paragraph.text for paragraph in page.select("p"))  # is in none
    assert figure.attributes["id"] == "loss"
    assert figure.classes == ["autogradgraph", "align-default"]
    (graph,) = graphs(page)
    assert graph.leaves == ("w", "b")
    assert next(source.file for source in (node.source for node in graph.nodes) if source) == (
        "examples/linreg.py"
    )
    (caption,) = page.select("span", "caption-text")
    assert caption.text == "The loss & l."
    assert "loss" in [element.text for element in page.select("em")]
    (summary,) = page.select("span", "autogradgraph-summary")
    assert summary.text.startswith("Autograd graph of l. Leaves: w (2, 1), b (1,).")
    assert len(page.select("svg", "autogradgraph-svg")) == 1
    assert page.select("link")[0].attributes["href"].startswith("data:text/css")


def test_code_of_its_own_is_shown_and_linked(writer: Writer) -> None:
    page = writer.convert(f"```autogradgraph table='tensors nodes'\n{CODE}```\n")
    (graph,) = graphs(page)
    assert graph.chain == ("ExpBackward0", "MulBackward0")
    ids = {element.attributes.get("id") for element in page.all}
    links = list(page.select("a", "line"))
    assert links
    assert {link.attributes["href"][1:] for link in links} <= ids
    assert len(page.select("table")) == 2
    hidden = writer.convert(f"```autogradgraph include_source='no'\n{CODE}```\n")
    assert hidden.select("a", "line") == []


def test_the_page_is_the_program(writer: Writer) -> None:
    page = writer.convert(
        """
        ```autogradgraph-setup
        import torch
        factor = 2
        ```

        ```python
        x = torch.ones(3, requires_grad=True)
        y = x * factor
        ```

        !!! note

            ```autogradgraph tensor="y"
            ```

        ```{.python .autogradgraph-skip}
        y = None
        ```

        ```pycon
        >>> y = y.exp()
        ```

        ```{.autogradgraph #second .wide tensor="y, x * 3" include-source="no"}
        ```

        ```autogradgraph context="yes"
        z = y.sum()
        ```
        """
    )
    first, second, third = graphs(page)
    assert first.chain == ("MulBackward0",)
    assert second.chain == ("ExpBackward0", "MulBackward0")
    assert [output.name for output in second.outputs] == ["y", "x * 3"]
    assert third.chain == ("SumBackward0", "ExpBackward0", "MulBackward0")
    figures = page.select("figure", "autogradgraph")
    assert figures[1].attributes["id"] == "second"
    assert "wide" in figures[1].classes
    assert "factor = 2" not in "".join(element.text for element in page.all)
    assert len(list(page.select("link"))) == 1  # with the first figure


@pytest.mark.parametrize(
    ("fence", "line", "kind", "words"),
    [
        ('```autogradgraph\n1 / 0\n```', 3, "execution", "ZeroDivisionError"),
        ('```autogradgraph reference="gone.py"\n```', 3, "reference", "there is no file gone.py"),
        ('```autogradgraph tensr="l"\nx = 1\n```', 3, "option", "there is no option tensr"),
        ('```autogradgraph depth="0"\nx = 1\n```', 3, "option", "whole number from 1"),
        ('```autogradgraph reference="a.py"\nx = 1\n```', 3, "option", "not both"),
        ('```autogradgraph tensor="l"\n```', 3, "reference", "no Python code above"),
        ('```autogradgraph\nx = 1\n```', 3, "no_graph", "holds no tensor"),
        ('```python\nimport os\nos._exit(3)\n```\n\n```autogradgraph\n```', 3, "crash", "status 3"),
        ('```autogradgraph timeout="1"\nwhile True: pass\n```', 3, "timeout", "1 seconds"),
    ],
)  # fmt: skip
def test_a_fault(
    writer: Writer, caplog: pytest.LogCaptureFixture, fence: str, line: int, kind: str, words: str
) -> None:
    page = writer.convert(f"# Title\n\n{fence}\n\nThe end.\n")
    (record,) = caplog.records
    assert record.name == "mkdocs.plugins.sphinx_autogradgraph"
    text = record.getMessage()
    assert text.startswith(f"page:{line}: ")
    assert words in text
    assert text.endswith(f"[autogradgraph.{kind}]")
    (figure,) = page.select("figure", "autogradgraph")
    assert "could not be drawn" in figure.text
    assert page.select("p")[-1].text == "The end."
    # In a strict build it is the end, by the only exception that SuperFences lets pass.
    writer.settings("strict = true")
    sites._sites.clear()
    with pytest.raises(superfences.SuperFencesException, match=r"page:\d+: "):
        writer.convert(f"# Title\n\n{fence}\n\nThe end.\n")


def test_text_that_misbehaves(writer: Writer) -> None:
    page = writer.convert(
        """
        ```autogradgraph name='"><script>alert(1)</script>' figclass='"><b>'
        import torch
        held = {"</script><script>alert(2)</script>": torch.ones(2, requires_grad=True)}
        y = sum(held.values()).sum()
        ```
        """
    )
    assert not any("alert" in script.text[:20] for script in page.select("script"))
    (graph,) = graphs(page)
    assert graph.leaves[0] is not None
    assert "alert(2)" in graph.leaves[0]


def test_settings_that_are_wrong(writer: Writer, caplog: pytest.LogCaptureFixture) -> None:
    for text, words in (
        ("timeot = 3", "unknown setting timeot; the settings are show"),
        ("timeout = 'long'", "timeout cannot be 'long'"),
        ("execution = 'sometimes'", "execution cannot be 'sometimes'"),
        ("memory = true", "memory cannot be True"),
        ("= 3", "pyproject.toml cannot be read"),
    ):
        caplog.clear()
        sites._sites.clear()
        writer.settings(text)
        page = writer.convert(f"```autogradgraph\n{CODE}```\n")
        (record,) = caplog.records
        assert words in record.getMessage()
        assert str(writer.directory) not in record.getMessage()
        assert len(graphs(page)) == 1


def test_settings(writer: Writer, caplog: pytest.LogCaptureFixture) -> None:
    writer.write("src/mine.py", "def double(x):\n    return x * 2\n")
    writer.settings(
        """
        show = "dtype"
        path = ["src"]
        cache = "kept"
        environment = []
        """
    )
    page = writer.convert(f"```autogradgraph\n{CODE}from mine import double\ny = double(y)\n```\n")
    assert caplog.records == []
    assert "float32" in page.select("svg")[0].text
    assert list((writer.directory / "kept").rglob("*.json.gz"))


def test_nothing_runs_where_nothing_changed(writer: Writer) -> None:
    runs = writer.directory / "runs"
    text = f"```autogradgraph\n{CODE}open({str(runs)!r}, 'a').write('x')\n```\n"
    first = writer.convert(text)
    for site in sites._sites.values():
        site.close()
    sites._sites.clear()
    assert [graph.to_json() for graph in graphs(writer.convert(text))] == [
        graph.to_json() for graph in graphs(first)
    ]
    assert runs.read_text() == "x"


def test_without_running(writer: Writer, caplog: pytest.LogCaptureFixture) -> None:
    writer.settings("execution = 'never'")
    page = writer.convert(f"```autogradgraph\n{CODE}```\n\n```autogradgraph\n{CODE}1\n```\n")
    (record,) = caplog.records  # one for the whole site
    assert "nothing is run" in record.getMessage()
    assert len([f for f in page.select("figure") if "could not be drawn" in f.text]) == 2


@pytest.mark.long
def test_check_and_update(writer: Writer) -> None:
    writer.write(
        "docs/guide/a.md",
        f"---\ntitle: A\n---\n\n# A\n\n```autogradgraph name='y'\n{CODE}```\n",
    )
    writer.write("docs/.hidden/b.md", "```autogradgraph\n1 / 0\n```\n")
    none = writer.command("check", "docs")
    assert none.returncode == 2
    assert "set snapshots in [tool.autogradgraph]" in none.stderr
    writer.settings("snapshots = 'graphs'")
    missing = writer.command("check", "docs")
    assert missing.returncode == 1
    assert (
        "docs/guide/a.md:7: WARNING: there is no snapshot graphs/guide/a.y.json" in missing.stdout
    )
    updated = writer.command("update", ".")
    assert updated.returncode == 0, updated.stderr
    assert "new: graphs/guide/a.y.json" in updated.stdout
    assert writer.command("check", "docs").returncode == 0
    page = writer.directory / "docs/guide/a.md"
    page.write_text(page.read_text().replace(".exp()", ".sin()"))
    drifted = writer.command("check", ".")
    assert drifted.returncode == 1
    assert "docs/guide/a.md:10  ExpBackward0 became SinBackward0" in drifted.stdout
    page.write_text(page.read_text().replace(".sin()", ".sin() / nothing"))
    failed = writer.command("check", ".")
    assert failed.returncode == 1
    assert "docs/guide/a.md:7: docs/guide/a.md, line 10: NameError" in failed.stdout
    page.unlink()
    page.with_name("c.md").write_text("# C\n")
    writer.settings("snapshots = 'graphs'\nexecution = 'never'")
    refused = writer.command("update", ".")
    assert refused.returncode == 2
    assert "execution is 'never'" in refused.stderr
    writer.settings("snapshots = 'graphs'")
    orphan = writer.command("check", ".")
    assert "no figure has the snapshot graphs/guide/a.y.json" in orphan.stdout
    writer.write("other/d.md", "# D\n")  # another site of the project
    assert "removed" not in writer.command("update", "other").stdout
    assert "removed: graphs/guide/a.y.json" in writer.command("update", ".").stdout
    assert writer.command("check", str(writer.directory / "nowhere")).returncode == 2


@pytest.mark.long
def test_snippets_are_part_of_the_page_that_is_checked(writer: Writer) -> None:
    writer.write("code.py", CODE)
    writer.write(
        "docs/a.md", '```python\n--8<-- "code.py"\n```\n\n```autogradgraph tensor="y"\n```\n'
    )
    writer.settings("snapshots = 'graphs'")
    assert writer.command("update", "docs").returncode == 0
    graph = Graph.from_json((writer.directory / "graphs/a.1.json").read_text())
    assert graph.chain == ("ExpBackward0", "MulBackward0")


def test_the_fences_of_a_page() -> None:
    text = textwrap.dedent(
        """
        ```python title="a `b`" linenums="1"
        x = 1
        ```
        ````markdown
        ```autogradgraph
        ```
        ````
        - list

            ~~~ {.autogradgraph #id .one tensor="a b" depth=2 include-source}
            code
              more

            ~~~
        > ```autogradgraph
        > quoted
        > ```
        ```inline```
        ```autogradgraph include-source="yes" tensor="l"
        ```
        ```not closed
        """
    ).split("\n")
    found = list(fences(text))
    assert [(fence.language, fence.line) for fence in found] == [
        ("python", 2), ("markdown", 5), ("autogradgraph", 11), ("autogradgraph", 16),
        ("autogradgraph", 20),
    ]  # fmt: skip
    assert found[2] == Fence(
        "autogradgraph",
        {"tensor": "a b", "depth": "2", "include-source": ""},
        "code\n  more",
        "id",
        ("one",),
    )
    assert found[3].body == "quoted"
    assert found[4].header
    assert not found[2].header


@pytest.mark.long
def test_a_site_below_a_hidden_directory_is_checked(writer: Writer) -> None:
    writer.write(".work/site/mkdocs.yml", "site_name: x\n")
    writer.write(".work/site/pyproject.toml", "[tool.autogradgraph]\nsnapshots = 'graphs'\n")
    writer.write(".work/site/docs/a.md", f"```autogradgraph\n{CODE}```\n")
    updated = writer.command("update", ".work/site")
    assert updated.returncode == 0, updated.stderr
    assert "new: graphs/a.1.json" in updated.stdout
