"""The extension in real builds: pages, captions, builders, diagnostics."""

from __future__ import annotations

import json
import re

import pytest

from tests.conftest import LINREG, Build, Elements, Project

CHAIN = "SumBackward0 → DivBackward0 → PowBackward0 → SubBackward0 → AddBackward0 → MmBackward0"

INLINE = """
   import torch
   x = torch.ones(3, requires_grad=True)
   (x * 2).sum()
"""


def linreg_project(project: Project, text: str) -> Project:
    project.write("examples/linreg.py", LINREG)
    project.write("index.rst", text)
    return project


def figures(build: Build, page: str = "index.html") -> list[Elements]:
    parts = re.findall(r"<figure.*?</figure>", build.read(page), flags=re.DOTALL)
    return [Elements(part) for part in parts]


def test_the_main_job(project: Project) -> None:
    linreg_project(
        project,
        """
        Title
        =====

        .. autogradgraph:: examples/linreg.py
           :tensor: l
           :name: the-loss

        See :ref:`the-loss` and :numref:`the-loss`.
        """,
    ).conf("numfig = True")
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    (figure,) = figures(build)
    (element,) = figure.select("figure")
    assert element.attributes == {"class": "autogradgraph align-default", "id": "the-loss"}
    texts = {
        kind: [node.text for node in figure.select("g", "node", kind)]
        for kind in ("leaf", "function", "output")
    }
    assert texts["leaf"] == ["w (2, 1)", "b (1,)"]
    assert [text.split()[0] for text in texts["function"]] == CHAIN.split(" → ")[::-1]
    assert texts["output"] == ["l ()"]
    assert len(figure.select("g", "edge")) == 8
    (svg,) = figure.select("svg", "autogradgraph-svg")
    assert svg.attributes["role"] == "group"
    ids = [found.attributes["id"] for found in figure.all if "id" in found.attributes]
    assert len(ids) == len(set(ids))
    assert set(svg.attributes["aria-labelledby"].split()) <= set(ids)
    (data,) = figure.select("script", "autogradgraph-data")
    graph = json.loads(data.text)
    assert graph["leaves"] == ["w", "b"]
    assert graph["chain"] == CHAIN.split(" → ")
    (caption,) = figure.select("figcaption")
    text = " ".join(caption.text.split())
    assert text.startswith("Fig. 1 Autograd graph of l.")
    assert text.endswith(f"Leaves: w (2, 1), b (1,). grad_fn chain: {CHAIN}.")
    (found,) = figure.select("span", "autogradgraph-summary")
    assert found.text == f"Leaves: w (2, 1), b (1,). grad_fn chain: {CHAIN}."
    page = build.read("index.html")
    assert re.search(r'<a [^>]*href="#the-loss"[^>]*>.*?Autograd graph of l\.', page)
    assert "_static/autogradgraph.css" in page
    assert "_static/autogradgraph.css" not in build.read("genindex.html")


def test_the_options_of_a_figure(project: Project) -> None:
    linreg_project(
        project,
        """
        Title
        =====

        .. autogradgraph:: /examples/linreg.py
           :tensor: l, l.mean()
           :caption: The *loss* and <its> mean.
           :alt: My words.
           :align: right
           :width: 50%
           :class: on-canvas
           :figclass: on-figure
           :direction: LR
           :show: dtype, device
           :include-source:
        """,
    )
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    (figure,) = figures(build)
    assert figure.select("figure", "autogradgraph", "on-figure", "align-right")
    assert figure.select("div", "autogradgraph-canvas", "on-canvas")
    assert figure.select("em")[0].text == "loss"
    assert [node.text for node in figure.select("g", "leaf")] == ["w float32 cpu", "b float32 cpu"]
    assert [node.text for node in figure.select("g", "output")] == [
        "l float32 cpu", "l.mean() float32 cpu",
    ]  # fmt: skip
    assert figure.select("desc")[0].text == "My words."
    assert "width:50%" in figure.select("svg")[0].attributes["style"]
    (summary,) = figure.select("span", "autogradgraph-summary")
    assert summary.text.startswith("Autograd graph of l, l.mean(). Leaves: w (2, 1), b (1,).")
    assert "learning_rate" in Elements(build.read("index.html")).select("pre")[0].text


