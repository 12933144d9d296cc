"""The generated caption and legend of a drawing, the same on pages and in Python."""

from __future__ import annotations

from collections.abc import Sequence

from sphinx_autogradgraph.core.messages import Message, Translate, untranslated
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.text import Span, bytes_text, folded, marked, summary, title_of


def caption_and_legend(
    graph: Graph,
    view: Graph | None,
    notes: Sequence[Message],
    *,
    has_caption: bool = False,
    translate: Translate = untranslated,
) -> tuple[list[Span], list[Span]]:
    """Return the generated caption of a drawing, and its legend.

    ``view`` is what is drawn if the graph folded by itself, else None.

    Where the author wrote a caption (``has_caption``), the generated one begins the legend.
    """
    first, rest = title_of(graph, translate), summary(graph, translate)
    legend = [*first, Span("text", " "), *rest] if has_caption else list(rest)
    if view is not None:
        legend += [Span("text", " "), *folded(graph, view, translate)]
    held = sum(node.saved_bytes or 0 for node in graph.nodes)
    if held:
        kept = translate("Kept for backward: {size}.").format(size=bytes_text(held))
        legend.append(Span("text", f" {kept}"))
    for note in notes:
        legend += [Span("text", " "), *marked(note.sentence(translate))]
    return first, legend
