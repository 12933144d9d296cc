"""The message catalogues, and pages in another language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from tests.conftest import LINREG, Project

PACKAGE = Path(__file__).parents[1] / "sphinx_autogradgraph"
DOMAIN = "sphinx_autogradgraph"
KEYWORDS = {
    "_": None, "translate": None, "Message": None, "MessageError": None, "Diagnostic": (2,),
}  # fmt: skip
CATALOGUES = sorted((PACKAGE / "locale").glob(f"*/LC_MESSAGES/{DOMAIN}.po"))

HOW = """
    pybabel extract -k translate -k Message -k MessageError -k Diagnostic:2 -o messages.pot \\
      sphinx_autogradgraph
    pybabel update -D sphinx_autogradgraph -i messages.pot -d sphinx_autogradgraph/locale
    pybabel compile -D sphinx_autogradgraph -d sphinx_autogradgraph/locale
"""


def sources() -> set[str]:
    """The messages in the sources."""
    found = set()
    for _, _, message, _, _ in extract_from_dir(str(PACKAGE), keywords=KEYWORDS):
        assert isinstance(message, str)
        found.add(message)
    return found


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_the_catalogue_has_what_the_sources_have(path: Path) -> None:
    catalogue = read(path)
    messages = {str(message.id): message for message in catalogue if message.id}
    assert sources() - set(messages) == set(), f"not in the catalogue; run {HOW} and translate"
    assert set(messages) - sources() == set(), f"no longer in the sources; run {HOW}"
    for text, message in messages.items():
        assert message.string, f"{text!r} is not translated"
        assert not message.fuzzy, f"{text!r} is fuzzy"
        places = [sorted(re.findall(r"{\w+}", part)) for part in (text, str(message.string))]
        assert places[0] == places[1], text


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_what_is_shipped_is_compiled_from_the_catalogue(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as file:
        shipped = {message.id: message.string for message in read_mo(file) if message.id}
    # The heads may differ: they name the version of Babel that wrote them.
    assert shipped == {x.id: x.string for x in read(path) if x.id}, f"run {HOW}"


def test_there_is_a_chinese_one() -> None:
    assert [path.parts[-3] for path in CATALOGUES] == ["zh_CN"]
    assert len(sources()) > 100


WALK_THROUGH = """
线性回归
========

.. autogradgraph:: linreg.py
   :tensor: l
   :caption: 损失 *l* 的图。
   :name: loss

.. autogradgraph:: linreg.py
   :tensor: l.mean()
   :show: shape gradients
   :table: nodes

见 :numref:`loss`。
"""


@pytest.mark.long
def test_the_walk_through_in_chinese(project: Project) -> None:
    project.conf("language = 'zh_CN'\nnumfig = True")
    project.write("linreg.py", LINREG)
    project.write("index.rst", WALK_THROUGH)
    page = project.build("html", "-W").read("index.html")
    words = re.sub(r"<[^>]+>", "", page)
    assert "损失 l 的图。" in words
    assert "l 的自动求导图。" in words
    assert "叶子节点：w (2, 1), b (1,)。" in words
    assert "grad_fn 链：SumBackward0 → DivBackward0" in words
    assert "范数" in words
    assert "叶子节点 w" in words  # in the table
    for english in ("Leaves", "Autograd graph", "norm ", "leaf "):
        assert english not in words, english


def test_warnings_and_faults_in_chinese(project: Project) -> None:
    project.conf("language = 'zh_CN'")
    project.write(
        "index.rst",
        """
        题
        ==

        .. autogradgraph:: nothing.py

        .. autogradgraph::
           :direction: XY

           import torch
           x = torch.ones(3)
        """,
    )
    build = project.build("html")
    first, second = build.warnings
    assert "没有文件 nothing.py" in first
    assert ":direction: 不能是 'XY'：可选：TB, BT, LR, RL" in second
    assert "无法绘制此图：没有文件" in build.read("index.html")


@pytest.mark.long
def test_drift_in_chinese(project: Project) -> None:
    project.conf("language = 'zh_CN'\nautogradgraph_snapshots = 'graphs'")
    project.write("index.rst", "题\n==\n\n.. autogradgraph:: linreg.py\n   :tensor: l\n")
    project.write("linreg.py", LINREG)
    assert project.build("html", "-W").status == 0
    project.write("linreg.py", LINREG.replace("** 2 / 2", "* 2"))
    (warning,) = project.build("html").warnings
    assert "此图已与 graphs/index.1.json 中的不同" in warning
    assert "没有了" in warning or "变成了" in warning


def test_the_words_of_authors_are_in_the_pot_and_code_is_not(project: Project) -> None:
    project.write("linreg.py", LINREG)
    project.write(
        "index.rst",
        """
        Title
        =====

        .. autogradgraph:: linreg.py
           :tensor: l
           :caption: The *loss* of it.

        .. autogradgraph::
           :include-source: yes

           import torch
           secret = torch.ones(3, requires_grad=True).sum()
        """,
    )
    build = project.build("gettext", "-W")
    assert build.status == 0, build.stderr
    pot = build.read("index.pot")
    assert 'msgid "The *loss* of it."' in pot
    assert "secret" not in pot
    assert "Leaves" not in pot
    assert "grad_fn" not in pot


@pytest.mark.long
def test_a_translated_caption_keeps_the_summary(project: Project) -> None:
    project.conf("language = 'zh_CN'\nlocale_dirs = ['locales']\ngettext_auto_build = True")
    project.write("linreg.py", LINREG)
    project.write(
        "index.rst",
        "Title\n=====\n\n.. autogradgraph:: linreg.py\n   :tensor: l\n   :caption: The loss.\n",
    )
    project.write(
        "locales/zh_CN/LC_MESSAGES/index.po",
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "The loss."\nmsgstr "损失函数。"\n',
    )
    page = re.sub(r"<[^>]+>", "", project.build("html", "-W").read("index.html"))
    assert "损失函数。" in page
    assert "The loss." not in page
    assert "叶子节点：w (2, 1), b (1,)。" in page
