"""Blocks of documents → Python, line for line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphinx_autogradgraph.program.notebook_cells import is_python, python_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\ny = 2", "x = 1\ny = 2"),
        ("    x = 1\n    y = 2", "x = 1\ny = 2"),
        ("%matplotlib inline\nx = 1\n!pip install torch", "pass\nx = 1\npass"),
        ("for i in x:\n    %time f(i)\n    !ls\ng()", "for i in x:\n    pass\n    pass\ng()"),
        ("%%time\nx = 1", "pass\nx = 1"),
        ("%%bash\nls -l\necho 1", "\n\n"),
        ("text = ('%s and %s'\n% (a, b))", "text = ('%s and %s'\n% (a, b))"),
        ("text = ('%s and %s'\n% (a, b))\n%time f()", "text = ('%s and %s'\n% (a, b))\npass"),
        ("t = '''\n%time\n'''\n!ls", "t = '''\n%time\n'''\npass"),
        ("t = $\n%time\n(\n% (a, b)\n)\n!ls", "t = $\npass\n(\n% (a, b)\n)\npass"),
        ("torch.mm?\n?torch\nx = !ls\nfiles, n = %sx ls", "pass\npass\npass\npass"),
        (">>> x = 1\n>>> x\n1\n>>> y = x + 1", "x = 1\nx\n\ny = x + 1"),
        (">>> for i in [1]:\n...     print(i)\n1\n>>> 2", "for i in [1]:\n    print(i)\n\n2"),
        (">>> 1/0\nTraceback (most recent call last):\nZeroDivisionError: x", "\n\n"),
        (">>> f()  # doctest: +SKIP\n>>> g()", "\ng()"),
        (
            "In [1]: x = 1\n\nIn [2]: for i in y:\n   ...:     i\nOut[2]: 3",
            "x = 1\n\nfor i in y:\n    i\n",
        ),
        ("x = (", "x = ("),
    ],
)
def test_python_of(text: str, expected: str) -> None:
    assert python_of(text) == expected


@given(st.text(alphabet="x=1 %!>?.\n\\'\"(:)", max_size=60))
def test_lines_stay_where_they_are(text: str) -> None:
    found = python_of(text)
    assert found.count("\n") == text.count("\n")


def test_languages() -> None:
    assert all(is_python(name) for name in ("python", "Python", "py", "pycon", "ipython3"))
    assert not any(is_python(name) for name in ("default", "none", "pytb", "console", "rst"))


@pytest.mark.parametrize("code", ["1+" * 20_000 + "1", "-" * 20_000 + "1", "(" * 20_000])
def test_code_that_no_parser_takes_stays_as_it_is(code: str) -> None:
    assert python_of(code) == code  # whoever runs it says so at its line
