"""``autogradgraph sync``: graphs in files whose code no tool runs, as a README or MDX page.

Between its two comments (see :mod:`.markers`) a text has a Mermaid block, or shows a file with the
drawing.  The program is the text's own Python above, or what ``reference`` names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from sphinx_autogradgraph.core.atomic_files import write_aside
from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.core.settings import Settings, read_settings
from sphinx_autogradgraph.figures.drawings import drawing_of
from sphinx_autogradgraph.figures.options import Options, parse_options
from sphinx_autogradgraph.figures.plan import Figure, Plan
from sphinx_autogradgraph.figures.request import Request
from sphinx_autogradgraph.graph.diff import differences
from sphinx_autogradgraph.hosts.markdown.converters import project_root
from sphinx_autogradgraph.program.fences import REFERENCE, Fence
from sphinx_autogradgraph.program.markers import (
    Marker,
    MarkerError,
    lines_of_text,
    markers_and_fences,
)
from sphinx_autogradgraph.program.notebook_cells import python_of
from sphinx_autogradgraph.program.program import Block, display_path
from sphinx_autogradgraph.render.drawing import Drawing
from sphinx_autogradgraph.render.drawn_graph import graph_in_mermaid, graph_in_svg
from sphinx_autogradgraph.runtime.client import Runner
from sphinx_autogradgraph.runtime.result import Traced

SVG = "svg"
NAMES = (
    "tensor", REFERENCE, SVG, "alt", "show", "direction", "depth", "fold", "around", "until",
    "seed", "timeout", "skip",
)  # fmt: skip
"""Options of a comment: those shared with the directive, the reference, and the SVG file."""


@dataclass
class Synced:
    """Wanted state of a file: its text and the drawings that it shows.

    ``changes`` tell how each outdated place differs, with its line.  ``faults`` tell what could
    not be drawn; a file with faults is to be left alone.
    """

    text: str = ""
    drawings: dict[Path, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write the drawings, then the text; :exc:`OSError` for what cannot be written."""
        for drawing, svg in self.drawings.items():
            if _text_of(drawing) != svg:
                write_aside(drawing, svg.encode())
        target = path.resolve()  # a link stays one
        data = self.text.encode()
        if data != target.read_bytes():
            mode = target.stat().st_mode
            write_aside(target, data)
            target.chmod(mode)


def sync_files(paths: Sequence[Path], *, check: bool) -> tuple[list[str], list[str]]:
    """Put the graphs of today into files, or only compare them with ``check``.

    A fault in one file does not keep others from being written.  Returns a line for each change and
    each fault.
    """
    changes: list[str] = []
    faults: list[str] = []
    with ExitStack() as stack:
        # Files of several projects may come together; the settings of each say what programs see.
        runners: dict[str, Runner] = {}

        def runner_for(settings: Settings) -> Runner:
            key = repr(settings.environment)
            if key not in runners:
                runners[key] = stack.enter_context(Runner(environment=settings.environment))
            return runners[key]

        for path in paths:
            try:
                synced = sync_text(path, runner_for)
                if synced.changes and not synced.faults and not check:
                    synced.write(path)
            except OSError as error:
                values = {"file": str(path), "reason": error.strerror or type(error).__name__}
                text = Message("{file} cannot be read or written: {reason}", values)
                faults.append(text.sentence())
                continue
            except UnicodeDecodeError as error:
                values = {"file": str(path), "reason": error.reason}
                faults.append(Message("{file} is not a text in UTF-8: {reason}", values).sentence())
                continue
            faults += synced.faults
            changes += [] if synced.faults else synced.changes
    return changes, faults


def sync_text(path: Path, runner_for: Callable[[Settings], Runner]) -> Synced:
    """Return the wanted state of a file; nothing is written.

    Raises :exc:`OSError` and :exc:`UnicodeDecodeError` for a file that cannot be read.
    """
    lines = lines_of_text(path.read_bytes().decode("utf-8"))
    synced = Synced("".join(lines))
    try:
        items = markers_and_fences([line.rstrip("\r\n") for line in lines])
        settings = read_settings(project_root(path.absolute().parent))
    except MarkerError as error:
        synced.faults.append(f"{path}:{error.line}: {error.message.sentence()}")
        return synced
    except DiagnosticError as error:
        synced.faults.append(f"{path}: {error.diagnostic.report()}")
        return synced
    if settings.execution == "never" and any(isinstance(item, Marker) for item in items):
        text = Message(
            "execution is 'never' in [tool.autogradgraph] of pyproject.toml: graphs of this file "
            "come from code that is run"
        )
        synced.faults.append(f"{path}: {text.sentence()}")
        return synced
    figures = _run(path, items, settings, runner_for, synced)
    for figure in reversed(figures):  # from below, so that the lines above stay where they are
        if not figure.request.options.skip and not synced.faults:
            _put_in(figure, path, lines, synced)
    synced.changes.reverse()
    synced.text = "".join(lines)
    return synced


