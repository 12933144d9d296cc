"""``autogradgraph sync``: graphs in files whose code no tool runs, as a README or MDX page.

Between its two comments (see :mod:`.markers`) a text has a Mermaid block, or shows a file with the
drawing.  The program is the text's own Python above, or what ``reference`` names.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from sphinx_autogradgraph.core.atomic_files import write_aside
from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.messages import Message, not_utf8
from sphinx_autogradgraph.core.settings import Settings
from sphinx_autogradgraph.figures.drawings import FigureDrawing
from sphinx_autogradgraph.figures.html_ids import page_slug
from sphinx_autogradgraph.figures.options import Options, parse_options, unknown_option
from sphinx_autogradgraph.figures.page_figures import FinishedFigure, PageFigures
from sphinx_autogradgraph.figures.plan import Figure, Plan
from sphinx_autogradgraph.figures.request import Request
from sphinx_autogradgraph.graph.diff import differences
from sphinx_autogradgraph.graph.model import Source
from sphinx_autogradgraph.hosts.markdown.converters import project_root
from sphinx_autogradgraph.hosts.markdown.site import MarkdownSite
from sphinx_autogradgraph.program.fences import REFERENCE, Fence
from sphinx_autogradgraph.program.markers import (
    Marker,
    MarkerError,
    lines_of_text,
    markers_and_fences,
)
from sphinx_autogradgraph.program.notebook_cells import python_of
from sphinx_autogradgraph.program.observations import Observation
from sphinx_autogradgraph.program.program import Block, display_path
from sphinx_autogradgraph.render.drawing import Drawing
from sphinx_autogradgraph.render.drawn_graph import graph_in_mermaid, graph_in_svg
from sphinx_autogradgraph.render.svg import SVG_CLASS

SVG = "svg"
NAMES = (
    "tensor", REFERENCE, SVG, "alt", "show", "direction", "depth", "fold", "around", "until",
    "seed", "timeout", "skip",
)  # fmt: skip
"""Options of a comment: those shared with the directive, the reference, and the SVG file."""


class SyncedFile:
    """A file with its markers, as the pipeline uses it (:class:`.Host`).

    Reading it raises :exc:`OSError`, :exc:`UnicodeDecodeError`, and :exc:`.MarkerError`.  When its
    figures have been drawn, ``changes`` tell how each outdated place differs, with its line.
    ``faults`` tell what could not be drawn; a file with faults is to be left alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.changes: list[str] = []
        self.faults: list[str] = []
        if path.exists() and not path.is_file():  # a pipe would keep us waiting
            raise OSError(errno.EINVAL, Message("it is no regular file").sentence())
        self._lines = lines_of_text(path.read_bytes().decode("utf-8"))
        self._items = markers_and_fences([line.rstrip("\r\n") for line in self._lines])
        self._drawings: dict[Path, str] = {}
        self._finished: list[tuple[Marker, Options, FinishedFigure]] = []

    def draw(self, site: MarkdownSite) -> None:
        """Draw the figures of the file, and put them into its lines; nothing is written."""
        if site.diagnostic is not None:
            self.faults.append(f"{self.path}: {site.diagnostic.report()}")
            return
        here, root = self.path.absolute().parent, Path.cwd()
        file = display_path(self.path, root)
        plan: Plan[Marker | Fence] = Plan()
        for place, item in enumerate(self._items):
            if isinstance(item, Marker):
                plan.add_figure(item, _request(item, here, root, site.settings), place)
            elif item.runs:
                code = python_of(item.body) + "\n"
                plan.add_block(item, Block(code, file, str(self.path.absolute()), item.line + 1))
        if plan.figures and not site.pipeline.runs:
            text = Message(
                "execution is 'never' in [tool.autogradgraph] of pyproject.toml: graphs of this "
                "file come from code that is run"
            )
            self.faults.append(f"{self.path}: {text.sentence()}")
            return
        site.draw(PageFigures(plan, self, str(here), str(root), page_slug(file)))
        # From below, so that the lines above stay where they are.
        for marker, options, result in reversed(self._finished):
            if not self.faults:
                self._put_in(marker, options, result)
        self.changes.reverse()

    def write(self) -> None:
        """Write the drawings, then the text; :exc:`OSError` for what cannot be written."""
        for drawing, svg in self._drawings.items():
            if _text_of(drawing) != svg:
                write_aside(drawing, svg.encode())
        target = self.path.resolve()  # a link stays one
        data = "".join(self._lines).encode()
        if data != target.read_bytes():
            mode = target.stat().st_mode
            write_aside(target, data)
            target.chmod(mode)

    # --- the file as the pipeline sees it ---

    def warn(self, element: Marker | Fence, diagnostic: Diagnostic, figure: Marker | Fence) -> None:
        """Note a fault at a marker or a block of code."""
        self.faults.append(f"{self.path}:{element.line}: {diagnostic.report()}")

    def snapshot_path(self, figure: Figure[Marker | Fence]) -> None:
        """Return None: the file itself holds the graphs of before."""

    def depends_on(self, observations: Iterable[Observation]) -> None:
        """Do nothing: each command draws every figure anew."""

    def line_anchor(self, figure: Figure[Marker | Fence], source: Source) -> None:
        """Return None: the text has no ids of lines."""

    def place(self, figure: Figure[Marker | Fence], result: FinishedFigure | Diagnostic) -> None:
        """Keep a finished figure until all are drawn."""
        assert isinstance(figure.element, Marker), "what is drawn is a place"
        if isinstance(result, FinishedFigure):
            self._finished.append((figure.element, figure.request.options, result))

    # --- the text ---

    def _put_in(self, marker: Marker, options: Options, result: FinishedFigure) -> None:
        """Put a drawing into the lines of the file, and note how it differs from what is there."""
        drawing = FigureDrawing(result.traced, options, result.layout)
        name = marker.options.get(SVG)
        content = _mermaid(drawing) if name is None else _image(drawing, options, name)
        lines = self._lines
        first = lines[marker.line - 1]
        end = first[len(first.rstrip("\r\n")) :]
        new = [(marker.indent + line).rstrip() + end for line in content]
        old = "".join(lines[marker.line : marker.end - 1])
        lines[marker.line : marker.end - 1] = new
        differs = old != "".join(new)
        plain = "\n".join(old.splitlines())
        graphs = graph_in_mermaid(plain), graph_in_mermaid(drawing.mermaid)
        if name is not None:
            file = Path(os.path.normpath(self.path.parent / name))
            if not _is_ours(file):
                text = Message(
                    "{file} is no drawing of autogradgraph, and is not overwritten; name another "
                    "file",
                    {"file": name},
                )
                self.faults.append(f"{self.path}:{marker.line}: {text.sentence()}")
                return
            if self._drawings.setdefault(file, drawing.svg) != drawing.svg:
                text = Message(
                    "two places of the file want other drawings in {file}", {"file": name}
                )
                self.faults.append(f"{self.path}:{marker.line}: {text.sentence()}")
            kept = _text_of(file)
            differs = differs or kept != drawing.svg
            graphs = graph_in_svg(kept), graph_in_svg(drawing.svg)
        if differs:
            before, after = graphs
            words = [] if before is None or after is None else differences(before, after)
            change = _change(f"{self.path}:{marker.line}", bool(old.strip(" \t>\r\n")), words)
            self.changes.append(change)