def test_reference_forms_and_inline_code_in_rst_and_myst(project: Project) -> None:
    project.conf("import sys; sys.path.insert(0, 'lib')")
    project.write(
        "lib/mine.py",
        "import torch\ndef loss():\n    return torch.ones(2, requires_grad=True).sum()\n",
    )
    project.write("up.py", "import torch\nx = torch.ones(2, requires_grad=True)\nl = x * 2\n")
    project.write("index.rst", "Title\n=====\n\n.. toctree::\n\n   sub/page\n   sub/myst\n")
    project.write("sub/local.py", "factor = 3\n")
    project.write(
        "sub/page.rst",
        """
        Page
        ====

        .. autogradgraph:: ../up.py:l

        .. autogradgraph:: mine:loss

        .. autogradgraph::

           import torch, local
           x = torch.ones(2, requires_grad=True)
           y = x * local.factor
        """,
    )
    project.write(
        "sub/myst.md",
        "# MyST\n\n```{autogradgraph} ../up.py\n:tensor: l\n:caption: The *product*.\n```\n\n"
        "```{autogradgraph}\n:include-source: no\nimport torch, local\n"
        "x = torch.ones(2, requires_grad=True)\ny = x * local.factor\n```\n",
    )
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    outputs = [figure.select("g", "output")[0].text for figure in figures(build, "sub/page.html")]
    assert outputs == ["l (2,)", "loss() ()", "y (2,)"]
    assert [figure.select("g", "output")[0].text for figure in figures(build, "sub/myst.html")] == [
        "l (2,)", "y (2,)",
    ]  # fmt: skip
    sources = [Elements(build.read(f"sub/{name}.html")).select("pre") for name in ("page", "myst")]
    assert ["local.factor" in source[0].text for source in sources if source] == [True]
    assert sources[1] == []


FAULTS = {
    "reference": (".. autogradgraph:: missing.py", "there is no file missing.py"),
    "reference-form": (".. autogradgraph:: what is this", "is no reference"),
    "reference-member": (".. autogradgraph:: good.py:absent", "there is no absent in good.py"),
    "reference-nothing": (".. autogradgraph::", "there is no Python code above"),
    "option": (".. autogradgraph:: good.py\n   :direction: sideways", "choose from TB, BT, LR, RL"),
    "option-tensor": (".. autogradgraph:: good.py\n   :tensor: 1 +", "does not parse"),
    "option-show": (".. autogradgraph:: good.py\n   :show: colour", "there is no 'colour'"),
    "option-timeout": (".. autogradgraph:: good.py\n   :timeout: -1", "above 0"),
    "option-both": (f".. autogradgraph:: good.py\n{INLINE}", "not both"),
    "execution": (".. autogradgraph:: bad.py", "bad.py, line 2: ZeroDivisionError"),
    "execution-inline": (".. autogradgraph::\n\n   import torch\n   undefined", "NameError"),
    "execution-tensor": (".. autogradgraph:: good.py\n   :tensor: nobody", "NameError"),
    "timeout": (".. autogradgraph:: slow.py\n   :timeout: 1", "slow.py, line 2: the program did"),
    "crash": (".. autogradgraph:: dead.py", "status 3"),
    "no_graph": (".. autogradgraph:: plain.py", "no autograd graph"),
}


def fault_pages(project: Project) -> None:
    project.write("good.py", "import torch\nx = torch.ones(2, requires_grad=True)\nl = x * 2\n")
    project.write("bad.py", "x = 1\nx / 0\n")
    project.write("slow.py", "import time\ntime.sleep(60)\n")
    project.write("dead.py", "import os\nos._exit(3)\n")
    project.write("plain.py", "import torch\nx = torch.ones(2)\n")
    toctree = "\n".join(f"   {name}" for name in [*FAULTS, "good"])
    project.write("index.rst", f"Title\n=====\n\n.. toctree::\n\n{toctree}\n")
    for name, (text, _) in FAULTS.items():
        caption = (
            "" if "autogradgraph::\n" in text or "not both" in _ else "\n   :name: fig-" + name
        )
        head, _sep, rest = text.partition("\n")
        project.write(f"{name}.rst", f"Title\n=====\n\n\n{head}{caption}\n{rest}\n\nThe rest.\n")
    project.write("good.rst", "Title\n=====\n\n.. autogradgraph:: good.py\n")