def _run(
    path: Path,
    items: Sequence[Marker | Fence],
    settings: Settings,
    runner_for: Callable[[Settings], Runner],
    synced: Synced,
) -> list[Figure[Marker | Fence]]:
    """Run the programs of a file; return its figures with their traces, and note faults."""
    here, root = path.absolute().parent, Path.cwd()
    file = display_path(path, root)
    plan: Plan[Marker | Fence] = Plan()
    for place, item in enumerate(items):
        if isinstance(item, Marker):
            plan.add_figure(item, _request(item, here, root, settings), place)
        elif item.runs:
            code = python_of(item.body) + "\n"
            plan.add_block(item, Block(code, file, str(path.absolute()), item.line + 1))
    found = [
        (figure.element, fault) for figure in plan.figures for fault in figure.request.diagnostics
    ]
    runs = plan.programs(str(here), str(root))
    places = tuple(os.path.join(project_root(here), entry) for entry in settings.path)
    programs = [replace(run.program, path=places, memory=settings.memory) for run in runs]
    for run, result in zip(runs, runner_for(settings).run(programs), strict=True):
        for figure, outcome in zip(run.figures, result.targets, strict=True):
            figure.outcome = outcome
        found += run.diagnostics()
    synced.faults += [f"{path}:{item.line}: {fault.report()}" for item, fault in found]
    return plan.figures


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
            values = {"name": name, "choices": ", ".join(sorted(NAMES))}
            text = "there is no option {name}; the options are {choices}"
            yield Diagnostic("option", text, values)
    svg = marker.options.get(SVG)
    if svg is not None and not svg.lower().endswith(".svg"):
        yield Diagnostic("option", "svg {file} does not end in .svg", {"file": repr(svg)})


def _put_in(figure: Figure[Marker | Fence], path: Path, lines: list[str], synced: Synced) -> None:
    """Put a drawing into the lines of its file, and note how it differs from what is there."""
    marker, outcome = figure.element, figure.outcome
    assert isinstance(marker, Marker), "what is drawn is a place"
    assert isinstance(outcome, Traced), "places without faults are drawn"
    options = figure.request.options
    try:
        drawing = drawing_of(outcome, options)
        name = marker.options.get(SVG)
        content = _mermaid(drawing) if name is None else _image(drawing, options, name)
        svg = "" if name is None else drawing.svg
    except (ValueError, DiagnosticError) as error:
        synced.faults.append(f"{path}:{marker.line}: {error}")
        return
    first = lines[marker.line - 1]
    end = first[len(first.rstrip("\r\n")) :]
    new = [(marker.indent + line).rstrip() + end for line in content]
    old = "".join(lines[marker.line : marker.end - 1])
    lines[marker.line : marker.end - 1] = new
    differs = old != "".join(new)
    plain = "\n".join(old.splitlines())
    graphs = graph_in_mermaid(plain), graph_in_mermaid(drawing.mermaid)
    if name is not None:
        file = Path(os.path.normpath(path.parent / name))
        if synced.drawings.setdefault(file, svg) != svg:
            text = Message("two places of the file want other drawings in {file}", {"file": name})
            synced.faults.append(f"{path}:{marker.line}: {text.sentence()}")
        kept = _text_of(file)
        differs = differs or kept != svg
        graphs = graph_in_svg(kept), graph_in_svg(svg)
    if differs:
        before, after = graphs
        words = [] if before is None or after is None else differences(before, after)
        synced.changes.append(_change(f"{path}:{marker.line}", bool(old.strip(" \t>\r\n")), words))


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
        return file.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""


def _change(place: str, filled: bool, words: Sequence[str]) -> str:
    """Describe the change at a place."""
    if not filled:
        text = Message("there is no graph here yet")
    elif words:
        text = Message("the graph is not the one that the code gives")
    else:
        text = Message("the drawing is not the one that the code gives")
    return "\n    ".join([f"{place}: {text.sentence()}", *words])
