"""The pictures of the ten models of ``examples/models`` by other tools, for the page that compares.

Run ``pip install --group pictures``, install Graphviz and Chromium, and run ``python -m
benchmarks.pictures``.  It writes an SVG for each model and tool into ``docs/images/peers``, and what
the page says of them: the versions of the tools, and how many boxes and arrows there are.
"""

from __future__ import annotations

import html
import importlib.metadata
import json
import re
import runpy
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import graphviz
import torch

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "examples" / "models"
IMAGES = ROOT / "docs" / "images" / "peers"

Draw = Callable[[Mapping[str, Any], Path], None]
"""What draws a program, given the variables of it, into a file."""


def torchviz(variables: Mapping[str, Any], file: Path) -> None:
    """Draw the graph of ``out``, with the names that the model or the program has for leaves."""
    from torchviz import make_dot

    named = variables["model"].named_parameters() if "model" in variables else variables.items()
    leaves = {name: value for name, value in named if getattr(value, "is_leaf", False)}
    _render(make_dot(variables["out"], params=leaves), file)


def torchview(variables: Mapping[str, Any], file: Path) -> None:
    """Draw the call of the model."""
    from torchview import draw_graph

    drawn = draw_graph(variables["model"], input_data=variables["x"], expand_nested=True)
    _render(drawn.visual_graph, file)


def torchlens(variables: Mapping[str, Any], file: Path) -> None:
    """Draw the call of the model."""
    import torchlens as lens

    with tempfile.TemporaryDirectory() as directory:
        traced = lens.trace(variables["model"], variables["x"])
        made = traced.draw(vis_save_only=True, vis_outpath=f"{directory}/x", return_graph=True)
        _render(made, file)


def _render(digraph: graphviz.Digraph, file: Path) -> None:
    """Let dot draw, without the size that torchviz sets for paper."""
    digraph.graph_attr.pop("size", None)
    file.write_bytes(digraph.pipe("svg"))


@contextmanager
def netron() -> Iterator[Draw]:
    """Make what draws by Netron in a browser, which may speak with nobody else meanwhile."""
    import netron as app
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as directory:
        exported = Path(directory, "model.onnx")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        context = browser.new_context(accept_downloads=True)
        context.route(re.compile("^https"), lambda route: route.abort())

        def draw(variables: Mapping[str, Any], file: Path) -> None:
            torch.onnx.export(
                variables["model"], (variables["x"],), exported, external_data=False, verbose=False
            )
            host, port = app.start(str(exported), browse=False)
            page = context.new_page()
            page.goto(f"http://{host}:{port}/")
            accept = page.get_by_role("button", name="Accept")
            drawn = page.locator("#canvas .node").first
            accept.or_(drawn).first.wait_for()
            if accept.is_visible():
                accept.click()
            drawn.wait_for()
            with page.expect_download() as download:
                page.keyboard.press("Control+Alt+E")
            download.value.save_as(file)
            page.close()
            app.stop()

        yield draw
        browser.close()


def main() -> None:
    """Draw all models by all tools; those that are no modules by torchviz alone."""
    IMAGES.mkdir(exist_ok=True)
    for old in IMAGES.iterdir():
        old.unlink()
    told: dict[str, Any] = {"versions": {}, "pictures": {}}
    with netron() as draw_by_netron:
        tools: dict[str, Draw] = {
            "torchviz": torchviz, "torchview": torchview, "torchlens": torchlens,
            "netron": draw_by_netron,
        }  # fmt: skip
        told["versions"] = {name: importlib.metadata.version(name) for name in tools}
        for program in sorted(MODELS.glob("*.py")):
            for name, draw in tools.items():
                torch.manual_seed(0)
                variables = runpy.run_path(str(program))
                if name == "torchviz" or "model" in variables:
                    file = IMAGES / f"{program.stem}-{name}.svg"
                    draw(variables, file)
                    file.write_text(_smaller(file.read_text("utf-8")), "utf-8")
                    told["pictures"][file.stem] = _told(file.read_text("utf-8"))
                    print(file.name, told["pictures"][file.stem])
    (IMAGES / "pictures.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def _smaller(svg: str) -> str:
    """Drop the head, comments and titles, round to a tenth of a pixel, and write each style once.

    Ids stay where something refers to them; those of Netron are not unique.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\s*|<title>.*?</title>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), svg)
    svg = svg.replace(' style=""', "")
    used = set(re.findall(r"#([\w-]+)", html.unescape(svg)))
    svg = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", svg)
    styles = dict.fromkeys(re.findall(r' style="([^"]*)"', svg))
    rules = ""
    for number, style in enumerate(styles):
        svg = svg.replace(f' style="{style}"', f' data-s="{number}"')
        rules += f'[data-s="{number}"]{{{html.unescape(style)}}}'
    return re.sub(r"(<svg[^>]*>)", rf"\1<style>{rules}</style>", svg, count=1) if rules else svg


def _told(svg: str) -> dict[str, int]:
    """Return the size of a picture in pixels, and its boxes and arrows."""
    width, height = (float(x) for x in re.findall(r'\b(?:width|height)="([\d.]+)', svg)[:2])
    scale = 96 / 72 if re.search(r'<svg[^>]* width="[\d.]+pt"', svg) else 1
    return {
        "width": round(width * scale),
        "height": round(height * scale),
        "boxes": len(re.findall(r'<g [^>]*class="node[ "]', svg)),
        "arrows": len(re.findall(r'class="edge(?:-path)?[ "]', svg)),
    }


if __name__ == "__main__":
    main()
