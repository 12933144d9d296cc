"""Pages tell nothing of the machine that built them, and show what they say."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
import torch

from sphinx_autogradgraph.runtime.client import Runner
from sphinx_autogradgraph.runtime.publishable import Publisher
from tests.conftest import ROOT
from tests.runtime.test_execution import HEAD, diagnostic, program, run


def checkout() -> str:
    """The directory of this checkout as messages name it: it may lie in one that has a name."""
    for place, name in ((tempfile.gettempdir(), "<temp>"), (os.path.expanduser("~"), "~")):
        if ROOT.is_relative_to(place):
            return f"{name}/{ROOT.relative_to(place).as_posix()}"
    return "<packages>"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import os\nopen(os.path.abspath('data.csv'))", "'./data.csv'"),
        ("import os\nopen(os.path.expanduser('~/absent'))", "'~/absent'"),
        ("import torch\nraise ImportError(torch.__file__)", "<packages>/torch/__init__.py"),
        ("import tempfile\nraise ValueError(tempfile.mkdtemp())", "<temp>/"),
        ("import sys\nraise ValueError(sys.prefix)", "ValueError: <python>"),
        (
            "from sphinx_autogradgraph import absent",
            f"({checkout()}/sphinx_autogradgraph/__init__.py)",
        ),
        ("import os, urllib.parse\nraise ValueError(urllib.parse.quote(os.getcwd(), ''))", "."),
        ("import pathlib\nraise ValueError(pathlib.Path.cwd().as_uri())", "file://."),
    ],
)
def test_a_message_names_no_place_of_this_machine(
    runner: Runner, tmp_path: Path, code: str, says: str
) -> None:
    report = diagnostic(run(runner, program(tmp_path, code))).report()
    assert says in report
    for place in (
        str(tmp_path), quote(str(tmp_path), ""), os.path.expanduser("~/"), str(ROOT),
        str(Path(torch.__file__).parent),
    ):  # fmt: skip
        assert place not in report


def test_a_name_tells_no_place_and_has_no_control_character(runner: Runner, tmp_path: Path) -> None:
    code = HEAD + (
        "import os\nstate = {os.path.abspath('w.pt'): torch.ones(3, requires_grad=True)}\n"
        "net = torch.nn.Module()\n"
        "net._parameters['a\\x07\\x9b\\u202eb'] = torch.nn.Parameter(torch.ones(3))\n"
        "y = (next(iter(state.values())) * next(net.parameters())).sum()"
    )
    (result,) = runner.run([program(tmp_path, code)])
    text = json.dumps(result.targets[0].to_dict(), ensure_ascii=False)
    assert str(tmp_path) not in str(json.loads(json.loads(text)["graph"])["leaves"])
    assert "./w.pt" in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_a_directory_that_only_begins_alike_is_another(tmp_path: Path) -> None:
    publisher = Publisher(program(tmp_path, ""))
    text = publisher.text(f"{tmp_path}-other/a {tmp_path}/b")
    assert text.endswith(f"{tmp_path.name}-other/a ./b")
    assert publisher.text(f"{sys.prefix}x") != "<python>x"
    assert publisher.text(tempfile.gettempdir() + "/a") == "<temp>/a"
