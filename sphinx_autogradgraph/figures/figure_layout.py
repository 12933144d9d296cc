"""Layout of a figure, as plain data that its canvas holds beside the Graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.figures.options import Options
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.arrange import Arranged
from sphinx_autogradgraph.render.diagram import Diagram, Direction
from sphinx_autogradgraph.render.diagram_of_graph import diagram_of
from sphinx_autogradgraph.render.labels import Show
from sphinx_autogradgraph.render.layout import Layout
from sphinx_autogradgraph.views.choice import Scope


@dataclass(frozen=True)
class FigureLayout:
    """The view of a Graph that is drawn, and its layout.

    They are made when a page is read and not when it is written, so that a diagnostic of the layout
    comes back on every build like any other: only pages that are read again are written again.

    ``prefix`` begins all ids; ``view`` is None for the whole Graph, and ``folded`` tells that it
    folded by itself; ``lines`` are the ids of the lines that made nodes; ``width`` is a length of
    CSS; ``alt`` is the text alternative.
    """

    prefix: str
    show: tuple[Show, ...]
    direction: Direction
    width: str | None
    scope: Scope
    view: Graph | None
    folded: bool
    layout: Layout
    lines: Mapping[int, str]
    alt: str = ""

    @classmethod
    def of(
        cls,
        arranged: Arranged,
        graph: Graph,
        options: Options,
        prefix: str,
        lines: Mapping[int, str],
    ) -> FigureLayout:
        """Make the layout of a figure of ``graph`` by the options of its directive."""
        return cls(
            prefix=prefix,
            show=options.show,
            direction=options.direction,
            width=options.width,
            scope=options.scope,
            view=None if arranged.view is graph else arranged.view,
            folded=arranged.folded,
            layout=arranged.layout,
            lines=lines,
        )

    def diagram(self, graph: Graph, translate: Translate = untranslated) -> Diagram:
        """Return the diagram of the view of a Graph."""
        return diagram_of(
            self.view or graph, self.show, self.direction, translate, self.layout.lines
        )

    def to_json(self) -> str:
        """Return the layout as a JSON text."""
        data = {
            **{name: getattr(self, name) for name in _AS_THEY_ARE},
            "scope": asdict(self.scope),
            "view": None if self.view is None else self.view.to_dict(),
            "layout": self.layout.to_dict(),
        }
        return json.dumps(data, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> FigureLayout:
        """Read a layout that :meth:`to_json` wrote."""
        data = json.loads(text)
        return cls(
            **{
                **data,
                "show": tuple(data["show"]),
                "scope": Scope(**{**data["scope"], "fold": tuple(data["scope"]["fold"])}),
                "view": None if data["view"] is None else Graph.view_from_dict(data["view"]),
                "layout": Layout.from_dict(data["layout"]),
                "lines": {int(id): anchor for id, anchor in data["lines"].items()},
            }
        )


_AS_THEY_ARE = ("prefix", "show", "direction", "width", "folded", "lines", "alt")
