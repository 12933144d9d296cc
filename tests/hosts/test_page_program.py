"""The page as program: blocks in one namespace, graphs at their places, links both ways."""

from __future__ import annotations

import json
import re
import textwrap

import pytest

from tests.conftest import Build, Elements, Project

TITLE = "Title\n=====\n\n"


def page(project: Project, text: str, name: str = "index.rst") -> Build:
    project.write(name, TITLE + textwrap.dedent(text))
    return project.build("html", "-W", "--keep-going")


def figures(build: Build, name: str = "index.html") -> list[Elements]:
    parts = re.findall(r"<figure.*?</figure>", build.read(name), flags=re.DOTALL)
    return [Elements(part) for part in parts]


def graphs(build: Build, name: str = "index.html") -> list[dict[str, object]]:
    return [
        json.loads(figure.select("script", "autogradgraph-data")[0].text)
        for figure in figures(build, name)
    ]


def test_a_page_is_one_program_and_each_graph_sees_its_place(project: Project) -> None:
    (project.directory / "part.py").write_text("def triple(x):\n    return x * 3\n")
    build = page(
        project,
        """
        .. autogradgraph-setup::

           import torch
           open("runs", "a").write("x")

        .. code-block:: python

           x = torch.ones(2, requires_grad=True)
           y = x * 2

        .. autogradgraph::
           :tensor: y

        .. code-block:: console

           $ this is not Python

        .. code-block:: python
           :class: autogradgraph-skip

           raise SystemExit("left out")

        .. container:: autogradgraph-skip

           .. code-block:: py

              raise SystemExit("left out as well")

        .. literalinclude:: part.py

        >>> y = triple(y).exp()
        >>> y.shape
        torch.Size([2])

        .. code-block:: python
           :force:

           %matplotlib inline
           y = y.sum()
           !pip install torch

        .. highlight:: python

        ::

           z = y.log()

        .. autogradgraph::
           :context:

           z = z * 1

        .. autogradgraph::
           :tensor: y

        .. code-block:: python

           raise SystemExit("below all graphs")
        """,
    )
    assert build.status == 0, build.stderr
    chains = [graph["chain"] for graph in graphs(build)]
    chain = ["SumBackward0", "ExpBackward0", "MulBackward0", "MulBackward0"]
    assert chains == [["MulBackward0"], ["MulBackward0", "LogBackward0", *chain], chain]
    assert (project.directory / "runs").read_text() == "x"  # it ran once
    assert "autogradgraph-setup" not in build.read("index.html")


@pytest.mark.long
def test_before_and_after_a_training_loop(project: Project) -> None:
    build = page(
        project,
        """
        .. code-block:: python

           import torch
           w = torch.ones(2, requires_grad=True)
           l = (w * 2).sum()

        .. autogradgraph::
           :tensor: l

        .. code-block:: python

           for step in range(3):
               l = ((w * 2).sum() - 1) ** 2
               l.backward()
               with torch.no_grad():
                   w -= 0.1 * w.grad
                   w.grad.zero_()

        .. autogradgraph::
           :tensor: l
        """,
    )
    assert build.status == 0, build.stderr
    before, after = (graph["chain"] for graph in graphs(build))
    assert before == ["SumBackward0", "MulBackward0"]
    assert after == ["PowBackward0", "SubBackward0", "SumBackward0", "MulBackward0"]


def test_an_error_in_the_third_block_is_reported_there_once(project: Project) -> None:
    text = """
        .. code-block:: python

           import torch
           x = torch.ones(2, requires_grad=True)

        .. code-block:: python

           y = x * 2

        .. autogradgraph::
           :tensor: y

        .. code-block:: python
           :caption: The third

           z = y + 1
           z = y + nobody

        .. autogradgraph::
           :tensor: y

        .. autogradgraph::
           :tensor: z
           :name: the-third
        """
    build = page(project, text)
    again = project.build("html")
    assert build.status == 1
    assert again.status == 0
    for stderr in (build, again):
        (warning,) = stderr.warnings
        assert re.search(r"index\.rst:17: WARNING: index\.rst, line 21: NameError", warning), (
            warning
        )
        assert 'File "index.rst", line 21, in <module>\n      z = y + nobody' in warning
    first, second, third = figures(build)
    assert first.select("svg")
    for figure in (second, third):
        (diagnostic,) = figure.select("div", "autogradgraph-diagnostic")
        assert "could not be drawn: index.rst, line 21: NameError" in diagnostic.text
    assert third.all[0].attributes["id"] == "the-third"


