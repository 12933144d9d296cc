"""Layout of DOT texts by an engine in a process of its own: places of boxes and arrows."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.core.settings import Engine
from sphinx_autogradgraph.graph.records import Record
from sphinx_autogradgraph.render.labels import Lines

Point = tuple[float, float]


class Route(Record, frozen=True):
    """Path of an arrow: a cubic Bézier spline, the tip of its head, and the centre of its words."""

    points: tuple[Point, ...]
    tip: Point | None
    words: Point | None = None

    def moved(self, move: Callable[[Point], Point]) -> Route:
        """Return the route with every point moved."""
        return Route(
            tuple(map(move, self.points)),
            None if self.tip is None else move(self.tip),
            None if self.words is None else move(self.words),
        )


class Frame(NamedTuple):
    """Rectangle of a frame around boxes, and the centre of its label."""

    left: float
    top: float
    width: float
    height: float
    label: Point

    def holds(self, point: Point) -> bool:
        """Whether a point is inside."""
        x, y = point[0] - self.left, point[1] - self.top
        return 0 < x < self.width and 0 < y < self.height


@dataclass(frozen=True)
class Layout:
    """Positions of everything in a drawing, in points from the upper left; boxes by their centres.

    ``lines`` is the number of lines for the words of a box.
    """

    width: float
    height: float
    boxes: Mapping[str, Point]
    routes: Mapping[str, Route]
    frames: Mapping[str, Frame]
    lines: Lines = 1

    def to_dict(self) -> dict[str, Any]:
        """Return the layout as plain data for JSON."""
        return {
            "size": [self.width, self.height],
            "lines": self.lines,
            "frames": {key: list(frame) for key, frame in self.frames.items()},
            "boxes": {key: list(point) for key, point in self.boxes.items()},
            "routes": {
                key: {
                    "points": [list(point) for point in route.points],
                    "tip": route.tip,
                    "words": route.words,
                }
                for key, route in self.routes.items()
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Layout:
        """Make the layout of the data that :meth:`to_dict` returned."""
        width, height = data["size"]
        return cls(
            width=width,
            height=height,
            lines=data["lines"],
            frames={
                key: Frame(left, top, width, height, (x, y))
                for key, (left, top, width, height, (x, y)) in data["frames"].items()
            },
            boxes={key: (x, y) for key, (x, y) in data["boxes"].items()},
            routes={
                key: Route(
                    tuple((x, y) for x, y in route["points"]),
                    None if route["tip"] is None else (route["tip"][0], route["tip"][1]),
                    None if route["words"] is None else (route["words"][0], route["words"][1]),
                )
                for key, route in data["routes"].items()
            },
        )


SHORT = 20_000
"""Number of characters of DOT up to which layouts are kept for equal graphs."""


class LayoutTimeoutError(DiagnosticError):
    """Raised when an engine exceeds its timeout."""


def lay_out(
    dots: Sequence[str], engine: Engine = "graphviz-pure", timeout: float = 30.0
) -> list[Layout]:
    """Lay out DOT texts in one run of the engine.  ``timeout`` is in seconds.

    Equal texts are laid out once, also those of earlier calls if they are short.  Raises
    :exc:`.DiagnosticError` (``layout``) when the engine is missing or fails,
    :exc:`LayoutTimeoutError` when it takes too long.
    """
    different = tuple(dict.fromkeys(dots))
    short = sum(map(len, different)) <= SHORT
    layouts = (_lay_out_once if short else _lay_out)(different, engine, timeout)
    by_text = dict(zip(different, layouts, strict=True))
    return [by_text[text] for text in dots]


def _lay_out(dots: tuple[str, ...], engine: Engine, timeout: float) -> list[Layout]:
    output, said = run_engine(engine, "json0", "\n".join(dots), timeout)
    try:
        layouts = _read_all(output)
        if len(layouts) != len(dots):
            raise ValueError(f"{len(layouts)} layouts of {len(dots)} graphs")
    except (ValueError, msgspec.MsgspecError) as error:
        raise _failed(engine, str(error), said) from None
    return layouts


# The pages of a tutorial often draw one graph again, with another caption or table.
_lay_out_once = lru_cache(maxsize=128)(_lay_out)


def run_engine(engine: Engine, form: str, dot: str, timeout: float) -> tuple[bytes, str]:
    """Run the engine on a DOT text; return its output in the given format, and its messages.

    Raises what :func:`lay_out` raises.
    """
    values = {"engine": engine, "seconds": f"{timeout:g}"}
    try:
        # In a group of its own: a child that the engine leaves behind could hold its pipes.
        process = subprocess.Popen(
            [find_engine(engine), f"-T{form}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=os.name == "posix",
        )
    except OSError as error:
        diagnostic = Diagnostic(
            "layout",
            "{engine} cannot be started: {reason}",
            {**values, "reason": error.strerror or type(error).__name__},
        )
        raise DiagnosticError(diagnostic) from None
    try:
        output, errors = process.communicate(dot.encode(), timeout)
    except subprocess.TimeoutExpired:
        _kill(process)
        diagnostic = Diagnostic(
            "layout",
            "{engine} did not lay the graph out within {seconds} seconds; draw less of it "
            "(:depth:, :fold:, :around:), or raise autogradgraph_layout_timeout",
            values,
        )
        raise LayoutTimeoutError(diagnostic) from None
    except BaseException:
        _kill(process)
        raise
    said = errors.decode(errors="replace").strip()
    if process.returncode:
        raise _failed(engine, f"status {process.returncode}", said)
    return output, said


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, without waiting for its pipes."""
    if os.name == "posix":
        # Also where the process itself has ended: what it left behind is in its group.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _failed(engine: Engine, reason: str, said: str) -> DiagnosticError:
    values = {"engine": engine, "reason": reason}
    return DiagnosticError(Diagnostic("layout", "{engine} failed: {reason}", values, detail=said))


