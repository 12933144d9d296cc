"""What a run of a Program came to, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sphinx_autogradgraph.faults import Fault
from sphinx_autogradgraph.graph import Graph


@dataclass(frozen=True)
class Result:
    """One Graph, or the Fault in its place, for each thing that the Program draws.

    ``files`` are the author's own modules that the program imported, as paths on this machine.
    ``module_file`` is the file of the module that a reference named.
    """

    graphs: tuple[Graph | Fault, ...]
    files: tuple[str, ...] = ()
    module_file: str | None = None

    @classmethod
    def of_fault(cls, fault: Fault, draws: int) -> Result:
        """The result of a run that came to nothing but ``fault``."""
        return cls(graphs=(fault,) * draws)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data for JSON."""
        return {
            "graphs": [
                {"graph": item.to_dict()} if isinstance(item, Graph) else {"fault": item.to_dict()}
                for item in self.graphs
            ],
            "files": list(self.files),
            "module_file": self.module_file,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        """The result of which ``data`` is the :meth:`to_dict`."""
        return cls(
            graphs=tuple(
                Graph.from_dict(item["graph"])
                if "graph" in item
                else Fault.from_dict(item["fault"])
                for item in data["graphs"]
            ),
            files=tuple(data["files"]),
            module_file=data["module_file"],
        )
