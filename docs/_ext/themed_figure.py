"""A directive of this documentation: a figure that is one picture in light and another in dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.directives.patches import Figure

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class ThemedFigure(Figure):
    """``.. themed-figure:: STEM`` shows ``STEM-light.png``, in dark ``STEM-dark.png``."""

    def run(self) -> list[nodes.Node]:
        """The figure, with the dark picture beside the light one where furo can choose."""
        stem = self.arguments[0]
        self.arguments[0] = f"{stem}-light.png"
        made = super().run()
        for light in [image for node in made for image in node.findall(nodes.image)]:
            dark = light.deepcopy()
            dark["uri"] = f"{stem}-dark.png"
            light["classes"].append("only-light")
            dark["classes"].append("only-dark")
            light.parent.insert(1, addnodes.only("", dark, expr="html and not epub"))
        return made


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive; called by Sphinx."""
    app.add_directive("themed-figure", ThemedFigure)
    return {"parallel_read_safe": True}
