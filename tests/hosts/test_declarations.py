"""Settings and options: declared once, checked alike wherever they are written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from docutils.nodes import make_id
from sphinx.config import Config
from sphinx.errors import ConfigError

from sphinx_autogradgraph.__main__ import main
from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.core.messages import MessageError
from sphinx_autogradgraph.core.settings import SETTINGS, Settings, read_settings
from sphinx_autogradgraph.figures.options import DECLARATIONS, parse_options
from sphinx_autogradgraph.hosts import cli
from sphinx_autogradgraph.hosts.sphinx.config_values import AS_WRITTEN, VALUES, _check, settings_of

BAD = [
    ("timeout", "soon"), ("timeout", float("nan")), ("timeout", float("inf")), ("timeout", 0),
    ("timeout", -1), ("timeout", [1]), ("timeout", True), ("memory", "4 GB"), ("memory", -1),
    ("max_nodes", 2.5), ("max_nodes", 0), ("column", 0), ("linger", -1), ("layout", "neato"),
    ("execution", "sometimes"), ("environment", [1]), ("snapshots", 3), ("show", ["shape"]),
    ("show", "colours"), ("snapshots", "a\0b"), ("cache", "\0"),
]  # fmt: skip


def conf_py(values: dict[str, object]) -> Config:
    config = Config({}, values)
    for name, declared in VALUES.items():
        config.add(
            name, getattr(Settings(), declared.name), declared.metadata["rebuild"], AS_WRITTEN
        )
    return config


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_an_error_that_names_its_setting(
    tmp_path: Path, name: str, value: object
) -> None:
    with pytest.raises(MessageError):
        SETTINGS[name].metadata["parse"](value)
    with pytest.raises(ConfigError, match=f"autogradgraph_{name} cannot be"):
        _check(None, conf_py({f"autogradgraph_{name}": value}))  # type: ignore[arg-type]
    text = json.dumps(value) if isinstance(value, (bool, str)) else repr(value)
    (tmp_path / "pyproject.toml").write_text(f"[tool.autogradgraph]\n{name} = {text}\n")
    with pytest.raises(DiagnosticError, match=f"{name} cannot be"):
        read_settings(tmp_path)


def test_numbers_may_be_texts_as_the_command_line_gives_them() -> None:
    config = conf_py({"autogradgraph_memory": "4000", "autogradgraph_timeout": "2.5"})
    _check(None, config)  # type: ignore[arg-type]
    settings = settings_of(config)
    assert (settings.memory, settings.timeout, settings.show) == (4000, 2.5, "shape")


@pytest.mark.parametrize("text", ["tool = 5\n", "[tool]\nautogradgraph = 5\n", "tool = [\n"])
def test_a_pyproject_that_is_something_else_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(DiagnosticError, match="pyproject"):
        read_settings(tmp_path)


def test_a_setting_that_there_is_not_tells_those_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.autogradgraph]\ntimeuot = 5\n")
    with pytest.raises(DiagnosticError, match=r"unknown setting timeuot; .* timeout"):
        read_settings(tmp_path)


def test_classes_are_those_that_docutils_makes() -> None:
    for text in ("Big_Figure", "2-wide", "a.b c", "Café-", "x__y"):
        found = DECLARATIONS["class"].parse(text)
        assert found == tuple(make_id(word) for word in text.split())


def test_an_expression_of_20000_operators_is_an_option_s_diagnostic() -> None:
    text = "+".join("1" * 20_000)
    options = parse_options({"tensor": text}, Settings())
    assert [diagnostic.kind for diagnostic in options.diagnostics] == ["option"]
    assert len(options.diagnostics[0].sentence()) < 400


@pytest.mark.parametrize(
    "arguments", ["--timeout nan", "--timeout 0", "--timeout=-1", f"--seed {2**64}", "--depth 0"]
)
def test_the_command_does_not_take_what_cannot_be(
    arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["draw", "examples/linreg.py", *arguments.split()])
    assert ended.value.code == 2
    assert f"argument {arguments.partition(' ')[0].partition('=')[0]}" in capsys.readouterr().err


def test_ctrl_c_ends_the_command_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_draw", interrupted)
    monkeypatch.setattr(sys, "argv", ["autogradgraph", "draw", "examples/linreg.py"])
    assert main() == 130
    assert capsys.readouterr().err == "autogradgraph: interrupted\n"


def test_ctrl_c_while_the_command_is_imported_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted:
        def find_spec(self, *_: object) -> None:
            raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, cli.__name__)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert main() == 130
    assert capsys.readouterr().err == "autogradgraph: interrupted\n"


def test_the_installed_command_is_the_one_that_is_run_as_a_module() -> None:
    assert (
        f'autogradgraph = "{main.__module__}:main"'
        in (Path(__file__).parents[2] / "pyproject.toml").read_text()
    )
