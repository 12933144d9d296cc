"""The pictures of the benchmarks, each for a light page and for a dark one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.table import Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OURS = {"light": "#0a5bd0", "dark": "#6cb0ff"}
"""The colour of what is ours; peers are grey, and told apart by marks and dashes."""

PEERS = {"light": "#5f6368", "dark": "#b4b8bd"}
TEXT = {"light": "#1f2328", "dark": "#e6e8eb"}

STYLES = (("o", "-"), ("s", "-"), ("^", "--"), ("D", "-."), ("v", ":"), ("P", "--"), ("X", ":"))
"""Marks and dashes of the curves, in turn."""


def write(plot: Plot, folder: Path) -> None:
    """Write ``FILE-light.png`` and ``FILE-dark.png``, with no ground of their own."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    for scheme in ("light", "dark"):
        text = TEXT[scheme]
        look = {"text.color": text, "axes.labelcolor": text, "axes.edgecolor": text,
                "xtick.color": text, "ytick.color": text, "font.size": 11,
                "axes.spines.top": False, "axes.spines.right": False}  # fmt: skip
        with mpl.rc_context(look):
            panels = max(1, len(plot.bars))
            figure, axes = plt.subplots(
                1, panels, figsize=(7.2, 2.4 if plot.bars else 4), squeeze=False, sharey=True
            )
            if plot.bars:
                for place, (title, bars) in zip(axes[0], plot.bars.items(), strict=True):
                    _bars(place, title, bars, scheme)
            else:
                _lines(axes[0][0], plot, scheme)
            figure.savefig(
                folder / f"{plot.file}-{scheme}.png", dpi=130, bbox_inches="tight",
                transparent=True, metadata={"Software": None},
            )  # fmt: skip
            plt.close(figure)


def _colour(name: str, scheme: str) -> str:
    ours = name.startswith(("ours", "sphinx-autogradgraph"))
    return (OURS if ours else PEERS)[scheme]


def _lines(axes: Axes, plot: Plot, scheme: str) -> None:
    """Draw curves over logarithmic axes."""
    from matplotlib.ticker import FuncFormatter

    for (name, points), (mark, dash) in zip(plot.lines.items(), STYLES, strict=False):
        xs, ys = zip(*points, strict=True)
        axes.loglog(xs, ys, marker=mark, linestyle=dash, color=_colour(name, scheme), label=name)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.set_xlabel(plot.x)
    axes.set_ylabel(plot.y)
    axes.grid(visible=True, alpha=0.25)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, facecolor="none", edgecolor="none"
    )


def _bars(axes: Axes, title: str, bars: Mapping[str, float], scheme: str) -> None:
    """Draw a panel of bars, each with its number behind it."""
    names, values = list(bars), list(bars.values())
    drawn = axes.barh(names, values, color=[_colour(name, scheme) for name in names], height=0.6)
    axes.bar_label(drawn, [f"{value:,.0f}" if value > 10 else f"{value:.1f}" for value in values],
                   padding=3)  # fmt: skip
    axes.set_title(title, fontsize=11)
    axes.set_xlim(right=max(values) * 1.3)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    if not axes.yaxis_inverted():
        axes.invert_yaxis()
