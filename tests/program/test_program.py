"""Programs before they run: references, expressions, names of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.program.program import (
    Reference,
    display_path,
    parse_reference,
    read_block,
    split_expressions,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("examples/linreg.py", Reference(file="examples/linreg.py")),
        ("/examples/lin reg.py:loss", Reference(file="/examples/lin reg.py", member="loss")),
        ("../x.py:Model.make", Reference(file="../x.py", member="Model.make")),
        ("package.module:name", Reference(module="package.module", member="name")),
        ("module:a.b", Reference(module="module", member="a.b")),
    ],
)
def test_references(text: str, expected: Reference) -> None:
    assert parse_reference(text) == expected


@pytest.mark.parametrize("text", ["", "linreg", "a/b", "x.py:", "x.py:1", "a:b:c", "module:", ":x"])
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        parse_reference(text)
    assert caught.value.diagnostic.kind == "reference"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("l", ("l",)),
        ("l, l.mean()", ("l", "l.mean()")),
        ("f(a, b), (c, d)", ("f(a, b)", "(c, d)")),
        ("out['a,b']", ("out['a,b']",)),
        ("*parts, l", ("*parts", "l")),
        ("l,\nm,", ("l", "m")),
    ],
)
def test_expressions_are_split_by_top_level_commas(text: str, expected: tuple[str, ...]) -> None:
    assert split_expressions(text) == expected


@pytest.mark.parametrize("text", ["", "1 +", "a b", "x = 1", "a], [b", "a] + [b", "import x", "\0"])
def test_what_does_not_parse(text: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        split_expressions(text)
    assert caught.value.diagnostic.kind == "option"


def test_files_are_named_without_the_machine() -> None:
    assert display_path("/home/me/project/docs/a/b.rst", "/home/me/project/docs") == "a/b.rst"
    assert (
        display_path("/home/me/project/examples/x.py", "/home/me/project/docs") == "examples/x.py"
    )
    assert display_path("/docs/a/s.py", "/docs") == "a/s.py"  # as a container has it
    assert display_path("/project/examples/s.py", "/project/docs") == "examples/s.py"
    assert display_path("/home/s.py", "/home/docs") == "s.py"
    assert display_path("/opt/secret/x.py", "/home/me/project/docs") == "x.py"
    assert display_path("/home/other/x.py", "/home/me/docs") == "x.py"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "directory.py").mkdir()
    for name in ("missing.py", "binary.py", "directory.py"):
        with pytest.raises(DiagnosticError) as caught:
            read_block(str(tmp_path / name), str(tmp_path))
        assert caught.value.diagnostic.kind == "reference"
        assert name in caught.value.diagnostic.sentence()
        assert str(tmp_path) not in caught.value.diagnostic.report()
