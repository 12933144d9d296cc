"""Page of mystmd: its syntax tree, in which figures replace markers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.figures.page_figures import FinishedFigure
from sphinx_autogradgraph.figures.plan import Figure
from sphinx_autogradgraph.figures.request import Request
from sphinx_autogradgraph.hosts.markdown.converters import PageHost, pages_below
from sphinx_autogradgraph.hosts.markdown.site import MarkdownSite, warning_text
from sphinx_autogradgraph.hosts.myst.myst_nodes import failed_nodes, figure_nodes
from sphinx_autogradgraph.hosts.myst.myst_text import MystTextPage
from sphinx_autogradgraph.hosts.myst.myst_tree import MARKER, Node, walk
from sphinx_autogradgraph.program.fences import FIGURE, REFERENCE, SETUP, SKIP, Fence
from sphinx_autogradgraph.program.notebook_cells import is_python
from sphinx_autogradgraph.program.source_lines import line_of_code, source_lines

FORM = "form"
"""Option of this host alone: whether a figure is an image or Mermaid text."""


def draw_page(root: Node, project: Path) -> tuple[list[str], bool]:
    """Replace markers by figures; return the warnings, and whether they end the build."""
    items = list(_items(root))
    site = MarkdownSite(project, pages=project, opens=False)
    path = _file_of(project, [(node, fence) for node, _, fence in items])
    name = None if path is None else path.relative_to(project).with_suffix("").as_posix()
    host = PageHost(project, None if path is None else str(path), name, project)
    page = MystPage(site, host, [(node, fence) for node, _, fence in items])
    try:
        page.draw()
    finally:
        site.close()
    for node, parent, fence in items:
        if node["type"] == MARKER:
            children = parent["children"]
            at = next(index for index, child in enumerate(children) if child is node)
            children[at : at + 1] = page.nodes_of(fence)
    return page.warnings, bool(page.warnings) and site.settings.strict


def _items(root: Node) -> Iterator[tuple[Node, Node, Fence]]:
    """Yield the markers and Python blocks of a page, each with its parent and as a fence."""
    for node, parent in walk(root):
        line = ((node.get("position") or {}).get("start") or {}).get("line", 0)
        if node["type"] == MARKER:
            yield node, parent, _fence_of(node["data"], line)
        elif node["type"] == "code" and is_python(node.get("lang") or ""):
            tags = (parent.get("data") or {}).get("tags") or ()
            classes = (node.get("class") or "").split()
            classes += [SKIP] if SKIP in tags else []
            yield node, parent, Fence.of("python", {}, node["value"], "", classes, line)


def _fence_of(data: Node, line: int) -> Fence:
    """Convert the data of a directive to the fence that all Markdown hosts share."""
    if data["name"] == SETUP:
        return Fence.of(SETUP, {}, data["body"], line=line)
    options = {}
    for key, value in data["options"].items():
        if key == "caption":
            options[key] = "".join(node.get("value", "") for node, _ in walk({"children": value}))
        else:
            options[key] = "" if value in (True, None) else str(value)
    if data["arg"]:
        options[REFERENCE] = str(data["arg"])
    return Fence.of(FIGURE, options, data["body"], line=line)


def _file_of(project: Path, items: Sequence[tuple[Node, Fence]]) -> Path | None:
    """Find the file of a page, which mystmd does not tell, by the lines of its directives."""
    for path in pages_below(project, is_myst=True):
        lines = source_lines(str(path))
        found = [
            0 < fence.line <= len(lines) and f"{{{fence.language}}}" in lines[fence.line - 1]
            if node["type"] == MARKER
            else line_of_code(fence.body, lines, 1) is not None
            for node, fence in items
        ]
        if all(found):
            return path
    return None


class MystPage(MystTextPage):
    """A page whose figures are nodes of its tree."""

    def __init__(
        self, site: MarkdownSite, host: PageHost, items: Sequence[tuple[Node, Fence]]
    ) -> None:
        lines = [] if host.path is None else source_lines(host.path)
        super().__init__(site, host, lines)
        self._items = items
        self._nodes: dict[int, list[Node]] = {}
        self.warnings: list[str] = []

    def fences(self) -> list[Fence]:
        """Return the fences of the tree."""
        return [fence for _, fence in self._items]

    def nodes_of(self, fence: Fence) -> list[Node]:
        """Return the nodes of a figure; none for code that only runs."""
        return self._nodes.get(id(fence), [])

    def warn(self, element: Fence, diagnostic: Diagnostic, figure: Fence) -> None:
        """Keep a warning for standard error, which mystmd shows with ``--debug``."""
        self.warnings.append(warning_text(self._where(element), diagnostic))

    def _request(self, fence: Fence) -> Request:
        options = {name: text for name, text in fence.options.items() if name != FORM}
        return super()._request(replace(fence, options=options))

    def place(self, figure: Figure[Fence], result: FinishedFigure | Diagnostic) -> None:
        """Keep the nodes of a figure until all are drawn."""
        options, fence = figure.request.options, figure.element
        data = next(node["data"] for node, found in self._items if found is fence)
        caption = data["options"].get("caption") or []
        if isinstance(result, Diagnostic):
            nodes = failed_nodes(options, result, caption)
        else:
            mermaid = fence.options.get(FORM) == "mermaid"
            nodes = figure_nodes(result, options, caption, mermaid=mermaid)
        code = self._code[figure.number].block
        shown = [] if code is None else [{"type": "code", "lang": "python", "value": code.code}]
        self._nodes[id(fence)] = [*shown, *nodes]
        self._html[figure.number] = ""
