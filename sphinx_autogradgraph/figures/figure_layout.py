"""Layout of a figure, as plain data that its canvas holds beside the Graph."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import Translate, untranslated
from sphinx_autogradgraph.core.settings import Settings
from sphinx_autogradgraph.core.show import Show
from sphinx_autogradgraph.figures.options import Options
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.arrange import Arranged, arrange, draw_view
from sphinx_autogradgraph.render.diagram import Diagram, Direction
from sphinx_autogradgraph.render.diagram_of_graph import diagram_of
from sphinx_autogradgraph.render.layout import Layout, LayoutTimeoutError
from sphinx_autogradgraph.render.text import alternative
from sphinx_autogradgraph.views.choice import steps


@dataclass(frozen=True)
class Step:
    """A view to which a folded drawing opens, None for the whole Graph, and its layout."""

    view: Graph | None
    layout: Layout


@dataclass(frozen=True)
class FigureLayout:
    """The view of a Graph that is drawn, and its layout.

    They are made when a page is read and not when it is written, so that a diagnostic of the layout
    comes back on every build like any other: only pages that are read again are written again.

    ``prefix`` begins all ids; ``view`` is None for the whole Graph, and ``folded`` tells that it
    folded by itself; ``steps`` are the views to which it opens, smallest first; ``lines`` are the
    ids of the lines that made nodes; ``width`` is a length of CSS; ``alt`` is the text alternative.
    """

    prefix: str
    show: tuple[Show, ...]
    direction: Direction
    width: str | None
    alt: str
    view: Graph | None
    folded: bool
    layout: Layout
    steps: tuple[Step, ...] = ()
    lines: Mapping[int, str] = field(default_factory=dict)

    def diagram(
        self, graph: Graph, translate: Translate = untranslated, step: Step | None = None
    ) -> Diagram:
        """Return the diagram of the view of a Graph that is drawn, or of a step."""
        at = step or self
        return diagram_of(at.view or graph, self.show, self.direction, translate, at.layout.lines)

    def arranged(self, graph: Graph) -> Arranged:
        """Return the view of a Graph that is drawn with its diagram and its layout."""
        return Arranged(self.view or graph, self.diagram(graph), self.layout, self.folded)

    def to_json(self) -> str:
        """Return the layout as a JSON text."""
        data = {
            **{name: getattr(self, name) for name in _AS_THEY_ARE},
            **_laid_out_dict(self),
            "steps": [_laid_out_dict(step) for step in self.steps],
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
                **_laid_out(data),
                "steps": tuple(Step(**_laid_out(step)) for step in data["steps"]),
                "lines": {int(id): anchor for id, anchor in data["lines"].items()},
            }
        )


_AS_THEY_ARE = ("prefix", "show", "direction", "width", "folded", "lines", "alt")


def _laid_out_dict(of: FigureLayout | Step) -> dict[str, Any]:
    """Return a view and its layout as plain data for JSON."""
    view = None if of.view is None else of.view.to_dict()
    return {"view": view, "layout": of.layout.to_dict()}


def _laid_out(data: Mapping[str, Any]) -> dict[str, Any]:
    """Read a view and its layout from what :func:`_laid_out_dict` returned."""
    view = None if data["view"] is None else Graph.view_from_dict(data["view"])
    return {"view": view, "layout": Layout.from_dict(data["layout"])}


def lay_out_figure(
    graph: Graph,
    options: Options,
    prefix: str,
    settings: Settings,
    translate: Translate = untranslated,
    *,
    opens: bool,
) -> tuple[FigureLayout, list[Diagnostic]]:
    """Lay out a figure of a Graph by its options, with the steps of a folded one that ``opens``.

    Returns also what is to be reported.  Raises :exc:`.DiagnosticError` when there is no layout.
    """
    arranged = arrange(
        graph,
        options.scope,
        options.show,
        options.direction,
        settings.layout,
        settings.layout_timeout,
        translate,
        settings.column,
    )
    diagnostics = [] if arranged.diagnostic is None else [arranged.diagnostic]
    found: list[Step] = []
    if opens and arranged.view is not graph:
        try:
            found += _steps(graph, arranged.view, options, settings, translate)
        except DiagnosticError as error:
            diagnostics.append(error.diagnostic)
    layout = FigureLayout(
        prefix=prefix,
        show=options.show,
        direction=options.direction,
        width=options.width,
        alt=options.alt or alternative(graph, translate),
        view=None if arranged.view is graph else arranged.view,
        folded=arranged.folded,
        layout=arranged.layout,
        steps=tuple(found),
    )
    return layout, diagnostics


def _steps(
    graph: Graph, drawn: Graph, options: Options, settings: Settings, translate: Translate
) -> Iterator[Step]:
    """Yield the steps of a folded drawing, up to one whose layout takes too long."""
    show, direction, engine = options.show, options.direction, settings.layout
    for view in steps(graph, options.scope, drawn):
        try:
            _, layout = draw_view(
                view, show, direction, engine, settings.layout_timeout, translate, settings.column
            )
        except LayoutTimeoutError:
            return  # a larger one would take even longer
        yield Step(None if view is graph else view, layout)
