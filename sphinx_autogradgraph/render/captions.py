"""The generated caption and legend of a drawing, the same on pages and in Python."""

from __future__ import annotations

from collections.abc import Sequence

from sphinx_autogradgraph.core.messages import Message, Translate, untranslated
from sphinx_autogradgraph.graph.model import Graph
from sphinx_autogradgraph.render.gradient_scale import GradientScale
from sphinx_autogradgraph.render.text import Span, bytes_text, folded, marked, summary, title_of


def caption_and_legend(
    graph: Graph,
    view: Graph,
    show: Sequence[str],
    notes: Sequence[Message],
    *,
    is_folded: bool = False,
    has_caption: bool = False,
    translate: Translate = untranslated,
) -> tuple[list[Span], list[Span]]:
    """Return the generated caption of a drawing, and its legend.

    ``view`` is what is drawn of the graph, by the words ``show``; ``is_folded`` if it folded by
    itself.  Where the author wrote a caption (``has_caption``), the generated begins the legend.
    """
    first, rest = title_of(graph, translate), summary(graph, translate)
    legend = [*first, Span("text", " "), *rest] if has_caption else list(rest)
    if is_folded:
        legend += [Span("text", " "), *folded(graph, view, translate)]
    held = sum(node.saved_bytes or 0 for node in graph.nodes)
    if held:
        kept = translate("Kept for backward: {size}.").format(size=bytes_text(held))
        legend.append(Span("text", f" {kept}"))
    scale = GradientScale.of(view) if "gradients" in show else None
    if scale is not None:
        legend.append(Span("text", f" {scale.sentence(translate)}"))
    for note in notes:
        legend += [Span("text", " "), *marked(note.sentence(translate))]
    return first, legend
