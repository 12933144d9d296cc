"""The benchmarks run, and what they tell becomes tables and pictures.  Their numbers are not judged here."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import msgspec
import pytest

from benchmarks.plots import write
from benchmarks.table import Plot, Table

ROOT = Path(__file__).parents[1]


@pytest.mark.long
@pytest.mark.parametrize(
    "plot",
    [
        Plot("shown", {"ours": [[1, 0.5], [10, 2]], "a peer": [[1, 3]]}, "pages", "seconds"),
        Plot("shown", bars={"height": {"ours": 10, "a peer": 300}, "crossings": {"ours": 0.5}}),
    ],
    ids=["lines", "bars"],
)
def test_a_plot_that_came_as_json_is_drawn_for_light_and_dark(plot: Plot, tmp_path: Path) -> None:
    import matplotlib.image

    sent = msgspec.json.encode([asdict(Table("Title", ["a"], [["1"]], plot=plot))])
    (table,) = msgspec.json.decode(sent, type=list[Table])
    assert table.plot == plot
    write(plot, tmp_path)
    light, dark = (matplotlib.image.imread(tmp_path / f"shown-{x}.png") for x in ("light", "dark"))
    assert light.shape == dark.shape
    assert light[0, 0, 3] == 0  # no ground: the page's own shows
    drawn = light[..., 3] > 0.9
    assert light[drawn][:, :3].mean() < 0.5 < dark[drawn][:, :3].mean()


@pytest.mark.nightly
@pytest.mark.long
def test_all_tools_build_their_pages_quickly_tried() -> None:
    command = [sys.executable, "-m", "benchmarks.building", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    for title in ("Building 3 pages", "Growth: cold builds", "Building 3 pages on cores"):
        assert title in done.stdout