@pytest.mark.long
def test_a_crash_of_the_page_is_reported_once(project: Project) -> None:
    build = page(
        project,
        """
        .. code-block:: python

           import torch, os
           x = torch.ones(2, requires_grad=True)
           os._exit(4)

        .. autogradgraph::

        .. autogradgraph::
           :tensor: x
        """,
    )
    (warning,) = build.warnings
    assert "status 4" in warning
    assert len(Elements(build.read("index.html")).select("div", "autogradgraph-diagnostic")) == 2


def test_thirty_blocks_and_ten_graphs_run_once(project: Project) -> None:
    parts = [
        "\n.. code-block:: python\n\n   import torch\n   x = torch.ones(2, requires_grad=True)\n"
    ]
    for index in range(29):
        parts.append(
            f"\n.. code-block:: python\n\n   open('runs', 'a').write('{index} ')\n   x = x * 2\n"
        )
        if index % 3 == 1:
            parts.append("\n.. autogradgraph::\n   :tensor: x\n")
    project.write("index.rst", TITLE + "".join(parts))
    build = project.build("html", "-W")
    assert build.status == 0, build.stderr
    found = graphs(build)
    assert len(found) == 10
    assert [len(graph["chain"]) for graph in found] == [2 + 3 * index for index in range(10)]  # type: ignore[arg-type]
    ran = (project.directory / "runs").read_text().split()
    assert ran == [str(index) for index in range(29)]


EXAMPLE_RST = """
Title
=====

.. code-block:: python

   import torch
   x = torch.ones(2, requires_grad=True)

.. autogradgraph-setup::

   factor = 2

>>> y = x * factor

.. literalinclude:: part.py
   :language: python

.. autogradgraph::
   :tensor: y
   :name: the-graph
   :caption: The *product*.
   :table: tensors, nodes
   :show: shape inputs calls order

.. autogradgraph::
   :context:
   :include-source: yes

   z = y.sum()

See :numref:`the-graph`.
"""

EXAMPLE_MYST = """
# Title

```python
import torch
x = torch.ones(2, requires_grad=True)
```

```{autogradgraph-setup}
factor = 2
```

```{eval-rst}
>>> y = x * factor
```

```{literalinclude} part.py
:language: python
```

```{autogradgraph}
:tensor: y
:name: the-graph
:caption: The *product*.
:table: tensors, nodes
:show: shape inputs calls order
```

```{autogradgraph}
:context:
:include-source: yes

z = y.sum()
```

See {numref}`the-graph`.
"""


def test_rest_and_myst_give_the_same_doctree(project: Project) -> None:
    texts = []
    for name, text in (("index.rst", EXAMPLE_RST), ("index.md", EXAMPLE_MYST)):
        for old in project.directory.glob("index.*"):
            old.unlink()
        project.write("part.py", "w = torch.ones(2, requires_grad=True)\ny = y * w\n")
        project.write(name, text)
        project.conf("numfig = True\ninclude_patterns = ['index.*']")
        build = project.build("pseudoxml", "-W", "-E", out=name)
        assert build.status == 0, build.stderr
        found = build.read("index.pseudoxml")
        html = project.build("html", "-W", out=f"{name}-html")
        assert html.status == 0, html.stderr
        svgs = re.findall(r"<svg.*?</svg>", html.read("index.html"), flags=re.DOTALL)
        assert len(svgs) == 2
        found = re.sub(
            r" (source|xml:space|names|ids|language|force)=('.*?'|\".*?\"|\w+)", "", found
        )
        found = found[found.index("<figure") : found.index("<literal_block", found.index("z ="))]
        # the line numbers of the two documents differ, in the drawings as in the tables
        plain = [re.sub(r"line \d+|#[\w-]+-\d+\"", "", svg) for svg in svgs]
        texts.append((re.sub(r"index\.\w+:\d+", "", found), plain))
    assert texts[0] == texts[1]


