"""The result of running a Program, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.messages import Message
from sphinx_autogradgraph.graph import codec
from sphinx_autogradgraph.graph.model import Graph, ParameterRow, TensorRow
from sphinx_autogradgraph.program.observations import Observation


@dataclass(frozen=True)
class Traced:
    """A traced Graph, with a row on each tensor and parameter of the program where asked for.

    ``explanation`` says in words why each is or is not in the graph, if that was asked for.
    ``notes`` say, a sentence each, what was asked for and could not be done.
    """

    graph: Graph
    tensors: tuple[TensorRow, ...] = ()
    parameters: tuple[ParameterRow, ...] = ()
    explanation: str = ""
    notes: tuple[Message, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the traced Graph and rows as plain data for JSON.

        The Graph is a text in it: one of 100,000 nodes takes a second less each way than as dicts.
        """
        return {
            "graph": self.graph.to_json(),
            "tensors": codec.rows_to_plain(self.tensors),
            "parameters": codec.rows_to_plain(self.parameters),
            "explanation": self.explanation,
            "notes": [note.to_dict() for note in self.notes],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Traced:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            graph=Graph.from_canonical_json(data["graph"]),
            tensors=codec.rows_of(data["tensors"], TensorRow),
            parameters=codec.rows_of(data["parameters"], ParameterRow),
            explanation=str(data["explanation"]),
            notes=tuple(map(Message.from_dict, data["notes"])),
        )


@dataclass(frozen=True)
class Result:
    """The traced Graph, or a Diagnostic in its place, for each target of the Program.

    ``observed`` is what the program looked at, as paths on this machine.  If any of it changes, the
    result may change.  ``tracing`` is how many seconds the tracing took.
    """

    targets: tuple[Traced | Diagnostic, ...]
    observed: tuple[Observation, ...] = ()
    tracing: float = field(default=0.0, compare=False)

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the project that the program has read: modules, data, configuration."""
        return tuple(found.path for found in self.observed if found.kind == "file" and found.value)

    @classmethod
    def of_diagnostic(cls, diagnostic: Diagnostic, count: int) -> Result:
        """Return the result of a run in which each target has the same ``diagnostic``."""
        return cls(targets=(diagnostic,) * count)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data for JSON."""
        return {
            "targets": [
                {"diagnostic": item.to_dict()} if isinstance(item, Diagnostic) else item.to_dict()
                for item in self.targets
            ],
            "observed": [list(found) for found in self.observed],
            "tracing": self.tracing,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        """Read what :meth:`to_dict` wrote; raise :exc:`ValueError` for anything else."""
        try:
            targets = tuple(
                Diagnostic.from_dict(item["diagnostic"])
                if "diagnostic" in item
                else Traced.from_dict(item)
                for item in data["targets"]
            )
            observed = tuple(map(Observation.of, data["observed"]))
            return cls(targets, observed, float(data.get("tracing", 0.0)))
        except (KeyError, TypeError, AttributeError, msgspec.ValidationError) as error:
            raise ValueError(f"not a result: {error!r:.200}") from None
