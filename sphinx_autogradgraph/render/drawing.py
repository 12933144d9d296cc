"""The Drawing of a Graph, which can be shown and saved in many formats."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import graphviz

from sphinx_autogradgraph.core.diagnostics import DiagnosticError
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.core.settings import COLUMN
from sphinx_autogradgraph.core.show import SHOW, Show
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.arrange import Arranged, arrange
from sphinx_autogradgraph.render.captions import caption_and_legend
from sphinx_autogradgraph.render.diagram import DIRECTIONS, Diagram, Direction
from sphinx_autogradgraph.render.dot import labelled_digraph_of
from sphinx_autogradgraph.render.latex_picture import latex_of
from sphinx_autogradgraph.render.layout import Layout, run_engine
from sphinx_autogradgraph.render.mermaid import flowchart_of
from sphinx_autogradgraph.render.notebook_html import notebook_html
from sphinx_autogradgraph.render.svg import legend_html, svg_of
from sphinx_autogradgraph.render.text import (
    Span,
    alternative,
    plain,
    title_of,
)
from sphinx_autogradgraph.render.text_tree import tree
from sphinx_autogradgraph.views.choice import EVERYTHING, Scope, views, wanted_view

TIMEOUT = 60.0
"""Timeout of the engine for a PNG, in seconds."""

DPI = 144
"""Pixels of a PNG in an inch of 72 points: two for each unit of the drawing."""


class Drawing:
    """The drawing of a Graph.  It shows itself in notebooks, and can be saved.

    ``show`` are words of :data:`.SHOW`, ``direction`` is one
    of :data:`.DIRECTIONS`, ``scope`` is what of the graph is
    drawn; :exc:`ValueError` for other words, and for a scope of what is not in the graph.
    ``width`` is the pixels of the column that it is made for, None for one line of words at any
    width.  ``notes`` are sentences that end the caption.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        show: Sequence[Show] = ("shape",),
        direction: Direction = "TB",
        scope: Scope = EVERYTHING,
        width: float | None = COLUMN,
        notes: Sequence[Message] = (),
    ) -> None:
        for word in show:
            if word not in SHOW:
                raise ValueError(f"show has no {word!r}; choose from {', '.join(SHOW)}")
        if direction not in DIRECTIONS:
            raise ValueError(f"direction cannot be {direction!r}; choose from {DIRECTIONS}")
        self.graph = graph
        self._show = tuple(word for word in SHOW if word in show)
        self._direction = direction
        self._scope = scope
        self._width = width
        self._notes = tuple(notes)
        try:
            self._wanted = wanted_view(graph, scope)
        except DiagnosticError as error:
            raise ValueError(error.diagnostic.sentence()) from None

    def __repr__(self) -> str:
        return self.text

    @property
    def caption(self) -> str:
        """The generated caption: outputs, leaves, the chain of grad_fn."""
        return " ".join(map(plain, self._sentences))

    @property
    def _sentences(self) -> tuple[list[Span], list[Span]]:
        """The first sentence of the caption, and the others."""
        return caption_and_legend(
            self.graph, self._view, self._show, self._notes, is_folded=self._folds
        )

    @property
    def text(self) -> str:
        """The graph as a tree where it is small, and the caption."""
        return "\n\n".join(filter(None, [tree(self._view), self.caption]))

    @property
    def digraph(self) -> graphviz.Digraph:
        """A new :class:`graphviz.Digraph` with labels and colours, which callers may change."""
        return labelled_digraph_of(self._diagram)

    @property
    def dot(self) -> str:
        """The DOT text of :attr:`digraph`."""
        return str(self.digraph.source)

    @cached_property
    def mermaid(self) -> str:
        """The text of a Mermaid flowchart, which GitHub and others draw where it stands.

        What has more edges than Mermaid draws is folded for it.
        """
        return flowchart_of(self.graph, self._scope, self._show, self._direction, self.caption)

    @cached_property
    def svg(self) -> str:
        """The drawing as a complete SVG file, with its style sheet.

        Raises :exc:`.DiagnosticError` when the layout engine fails.
        """
        return svg_of(
            self._diagram,
            self._layout,
            prefix="autogradgraph",
            title=plain(title_of(self.graph)),
            description=alternative(self.graph),
            standalone=True,
        )

    def save(self, path: str | Path) -> Path:
        """Write the drawing to a file, in the form that its ending names; return its path.

        ``.svg``, ``.pdf`` (with the extra ``[pdf]``), ``.png``, ``.mmd`` (Mermaid), ``.dot``,
        ``.json`` (the Graph) or ``.txt``.  Raises :exc:`ValueError` for another ending,
        :exc:`OSError` if the file cannot be written.
        """
        target = Path(path)
        form = FORMS.get(target.suffix.lower())
        if form is None:
            endings = ", ".join(FORMS)
            raise ValueError(f"unsupported extension {target.suffix}; use {endings}")
        target.write_bytes(form(self))
        return target

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        """Return the drawing in all formats for notebooks: HTML, SVG, text, PDF.

        Without the extra ``[pdf]`` there is LaTeX in place of PDF.
        """
        forms: dict[str, Callable[[], str]] = {
            "text/html": lambda: self.html,
            "image/svg+xml": lambda: self.svg,
            "text/plain": lambda: self.text,
        }
        if importlib.util.find_spec("reportlab") is None:
            forms["text/latex"] = self._latex
        else:  # what is binary stands in notebooks as base64
            forms["application/pdf"] = lambda: base64.b64encode(self._pdf()).decode()
        return {
            kind: form()
            for kind, form in forms.items()
            if (not include or kind in include) and kind not in (exclude or ())
        }

    @property
    def html(self) -> str:
        """The figure as HTML, with its caption and its style sheet; the ids differ on each access.

        Raises what :attr:`svg` raises.
        """
        graph = self.graph
        prefix = _prefix(graph.to_json() + self.dot)
        svg = svg_of(
            self._diagram,
            self._layout,
            prefix=prefix,
            title=plain(title_of(graph)),
            description=alternative(graph),
            plain=True,
        )
        below = legend_html(self._diagram, plain=True)
        still = self.svg, alternative(graph)
        return notebook_html(svg, *still, graph, *self._sentences, below)

    def _repr_html_(self) -> str:
        """Return the HTML for sphinx-gallery."""
        return self.html

    def _mime_(self) -> tuple[str, str]:
        """Return the HTML for marimo, which would put HTML with a script into a small frame."""
        # Marimo's own styles let nobody show what is hidden; it strips nothing, so nothing need be.
        return "text/html", self.html.replace('autogradgraph-alive" hidden', 'autogradgraph-alive"')

    def _latex(self) -> str:
        """Return the drawing in LaTeX with its caption, or the caption alone if it is too large."""
        return latex_of(self._diagram, self._layout, self.caption)

    @cached_property
    def _view(self) -> Graph:
        """The view that is drawn, or would be drawn if a layout engine were installed."""
        try:
            return self._arranged.view
        except DiagnosticError:
            return next(views(self._wanted, self._scope))

    @property
    def _folds(self) -> bool:
        """Whether the view was folded by itself."""
        try:
            return self._arranged.folded
        except DiagnosticError:
            return len(self._view.nodes) < len(self._wanted.nodes)

    @cached_property
    def _arranged(self) -> Arranged:
        return arrange(self.graph, self._scope, self._show, self._direction, column=self._width)

    @property
    def _diagram(self) -> Diagram:
        return self._arranged.diagram

    @property
    def _layout(self) -> Layout:
        return self._arranged.layout

    def _pdf(self) -> bytes:
        from sphinx_autogradgraph.render.pdf import pdf_of

        return pdf_of(self._diagram, self._layout, plain(title_of(self.graph)))

    def _png(self) -> bytes:
        digraph = self.digraph
        digraph.attr("graph", dpi=str(DPI), bgcolor="white")
        return run_engine("graphviz-pure", "png", digraph.source, TIMEOUT)[0]


_shown: Counter[str] = Counter()
"""Number of times that each drawing has been shown in this process."""


def _prefix(text: str) -> str:
    """Return the prefix of a drawing's ids: unique on its page, and the same in each build."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    _shown[digest] += 1
    again = f"-{_shown[digest]}" if _shown[digest] > 1 else ""
    return f"autogradgraph-{digest}{again}"


FORMS: dict[str, Callable[[Drawing], bytes]] = {
    ".svg": lambda drawing: drawing.svg.encode(),
    ".pdf": lambda drawing: drawing._pdf(),
    ".png": lambda drawing: drawing._png(),
    ".mmd": lambda drawing: drawing.mermaid.encode(),
    ".dot": lambda drawing: drawing.dot.encode(),
    ".json": lambda drawing: drawing.graph.to_json().encode(),
    ".txt": lambda drawing: f"{drawing.text}\n".encode(),
}
"""Functions that make the content of a file, by the endings of its name."""