def line_of(build: Build, link: str) -> str:
    """The text of the line of code to which a link leads."""
    (element,) = (
        found
        for found in Elements(build.read("index.html")).all
        if found.attributes.get("id") == link.removeprefix("#")
    )
    return element.text.rstrip("\n")


def links(figure: Elements, build: Build) -> dict[str, str]:
    """The line of code to which each node's link leads, by the node's operation."""
    found = {}
    open_node = None
    for element in figure.all:
        if element.tag == "g" and "node" in element.classes:
            open_node = element.text.split()[0]
        elif element.tag == "a" and "line" in element.classes and open_node:
            found[open_node] = line_of(build, element.attributes["href"])
    return found


@pytest.mark.long
def test_nodes_link_to_their_lines_wherever_they_stand(project: Project) -> None:
    project.write(
        "part.py",
        """\
        # A file of which parts are shown.
        def first(x):
            h = x.sin()
            return h.cos()

        secret = 1

        def second(x):
            return x.exp()
        """,
    )
    build = page(
        project,
        """
        .. code-block:: python
           :lineno-start: 40

           import torch
           x = torch.ones(2, requires_grad=True)

        .. literalinclude:: part.py
           :lines: 2-4, 8-
           :lineno-start: 7

        .. literalinclude:: part.py
           :lines: 3-4
           :dedent:
           :language: python
           :class: autogradgraph-skip

        >>> a = first(x)
        >>> for _ in range(1):
        ...     b = second(a)

        .. code-block:: python
           :linenos:
           :caption: With numbers

           c = b.tanh()

        .. autogradgraph::
           :context:
           :name: all-of-it

           d = c.log()
           d = d.sqrt()
        """,
    )
    assert build.status == 0, build.stderr
    (figure,) = figures(build)
    found = links(figure, build)
    assert found["SinBackward0"] == "h = x.sin()"  # the nearest above, without its numbers
    assert found["CosBackward0"] == "return h.cos()"
    assert found["ExpBackward0"].endswith("    return x.exp()")
    assert found["TanhBackward0"].endswith("c = b.tanh()")
    assert found["LogBackward0"] == "d = c.log()"
    assert found["SqrtBackward0"] == "d = d.sqrt()"
    ids = re.findall(r' id="([^"]+)"', build.read("index.html"))
    assert len(ids) == len(set(ids))


@pytest.mark.long
def test_a_script_that_is_shown_is_linked_too(project: Project) -> None:
    project.write("script.py", "import torch\nx = torch.ones(2, requires_grad=True)\ny = x * 2\n")
    build = page(
        project,
        """
        .. autogradgraph:: script.py

        .. autogradgraph:: script.py
           :include-source:

        .. autogradgraph::

           import torch
           v = torch.ones(2, requires_grad=True)
           v.exp()
        """,
    )
    assert build.status == 0, build.stderr
    first, second, third = figures(build)
    assert links(first, build) == links(second, build) == {"MulBackward0": "y = x * 2"}
    assert links(third, build) == {"ExpBackward0": "v.exp()"}


def write_inventory(project: Project) -> None:
    """An inventory in Sphinx' own format, made by Sphinx itself."""
    other = Project(project.directory.parent / "torch-docs")
    other.write("conf.py", "project = 'PyTorch'\nversion = '2.13'\n")
    other.write(
        "index.rst",
        """
        PyTorch
        =======

        .. py:module:: torch
        .. py:function:: mm(a, b)
        .. py:function:: add(a, b)
        .. py:class:: Tensor

           .. py:method:: sum()
        """,
    )
    assert other.build("html").status == 0


