"""Origins of nodes: their line, module and call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sphinx_autogradgraph.graph.model import Source


@dataclass(frozen=True)
class Visit:
    """A call of a module, by the path of the module, in another such call or in none."""

    path: str
    type: str
    outer: Visit | None

    def chain(self) -> list[Visit]:
        """Return the call and those that it was made in, the outermost first."""
        found = [self]
        while found[-1].outer is not None:
            found.append(found[-1].outer)
        return found[::-1]


class Origin(NamedTuple):
    """Provenance of a node: line, module and call.

    ``module`` is the path of the innermost module, "" without any, ``visit`` the call of it.
    """

    source: Source | None = None
    module: str | None = None
    call: str | None = None
    visit: Visit | None = None
