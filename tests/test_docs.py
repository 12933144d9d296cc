"""What the documentation shows of code, settings and commands is what they do."""

from __future__ import annotations

import argparse
import json
import re
import runpy
import shutil
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import sphinx_autogradgraph
from sphinx_autogradgraph.core.diagnostics import DiagnosticKind
from sphinx_autogradgraph.core.settings import SETTINGS, Settings, default_of
from sphinx_autogradgraph.core.show import SHOW
from sphinx_autogradgraph.figures.option_values import TABLES
from sphinx_autogradgraph.figures.options import DECLARATIONS, SHOWN, TABLED
from sphinx_autogradgraph.graph.model import Flags
from sphinx_autogradgraph.hosts.cli import parser
from tests.conftest import ROOT
from tests.test_walls import ORDER, PACKAGE

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.rst"))
REFERENCE = (DOCS / "reference.rst").read_text("utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in a language, but for those that are marked as left out."""
    pattern = rf"^\.\. code-block:: {language}\n((?:   :.*\n)*)\n((?:   .*\n|\n)+)"
    return [
        textwrap.dedent(block).strip("\n") + "\n"
        for options, block in re.findall(pattern, page.read_text("utf-8"), re.MULTILINE)
        if "autogradgraph-skip" not in options
    ]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the Python of each page prints, run from top to bottom; one import of torch for all."""
    where = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "examples", where / "examples", ignore=shutil.ignore_patterns("_*"))
    programs = {page.stem: "".join(blocks(page, "python")) for page in PAGES}
    code = """
        import contextlib, io, json, sys, traceback
        printed, failed = {}, []
        for name, code in json.load(sys.stdin).items():
            out = io.StringIO()
            try:
                with contextlib.redirect_stdout(out):
                    exec(compile(code, name, "exec"), {"__name__": "__main__"})
            except Exception:
                failed.append(f"{name}: {traceback.format_exc()}")
            printed[name] = out.getvalue()
        print(json.dumps([printed, failed]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        input=json.dumps(programs), capture_output=True, text=True, check=True, cwd=where,
    )  # fmt: skip
    found: dict[str, str]
    found, failed = json.loads(done.stdout.splitlines()[-1])
    assert failed == []
    return found


def test_the_python_of_all_pages_runs(printed: dict[str, str]) -> None:
    (shown,) = blocks(DOCS / "python.rst", "text")
    assert printed["python"].startswith(shown)
    assert "MmBackward0 torch.mm" in printed["python"]
    assert len([page for page in PAGES if blocks(page, "python")]) >= 8


def test_the_commands_of_the_page() -> None:
    session, *_others = blocks(DOCS / "python.rst", "console")
    first, rest = session.split("\n", 1)
    arguments = first.removeprefix("$ autogradgraph ").split()
    done = subprocess.run(
        [sys.executable, "-m", "sphinx_autogradgraph", *arguments],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert rest.startswith(done.stdout)


def test_all_commands_are_understood() -> None:
    seen = 0
    for page in PAGES:
        for line in "".join(blocks(page, "console")).splitlines():
            command = line.removeprefix("$ ").partition("  #")[0]
            if command.startswith("autogradgraph "):
                arguments = re.findall(r"'[^']*'|\S+", command.removeprefix("autogradgraph "))
                parser().parse_args([argument.strip("'") for argument in arguments])
                seen += 1
    assert seen >= 4


def test_the_chinese_walk_through_has_the_code_figures_and_numbers_of_the_english_one() -> None:
    def untranslated(page: Path) -> list[list[str]]:
        text = re.sub(r"^   :caption:.*\n", "", page.read_text("utf-8"), flags=re.MULTILINE)
        directives = r"^\.\. (?:code-block|autogradgraph)::.*\n(?:   .*\n|\n)+"
        return [re.findall(directives, text, re.MULTILINE), re.findall(r"-?\d+\.\d+", text)]

    english, chinese = (DOCS / path / "linear-regression.rst" for path in (".", "zh_CN"))
    assert untranslated(chinese) == untranslated(english)


def test_settings_in_toml_are_settings() -> None:
    tomllib = pytest.importorskip("tomllib")
    tables = [tomllib.loads(text) for page in PAGES for text in blocks(page, "toml")]
    found = [table["tool"]["autogradgraph"] for table in tables if "tool" in table]
    assert found
    for table in found:
        Settings(**table)
    assert any("custom_fences" in json.dumps(table) for table in tables)


def test_the_reference_has_every_option_and_setting_from_its_declaration() -> None:
    assert ".. declarations:: options\n" in REFERENCE
    assert ".. declarations:: settings\n" in REFERENCE
    for declared in DECLARATIONS.values():
        assert declared.help
    for name, setting in SETTINGS.items():
        assert setting.metadata["help"], name
        default = default_of(setting)
        if default is not None:
            assert setting.metadata["parse"](default) == default
    made = runpy.run_path(str(DOCS / "_ext" / "declarations.py"))
    for text, count in (("options_text", len(DECLARATIONS)), ("settings_text", len(SETTINGS))):
        table = made[text]()
        assert "   * - " in table
        assert len(re.findall(r"^     - \d+\.\d+$", table, re.MULTILINE)) == count
        assert "\n     - Type\n" in table
        assert "\n     - Since\n" in table
    assert set(SHOWN) == set(SHOW)
    assert set(TABLED) == set(TABLES)


def test_the_map_of_packages_is_made_from_the_tree() -> None:
    found = runpy.run_path(str(DOCS / "_ext" / "declarations.py"))["packages_text"]()
    assert ".. declarations:: packages\n" in (DOCS / "contributing.rst").read_text("utf-8")
    assert tuple(re.findall(r"^   (\w+)/ +[A-Z].*\.$", found, re.MULTILINE)) == ORDER
    below = {path.parent.name for path in PACKAGE.glob("*/*/__init__.py")}
    assert set(re.findall(r"^     (\w+)/ +\S.*\.$", found, re.MULTILINE)) == below


def test_every_kind_of_warning_is_in_the_reference() -> None:
    for kind in DiagnosticKind.__args__:  # type: ignore[attr-defined]
        assert f"\n``{kind}``\n" in REFERENCE


def test_the_tests_that_hold_the_promises_of_security_exist() -> None:
    text = (DOCS / "security.rst").read_text("utf-8")
    tests = {
        name
        for path in Path(__file__).parent.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"``(test_\w+)``", text))
    assert named
    assert named <= tests
    for file in re.findall(r"``(\w+/test_\w+\.py|soak\.py)``", text):
        assert (Path(__file__).parent / file).is_file()


def test_every_option_of_the_command_has_a_help() -> None:
    (commands,) = (
        action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    for command in commands.choices.values():
        for action in command._actions:
            assert action.help, action


def test_the_help_of_the_command_is_that_of_the_documentation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "88")
    texts = [parser().format_help()]
    (commands,) = (
        action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    texts += [command.format_help() for command in commands.choices.values()]
    shown = DOCS / "command.txt"
    if not shown.exists():  # delete it to have it written anew
        shown.write_text("\n\n".join(texts), "utf-8")
    if sys.version_info[:2] == (3, 11):  # other versions set it in other ways
        assert shown.read_text("utf-8") == "\n\n".join(texts)


def test_the_api_page_has_what_is_public_and_all_of_it_has_a_docstring() -> None:
    page = (DOCS / "api.rst").read_text("utf-8")
    described = set(
        re.findall(r"^\.\. auto(?:function|class|exception):: (?:[\w.]+\.)?(\w+)$", page, re.M)
    )
    for name in sphinx_autogradgraph.__all__:
        if name in ("__version__", "setup"):  # Sphinx asks for them
            continue
        assert name in described, f"{name} is public and not in api.rst"
        assert getattr(sphinx_autogradgraph, name).__doc__, name


def test_the_signatures_of_records_have_plain_types() -> None:
    signature_of = runpy.run_path(str(DOCS / "_ext" / "plain_types.py"))["signature_of"]
    text, _ = signature_of(None, "class", "", Flags, {}, "", None)
    assert text.endswith(" retains_grad: bool, grad: tuple[int, ...] | None)")
    assert signature_of(None, "class", "", Path, {}, "", None) is None


def test_every_option_and_word_has_a_live_example() -> None:
    text = (DOCS / "options.rst").read_text("utf-8")
    examples = "".join(re.findall(r"^\.\. example::\n((?:   .*\n|\n)+)", text, re.MULTILINE))
    for name in DECLARATIONS:
        assert f"\n.. _option-{name}:\n" in text  # the reference links to it
        assert f" :{name}:" in examples
    words = {word for line in re.findall(r":show: (.*)", examples) for word in line.split()}
    assert words == set(SHOW)


def test_the_ten_models_have_a_figure_and_the_pictures_of_other_tools() -> None:
    page = (DOCS / "ten-models.rst").read_text("utf-8")
    told = json.loads((DOCS / "images" / "peers" / "pictures.json").read_text("utf-8"))
    files = {path.stem: path for path in (DOCS / "images" / "peers").glob("*.svg")}
    assert set(told["pictures"]) == set(files)
    for path in files.values():
        assert ElementTree.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    models = sorted(path.stem for path in (DOCS.parent / "examples" / "models").glob("*.py"))
    assert len(models) == 10
    for model in models:
        assert f"/models/{model}.py" in page
        assert f".. peers:: {model}\n" in page
        assert f"{model}-torchviz" in files