@pytest.mark.long
def test_operations_link_to_their_documentation(project: Project) -> None:
    write_inventory(project)
    inventory = project.directory.parent / "torch-docs/_build/html/objects.inv"
    project.conf(
        f"""
        extensions.append("sphinx.ext.intersphinx")
        intersphinx_mapping = {{"torch": ("https://torch.example/docs", {str(inventory)!r})}}
        nitpicky = True
        """
    )
    text = """
        .. code-block:: python

           import torch
           w = torch.ones(2, 2, requires_grad=True)
           out = (torch.mm(w, w) + w).exp().sum()

        .. autogradgraph::
           :table: nodes
        """
    build = page(project, text)
    assert build.status == 0, build.stderr
    (figure,) = figures(build)
    calls = {
        element.text: element.attributes["href"].rpartition("/")[2]
        for element in figure.select("a", "call")
    }
    assert calls == {
        "MmBackward0": "index.html#torch.mm",
        "AddBackward0": "index.html#torch.add",  # no torch.Tensor.add is documented there
        "SumBackward0": "index.html#torch.Tensor.sum",
    }
    assert all(
        element.attributes["href"].startswith("https://torch.example/docs/")
        for element in figure.select("a", "call")
    )
    nodes = Elements(build.read("index.html"))
    assert "https://torch.example/docs/index.html#torch.mm" in [
        element.attributes.get("href") for element in nodes.select("a", "reference", "external")
    ]
    assert links(figure, build)["ExpBackward0"].endswith(".exp().sum()")
    # and silent without a mapping
    project.conf("nitpicky = True")
    plain = page(project, text)
    assert plain.status == 0, plain.stderr
    assert figures(plain)[0].select("a", "call") == []


@pytest.mark.long
def test_the_tables(project: Project) -> None:
    text = """
        .. code-block:: python

           import torch
           X = torch.ones(3, 2)
           w = torch.ones(2, 1, requires_grad=True)
           y_hat = torch.mm(X, w)
           l = y_hat.sum()

        .. autogradgraph::
           :tensor: l
           :table: tensors nodes
        """
    build = page(project, text)
    assert build.status == 0, build.stderr
    tables = Elements(build.read("index.html")).select("table", "autogradgraph-table")
    cells = [[line.split() for line in table.text.strip().split("\n\n\n")] for table in tables]
    assert [" ".join(table.text.split()) for table in tables] == [
        "tensor shape is_leaf requires_grad grad_fn "
        "X (3, 2) True False None w (2, 1) True True None "
        "y_hat (3, 1) False True MmBackward0 l () False True SumBackward0",
        "node operation shape line inputs 0 leaf w (2, 1) "
        "1 MmBackward0 y_hat (3, 1) index.rst:10 0 w "
        "2 SumBackward0 l () index.rst:11 1 y_hat",
    ]
    assert cells
    page_html = Elements(build.read("index.html"))
    line_links = [
        element.attributes["href"]
        for element in page_html.select("a", "reference", "internal")
        if element.text.startswith("index.rst:")
    ]
    assert [line_of(build, link) for link in line_links] == [
        "y_hat = torch.mm(X, w)",
        "l = y_hat.sum()",
    ]
    text_build = project.build("text", "-W")
    assert "y_hat" in text_build.read("index.txt")
    assert project.build("latex", "-W").status == 0


@pytest.mark.parametrize(
    ("directive", "says"),
    [
        (".. autogradgraph::", "there is no Python code above"),
        (".. autogradgraph:: x.py\n   :context:", ":context: is for code of its own"),
        (".. autogradgraph::\n   :table: colours", "choose from tensors, nodes"),
    ],
)
def test_faults_of_pages(project: Project, directive: str, says: str) -> None:
    project.write("index.rst", f"{TITLE}{directive}\n")
    (warning,) = project.build().warnings
    assert says in warning.replace("\n", " ")
    assert "index.rst:4: WARNING" in warning


@pytest.mark.long
def test_included_documents_report_their_own_lines(project: Project) -> None:
    project.conf("exclude_patterns = ['part.txt', '_build']")
    project.write("part.txt", "Text.\n\n.. code-block:: python\n\n   import torch\n   1 / 0\n")
    project.write("index.rst", f"{TITLE}.. include:: part.txt\n\n.. autogradgraph::\n")
    (warning,) = project.build().warnings
    assert "part.txt:3: WARNING: part.txt, line 6: ZeroDivisionError" in warning
