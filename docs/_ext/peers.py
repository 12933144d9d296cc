"""A directive of this documentation: the pictures that other tools make of a model.

On paper there are their sizes alone: LaTeX takes no SVG.

``python -m benchmarks.pictures`` makes them, so that building the documentation needs none of the
tools.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

IMAGES = Path(__file__).parents[1] / "images" / "peers"
NAMES = {
    "torchviz": "torchviz",
    "torchview": "torchview",
    "torchlens": "torchlens",
    "netron": "Netron",
}

TALL = 360
"""The greatest height of a picture in pixels; it links to itself in full size."""


class Peers(SphinxDirective):
    """``.. peers:: MODEL`` shows the pictures of a model side by side, with its numbers below each.

    Where HTML is not made it lists the numbers.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The pictures for HTML and what is made from it, and the list for all else."""
        told_in = IMAGES / "pictures.json"
        self.env.note_dependency(str(told_in))
        told = json.loads(told_in.read_text("utf-8"))
        beside, listed = nodes.container(classes=["peers"]), nodes.bullet_list()
        for tool, name in NAMES.items():
            if found := told["pictures"].get(f"{self.arguments[0]}-{tool}"):
                text = (
                    f"{name} {told['versions'][tool]}: {found['boxes']} boxes, "
                    f"{found['arrows']} arrows, {found['width']} × {found['height']} pixels"
                )
                uri = f"images/peers/{self.arguments[0]}-{tool}.svg"
                alt = f"The model {self.arguments[0].replace('_', ' ')} as {name} draws it"
                image = nodes.image(uri=uri, alt=alt, height=f"{min(found['height'], TALL)}px")
                beside += nodes.container("", image, nodes.paragraph(text, text))
                listed += nodes.list_item("", nodes.paragraph(text, text))
        return [
            addnodes.only("", beside, expr="html"),
            addnodes.only("", listed, expr="not html"),
        ]


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive and its style; called by Sphinx."""
    app.add_directive("peers", Peers)
    app.add_css_file("peers.css")
    return {"parallel_read_safe": True}