@cache
def find_engine(engine: Engine) -> str:
    """Return the path of the engine's executable.

    Raises :exc:`.DiagnosticError` (``layout``) when it is not installed.
    """
    if engine == "dot":
        found = shutil.which("dot")
        advice = Message("install Graphviz, or set autogradgraph_layout = 'graphviz-pure'")
    else:
        found = _find_graphviz_pure()
        advice = Message("pip install graphviz-pure")
    if found is None:
        raise DiagnosticError(
            Diagnostic(
                "layout",
                "the layout engine {engine} is not installed; {advice}",
                {"engine": engine, "advice": advice},
                build_wide=True,
            )
        )
    return found


def _find_graphviz_pure() -> str | None:
    """Find the executable that the wheel installed; in an inactive venv it is not on PATH."""
    name = "graphviz-pure.exe" if os.name == "nt" else "graphviz-pure"
    # Nearly always it is beside Python; to read the metadata of packages takes longer.
    beside = os.path.join(os.path.dirname(sys.executable), name)
    if os.path.isabs(beside) and os.access(beside, os.X_OK):
        return beside
    try:
        distribution = importlib.metadata.distribution("graphviz-pure")
    except importlib.metadata.PackageNotFoundError:
        return None
    for path in _places(distribution, name):
        if os.access(path, os.X_OK):
            return os.path.realpath(path)
    return shutil.which(name)


def _places(distribution: importlib.metadata.Distribution, name: str) -> Iterator[Path]:
    """Yield the places where the executable of that name may be; the wheel's own list tells it."""
    for file in distribution.files or ():
        if file.name == name:
            yield Path(str(file.locate()))
    yield Path(sysconfig.get_path("scripts"), name)  # this reads all variables of Python's build
    yield Path(str(distribution.locate_file("bin")), name)  # after pip install --target


class _Object(msgspec.Struct):
    """A box, which has a place, or a frame, which has a rectangle, in the engine's output."""

    name: str
    pos: str | None = None
    bb: str = ""
    lp: str = ""


class _Edge(msgspec.Struct):
    """An arrow in the engine's output: its route, and the centre of its words."""

    id: str
    pos: str
    lp: str | None = None


class _Output(msgspec.Struct):
    """One graph in the engine's output."""

    bb: str
    objects: list[_Object] = []
    edges: list[_Edge] = []


_OUTPUTS = msgspec.json.Decoder(list[_Output])
_POINTS = msgspec.json.Decoder(list[Point])


def _read_all(output: bytes) -> list[Layout]:
    """Read the layouts in Graphviz' ``json0`` output, where the texts of graphs follow each other.

    Of all lines, only the first and the last one of a graph have no indent.
    """
    graphs = output.strip().replace(b"\n}\n{", b"\n},{")
    return [_read(data) for data in _OUTPUTS.decode(b"[%b]" % graphs)]


def _read(data: _Output) -> Layout:
    """Read a layout, upside down because the engine's y axis points up."""
    _, _, width, height = map(float, data.bb.split(","))

    def points(text: str) -> list[Point]:
        places = _POINTS.decode(f"[[{text.replace(' ', '],[')}]]")
        return [(round(x, 1), round(height - y, 1)) for x, y in places]

    boxes, frames, routes = {}, {}, {}
    for item in data.objects:
        if item.pos is not None:
            (boxes[item.name],) = points(item.pos)
        elif item.bb:
            left, low, right, high = map(float, item.bb.split(","))
            (label,) = points(item.lp)
            frames[item.name.removeprefix("cluster_")] = Frame(
                left=round(left, 1),
                top=round(height - high, 1),
                width=round(right - left, 1),
                height=round(high - low, 1),
                label=label,
            )
    for edge in data.edges:
        found = points(edge.pos.removeprefix("e,"))
        tip = found.pop(0) if edge.pos.startswith("e,") else None
        words = None if edge.lp is None else points(edge.lp)[0]
        routes[edge.id] = Route(tuple(found), tip, words)
    return Layout(round(width, 1), round(height, 1), boxes, routes, frames)