def test_every_fault_is_one_typed_warning_at_the_directive(project: Project) -> None:
    fault_pages(project)
    first = project.build("html", "-j", "2")
    assert first.status == 0
    second = project.build("html")  # nothing has changed: the diagnostics come back all the same
    for build in (first, second):
        assert len(build.warnings) == len(FAULTS), build.stderr
        for name, (_, says) in FAULTS.items():
            (warning,) = (found for found in build.warnings if f"/{name}.rst:" in found)
            assert f"/{name}.rst:5: WARNING: " in warning
            assert says in warning.replace("\n", " ")
    for name in FAULTS:
        page = Elements(first.read(f"{name}.html"))
        (diagnostic,) = page.select("div", "autogradgraph-diagnostic")
        assert "could not be drawn" in diagnostic.text
        assert "Autograd graph" in page.select("figcaption")[0].text
        assert "The rest." in first.read(f"{name}.html")
        assert str(project.directory) not in first.read(f"{name}.html")
    assert Elements(first.read("good.html")).select("svg", "autogradgraph-svg")


@pytest.mark.long
def test_faults_fail_a_strict_build_unless_their_type_is_suppressed(project: Project) -> None:
    fault_pages(project)
    kinds = ["execution", "timeout", "crash", "no_graph", "reference", "option"]
    for page in project.directory.glob("*.rst"):
        page.unlink()
    texts = "\n\n".join(FAULTS[kind][0] for kind in kinds)
    project.write("index.rst", f"Title\n=====\n\n{texts}\n")
    strict = project.build("html", "-W", "--keep-going")
    assert (strict.status, len(strict.warnings)) == (1, len(kinds))
    types = [f"autogradgraph.{kind}" for kind in kinds]
    one_left = project.build("html", "-D", f"suppress_warnings={','.join(types[1:])}")
    (warning,) = one_left.warnings
    assert "ZeroDivisionError" in warning
    suppressed = project.build("html", "-W", "-D", f"suppress_warnings={','.join(types)}")
    assert suppressed.status == 0, suppressed.stderr


def test_an_unknown_option_is_an_error_that_names_the_valid_ones(project: Project) -> None:
    project.write("index.rst", "Title\n=====\n\n.. autogradgraph:: x.py\n   :tensr: l\n")
    build = project.build()
    assert 'unknown option: "tensr"; the options are "align", "alt"' in build.stderr
    assert '"width".' in build.stderr


def test_torch_missing_is_one_warning_for_the_whole_build(project: Project) -> None:
    project.write("shadow/torch.py", "raise ModuleNotFoundError('No torch', name='torch')\n")
    project.conf("import os; os.environ['PYTHONPATH'] = os.path.abspath('shadow')")
    project.write(
        "index.rst", f"A\n=\n\n.. autogradgraph::\n{INLINE}\n\n.. toctree::\n\n   b\n   c\n"
    )
    for name in "bc":
        project.write(f"{name}.rst", f"{name}\n=\n\n.. autogradgraph::\n{INLINE}\n")
    for arguments in (["-j", "2"], []):
        build = project.build("html", *arguments)
        (warning,) = build.warnings
        assert "b.rst:4: WARNING: torch is not installed" in warning
        assert "pip install 'sphinx-autogradgraph[torch]'" in warning
        assert "2 more figures" in warning
    assert build.status == 0


def test_torch_stays_out_and_j2_builds_the_same_pages(project: Project) -> None:
    project.conf(
        """
        import sys

        def finished(app, exception):
            print("TORCH", "torch" in sys.modules)

        def setup(app):
            app.connect("build-finished", finished)
        """
    )
    pages = [f"page{index}" for index in range(12)]
    toctree = "\n".join(f"   {page}" for page in pages)
    project.write("index.rst", f"Title\n=====\n\n.. toctree::\n\n{toctree}\n")
    for page in pages:
        project.write(f"{page}.rst", f"{page}\n{'=' * 9}\n\n.. autogradgraph::\n{INLINE * 1}\n")
    one = project.build("html", "-W", "-E", out="one")
    two = project.build("html", "-W", "-E", "-j", "2", out="two")
    assert one.status == two.status == 0, one.stderr + two.stderr
    assert "TORCH False" in one.stdout
    assert "TORCH False" in two.stdout
    for page in ["index", *pages]:
        assert one.read(f"{page}.html") == two.read(f"{page}.html")


MORE_BUILDERS = [
    pytest.param(builder, marks=pytest.mark.long)
    for builder in ("singlehtml", "man", "texinfo", "xml")
]


