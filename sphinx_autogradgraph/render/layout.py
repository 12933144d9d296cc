"""DOT → where the boxes and arrows go, by a layout engine in a process of its own."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.core.settings import Engine

Point = tuple[float, float]


@dataclass(frozen=True)
class Route:
    """The way of an arrow: a cubic Bézier spline, and the tip of its head."""

    points: tuple[Point, ...]
    tip: Point | None


class Frame(NamedTuple):
    """Where a frame around boxes is, and the centre of its label."""

    left: float
    top: float
    width: float
    height: float
    label: Point


@dataclass(frozen=True)
class Layout:
    """Where things are, in points, from the upper left; boxes by their centres."""

    width: float
    height: float
    boxes: Mapping[str, Point]
    routes: Mapping[str, Route]
    frames: Mapping[str, Frame]

    def to_dict(self) -> dict[str, Any]:
        """The layout as plain data for JSON."""
        return {
            "size": [self.width, self.height],
            "frames": {key: list(frame) for key, frame in self.frames.items()},
            "boxes": {key: list(point) for key, point in self.boxes.items()},
            "routes": {
                key: {"points": [list(point) for point in route.points], "tip": route.tip}
                for key, route in self.routes.items()
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Layout:
        """The layout of which ``data`` is the :meth:`to_dict`."""
        width, height = data["size"]
        return cls(
            width=width,
            height=height,
            frames={
                key: Frame(left, top, width, height, (x, y))
                for key, (left, top, width, height, (x, y)) in data["frames"].items()
            },
            boxes={key: (x, y) for key, (x, y) in data["boxes"].items()},
            routes={
                key: Route(
                    tuple((x, y) for x, y in route["points"]),
                    None if route["tip"] is None else (route["tip"][0], route["tip"][1]),
                )
                for key, route in data["routes"].items()
            },
        )


class LayoutTimeoutError(DiagnosticError):
    """Raised where an engine takes too long."""


def lay_out(dot: str, engine: Engine = "graphviz-pure", timeout: float = 30.0) -> Layout:
    """Place what a DOT text describes.  ``timeout`` is in seconds.

    Raises :exc:`.DiagnosticError` (``layout``) when the engine is missing or
    fails, :exc:`LayoutTimeoutError` when it takes too long.
    """
    values = {"engine": engine, "seconds": f"{timeout:g}"}
    try:
        done = subprocess.run(
            [find_engine(engine), "-Tjson0"],
            input=dot.encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        diagnostic = Diagnostic(
            "layout",
            "{engine} did not lay the graph out within {seconds} seconds; draw less of it "
            "(:depth:, :fold:, :around:), or raise autogradgraph_layout_timeout",
            values,
        )
        raise LayoutTimeoutError(diagnostic) from None
    except OSError as error:
        diagnostic = Diagnostic(
            "layout",
            "{engine} cannot be started: {reason}",
            {**values, "reason": error.strerror or type(error).__name__},
        )
        raise DiagnosticError(diagnostic) from None
    try:
        if done.returncode:
            raise ValueError(f"status {done.returncode}")
        return _read(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError) as error:
        said = done.stderr.decode(errors="replace").strip()
        diagnostic = Diagnostic(
            "layout", "{engine} failed: {reason}", {**values, "reason": str(error)}, detail=said
        )
        raise DiagnosticError(diagnostic) from None


@cache
def find_engine(engine: Engine) -> str:
    """The path of the engine's executable.

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
            )
        )
    return found


def _find_graphviz_pure() -> str | None:
    """The executable that the wheel installs; in a venv that is not activated it is not on PATH."""
    name = "graphviz-pure.exe" if os.name == "nt" else "graphviz-pure"
    try:
        distribution = importlib.metadata.distribution("graphviz-pure")
    except importlib.metadata.PackageNotFoundError:
        return None
    candidates = [
        Path(str(file.locate())) for file in distribution.files or () if file.name == name
    ]
    candidates += [
        Path(sysconfig.get_path("scripts"), name),
        Path(str(distribution.locate_file("bin")), name),  # after pip install --target
    ]
    for path in candidates:
        if os.access(path, os.X_OK):
            return os.path.realpath(path)
    return shutil.which(name)


def _read(data: Mapping[str, Any]) -> Layout:
    """The layout in Graphviz' ``json0`` output, turned upside down: its y axis points up."""
    _, _, width, height = (float(number) for number in data["bb"].split(","))

    def point(text: str) -> Point:
        x, y = text.split(",")
        return round(float(x), 1), round(height - float(y), 1)

    boxes, frames = {}, {}
    for item in data.get("objects", ()):
        if "pos" in item:
            boxes[item["name"]] = point(item["pos"])
        elif "bb" in item:
            left, low, right, high = (float(number) for number in item["bb"].split(","))
            frames[item["name"].removeprefix("cluster_")] = Frame(
                left=round(left, 1),
                top=round(height - high, 1),
                width=round(right - left, 1),
                height=round(high - low, 1),
                label=point(item["lp"]),
            )
    routes = {}
    for edge in data.get("edges", ()):
        tip = None
        points = []
        for part in edge["pos"].split():
            if part.startswith("e,"):
                tip = point(part[2:])
            else:
                points.append(point(part.removeprefix("s,")))
        routes[edge["id"]] = Route(tuple(points), tip)
    return Layout(round(width, 1), round(height, 1), boxes, routes, frames)