def sync_files(paths: Sequence[Path], *, check: bool) -> tuple[list[str], list[str]]:
    """Put the graphs of today into files, or only compare them with ``check``.

    A fault in one file does not keep others from being written.  Returns a line for each change and
    each fault.
    """
    changes: list[str] = []
    faults: list[str] = []
    with ExitStack() as stack:
        # Files of several projects may come together; the settings of each say what programs see.
        sites: dict[Path, MarkdownSite] = {}
        for path in paths:
            root = project_root(path.absolute().parent)
            if root not in sites:
                sites[root] = MarkdownSite(root, "check")
                stack.callback(sites[root].close)
            try:
                file = SyncedFile(path)
                file.draw(sites[root])
                if file.changes and not file.faults and not check:
                    file.write()
            except MarkerError as error:
                faults.append(f"{path}:{error.line}: {error.message.sentence()}")
            except (OSError, UnicodeDecodeError) as error:
                faults.append(_unusable(path, error))
            else:
                faults += file.faults
                changes += [] if file.faults else file.changes
    return changes, faults


def _unusable(path: Path, error: OSError | UnicodeDecodeError) -> str:
    """Say why a file cannot be read or written."""
    if isinstance(error, UnicodeDecodeError):
        return not_utf8(str(path), error).sentence()
    values = {"file": str(path), "reason": error.strerror or type(error).__name__}
    return Message("{file} cannot be read or written: {reason}", values).sentence()


def _request(marker: Marker, here: Path, root: Path, settings: Settings) -> Request:
    texts = {name: text for name, text in marker.options.items() if name not in (REFERENCE, SVG)}
    request = Request.of(
        parse_options(texts, settings),
        marker.options.get(REFERENCE),
        None,
        directory=str(here),
        root=str(root),
        path_of=lambda file: os.path.normpath(here / file),
    )
    return replace(request, diagnostics=(*_faults(marker), *request.diagnostics))


def _faults(marker: Marker) -> Iterator[Diagnostic]:
    """Yield the diagnostics on the options that only comments have."""
    for name in marker.options:
        if name not in NAMES:
            yield unknown_option(name, NAMES)
    svg = marker.options.get(SVG)
    if svg is not None and not svg.lower().endswith(".svg"):
        yield Diagnostic("option", "svg={file} does not end in .svg", {"file": repr(svg)})


def _mermaid(drawing: Drawing) -> list[str]:
    return ["", "```mermaid", *drawing.mermaid.splitlines(), "```", ""]


def _image(drawing: Drawing, options: Options, name: str) -> list[str]:
    # With what Markdown and MDX read in a text marked as text.
    alt = re.sub(
        r"[\\`*{}\[\]<>&$]", r"\\\g<0>", " ".join((options.alt or drawing.caption).split())
    )
    return ["", f"![{alt}]({quote(name)})", ""]


def _text_of(file: Path) -> str:
    """Return the text of a file with plain line endings; empty if it cannot be read."""
    try:
        if not file.is_file():  # a pipe would keep us waiting
            return ""
        return file.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""


def _is_ours(file: Path) -> bool:
    """Whether a file may be overwritten: there is none, or an empty one, or one of our drawings."""
    text = _text_of(file)
    return f'class="{SVG_CLASS}"' in text or (
        not text and (file.is_file() or not os.path.lexists(file))
    )


def _change(place: str, filled: bool, words: Sequence[str]) -> str:
    """Describe the change at a place."""
    if not filled:
        text = Message("there is no graph here yet")
    elif words:
        text = Message("the graph is not the one that the code gives")
    else:
        text = Message("the drawing is not the one that the code gives")
    return "\n    ".join([f"{place}: {text.sentence()}", *words])