@pytest.fixture(scope="module")
def built_often(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose doctrees and cache all builders share."""
    project = Project(tmp_path_factory.mktemp("builders") / "docs")
    linreg_project(
        project,
        """
        Title
        =====

        .. autogradgraph:: examples/linreg.py
           :tensor: l
           :name: the-loss

        See :ref:`the-loss`.

        .. toctree::

           other
        """,
    ).write("other.rst", f"Other\n=====\n\n.. autogradgraph::\n{INLINE}\n")
    project.conf("man_pages = [('index', 'x', 'x', [], 1)]\nlatex_engine = 'xelatex'")
    return project


@pytest.mark.xdist_group("other builders")
@pytest.mark.parametrize("builder", ["dirhtml", "text", "latex", *MORE_BUILDERS])
def test_other_builders(built_often: Project, builder: str) -> None:
    build = built_often.build(builder, "-W", "-j", "2")
    assert build.status == 0, build.stderr
    written = {path for path in build.out.rglob("*") if path.is_file()}
    name = {"text": "index.txt", "man": "x.1", "xml": "index.xml"}.get(builder, "index.html")
    path = build.out / name
    if path not in written:
        (path,) = (found for found in written if found.suffix in (".tex", ".texi"))
    text = path.read_text("utf-8")
    assert "MmBackward0" in text
    assert "Leaves" in text
    assert ("<svg" in text) == (builder in ("dirhtml", "singlehtml"))
    assert "autogradgraph-graph" not in text
    if builder == "singlehtml":
        ids = [found.attributes["id"] for found in Elements(text).all if "id" in found.attributes]
        drawn = [id for id in ids if id.startswith("autogradgraph-")]
        assert len(drawn) == len(set(drawn)) > 20


@pytest.mark.parametrize("builder", ["gettext", pytest.param("linkcheck", marks=pytest.mark.long)])
def test_builders_that_need_no_drawing_run_nothing(project: Project, builder: str) -> None:
    project.write(
        "index.rst",
        """
        Title
        =====

        .. autogradgraph::
           :caption: My *words*.

           open("ran", "w").close()
           import torch
           x = torch.ones(3, requires_grad=True)
        """,
    )
    build = project.build(builder, "-W")
    assert build.status == 0, build.stderr
    assert not (project.directory / "ran").exists()
    if builder == "gettext":
        text = next(build.out.glob("*.pot")).read_text()
        assert 'msgid "My *words*."' in text
        assert "torch" not in text
        assert "Autograd" not in text
        return
    # the doctrees are shared: the next builder must not take over what was left out
    html = project.build("html", "-W")
    assert html.status == 0, html.stderr
    assert figures(html)[0].select("svg")


def test_a_changed_script_or_helper_is_drawn_anew(project: Project) -> None:
    project.write("helper.py", "op = 'sin'\n")
    project.write(
        "script.py",
        "import helper, torch\nx = torch.ones(2, requires_grad=True)\ny = getattr(x, helper.op)()\n",
    )
    project.write("index.rst", "Title\n=====\n\n.. autogradgraph:: script.py\n")
    assert "SinBackward0" in project.build("html", "-W").read("index.html")
    project.write("helper.py", "op = 'exp'\n")
    build = project.build("html", "-W")
    assert "ExpBackward0" in build.read("index.html")
    unchanged = project.build("html", "-W")
    assert "0 added, 0 changed, 0 removed" in unchanged.stdout
    assert "configuration has changed" not in unchanged.stdout


@pytest.mark.long
def test_a_mended_page_is_clean(project: Project) -> None:
    project.write("script.py", "1 / 0\n")
    project.write("index.rst", "Title\n=====\n\n.. autogradgraph:: script.py\n")
    assert project.build("html", "-W", "--keep-going").status == 1
    project.write("script.py", "import torch\nx = torch.ones(2, requires_grad=True) * 2\n")
    assert project.build("html", "-W").status == 0
    assert "0 added, 0 changed, 0 removed" in project.build("html", "-W").stdout


@pytest.mark.long
def test_a_module_whose_source_cannot_be_shown(project: Project) -> None:
    path = project.directory / "latin.py"
    path.write_bytes(b"# -*- coding: latin-1 -*-\n# \xe9\nimport torch\n"
                     b"x = torch.ones(2, requires_grad=True)\n")  # fmt: skip
    project.write("index.rst", "Title\n=====\n\n.. autogradgraph:: latin:x\n")
    assert project.build("html", "-W").status == 0  # nobody asks for its source
    project.write("index.rst", "T\n=\n\n.. autogradgraph:: latin:x\n   :include-source:\n")
    build = project.build()
    (warning,) = build.warnings
    assert build.status == 0
    assert "latin.py is not a text in UTF-8" in warning


def test_hostile_names_are_escaped(project: Project) -> None:
    project.write(
        "index.rst",
        """
        Title
        =====

        .. autogradgraph::
           :include-source: no

           import torch
           k = "</script><script>alert(1)</script>]]>"
           held = {k: torch.ones(2, requires_grad=True)}
           out = {"<img src=x onerror=alert(2)>": held[k] * 2}
        """,
    )
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    page = build.read("index.html")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    (data,) = figures(build)[0].select("script", "autogradgraph-data")
    assert json.loads(data.text)["leaves"] == ["held['</script><script>alert(1)</script>]]>']"]


@pytest.mark.long
def test_the_data_of_a_large_graph_stands_in_a_file_of_its_own(project: Project) -> None:
    project.write("index.rst", "Title\n=====\n\n.. toctree::\n\n   sub/page\n")
    code = "   import torch\n   x = y = torch.ones(2, requires_grad=True)\n"
    code += "   for _ in range(2001):\n       y = y * 1.0\n"
    project.write("sub/page.rst", f"Page\n====\n\n.. autogradgraph::\n   :fold: none\n\n{code}")
    for builder, page in (("html", "sub/page.html"), ("dirhtml", "sub/page/index.html")):
        build = project.build(builder, "-W")
        assert build.status == 0, build.stderr
        (figure,) = figures(build, page)
        (data,) = figure.select("script", "autogradgraph-data")
        assert data.text == ""
        file = (build.out / page).parent / data.attributes["data-src"]
        assert len(json.loads(file.read_text("utf-8"))["nodes"]) == 2002
        assert len(figure.select("g", "node")) == 2003
    # It goes with its figure; what belongs to a page that stays as it is, or is not ours, stays.
    project.write("still.rst", ":orphan:\n\nStill\n=====\n")
    directory = project.build("html", "-W").out / "_autogradgraph"
    foreign, still, gone = "notes.js", "autogradgraph-still-1.1.js", "autogradgraph-gone-1.1.js"
    for name in (foreign, still, gone):
        (directory / name).touch()
    project.write("sub/page.rst", "Page\n====\n")
    assert project.build("html", "-W", "-j", "2").status == 0
    assert {path.name for path in directory.iterdir()} == {foreign, still}


def test_system_dot_as_the_engine(project: Project) -> None:
    import shutil

    if shutil.which("dot") is None:
        pytest.skip("needs a system Graphviz")
    project.conf("autogradgraph_layout = 'dot'")
    project.write("index.rst", f"Title\n=====\n\n.. autogradgraph::\n{INLINE}\n")
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    assert figures(build)[0].select("g", "leaf")[0].text == "x (3,)"


@pytest.mark.long
def test_a_layout_that_fails_comes_back_on_every_build(project: Project) -> None:
    project.conf("import os; os.environ['PATH'] = '/nowhere'\nautogradgraph_layout = 'dot'")
    figure = f".. autogradgraph::\n{INLINE}\n"
    project.write("index.rst", f"Title\n=====\n\n{figure}\n{figure}")
    for _ in range(2):
        (warning,) = project.build().warnings  # one fault of the surroundings
        assert "index.rst:4: WARNING: the layout engine dot is not installed" in warning
        assert "(the same for 1 more figures)" in warning


@pytest.mark.long
def test_a_build_that_may_open_few_files_draws_every_figure(project: Project) -> None:
    pytest.importorskip("resource")
    project.conf("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))")
    code = "import torch\n   torch.ones({}, requires_grad=True).sum()\n\n"
    body = "".join(f".. autogradgraph::\n\n   {code.format(size)}" for size in range(1, 13))
    project.write("index.rst", f"Title\n=====\n\n{body}")
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    assert len(figures(build)) == 12


def test_another_module_path_or_flag_of_python_has_pages_read_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.conf("import os, sys; sys.path.insert(0, os.path.abspath(os.environ['WHERE']))")
    project.write("one/helper.py", "def f(x):\n    return x.sin()\n")
    project.write("two/helper.py", "def f(x):\n    return x.exp() if __debug__ else x.cos()\n")
    code = "import torch\n   from helper import f\n   y = f(torch.ones(2, requires_grad=True))\n"
    project.write("index.rst", f"Title\n=====\n\n.. autogradgraph::\n\n   {code}")
    for where, optimize, op in (("one", "", "Sin"), ("two", "", "Exp"), ("two", "1", "Cos")):
        monkeypatch.setenv("WHERE", str(project.directory / where))
        monkeypatch.setenv("PYTHONOPTIMIZE", optimize)
        assert f"{op}Backward0" in project.build().read("index.html")
