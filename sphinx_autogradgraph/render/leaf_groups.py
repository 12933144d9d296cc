"""Group leaves by the modules that hold them, for captions of a few lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from sphinx_autogradgraph.graph.model import Node


@dataclass
class LeafGroup:
    """Leaves whose names begin alike: those of a module, or one leaf.

    ``path`` is what their names share, None for those without a name.  ``last`` is the number of
    the last of several modules with equally many leaves: ``layers.0`` to ``5``.
    """

    path: str | None
    leaves: list[Node] = field(default_factory=list)
    parts: dict[str, LeafGroup] = field(default_factory=dict)
    last: str | None = None
    each: int = 0

    @property
    def holds_modules(self) -> bool:
        """Whether some part of the group has parts of its own."""
        return any(part.parts for part in self.parts.values())


def grouped(leaves: Sequence[Node], most: int) -> list[LeafGroup]:
    """Group the leaves, in their order; in at most ``most`` groups if the modules allow it.

    Modules are told apart as far as there is room; a module with one leaf is that leaf.
    """
    root = _tree(leaves)
    groups = list(_level(root))
    while True:
        larger = sorted(
            (group for group in groups if group.holds_modules and group.last is None),
            key=lambda group: -len(group.leaves),
        )
        for group in larger:
            place = groups.index(group)
            opened = [*groups[:place], *_level(group), *groups[place + 1 :]]
            # One group would say nothing: then rather the first of many.
            if len(opened) <= most or len(groups) == 1:
                groups = opened
                break
        else:
            return groups


def _tree(leaves: Sequence[Node]) -> LeafGroup:
    """Return the tree of leaves by their names, with a level for each attribute or index."""
    root = LeafGroup("")
    for leaf in leaves:
        group = root
        group.leaves.append(leaf)
        for part in _parts(leaf.name):
            path = None if leaf.name is None else f"{group.path}{part}"
            group = group.parts.setdefault(part, LeafGroup(path))
            group.leaves.append(leaf)
    return root


def _parts(name: str | None) -> list[str]:
    """Split a name: ``model.layers.0`` is ``model``, ``.layers``, ``.0``; ``ws[0]`` has ``[0]``."""
    return [""] if name is None else re.findall(r"\[[^\]]*\]|\.?[^.\[]+|.", name) or [name]


def _level(group: LeafGroup) -> Iterator[LeafGroup]:
    """Yield the parts of a group; a row of numbered parts with equally many leaves is one."""
    parts = [_narrowed(part) for part in group.parts.values()]
    keys = list(group.parts)
    for alike, run in groupby(
        range(len(parts)), key=lambda at: (_number(keys[at], at), len(parts[at].leaves))
    ):
        members = list(run)
        if alike[0] is None or len(members) < 3:
            yield from (parts[at] for at in members)
            continue
        first, last = group.parts[keys[members[0]]], keys[members[-1]]
        leaves = [leaf for at in members for leaf in parts[at].leaves]
        yield LeafGroup(first.path, leaves, last=last.lstrip("."), each=alike[1])


def _number(key: str, place: int) -> int | None:
    """Return number minus place, which is equal in a row of numbers; None if it is no number."""
    digits = key.strip(".[]")
    return int(digits) - place if digits.isdecimal() and digits.isascii() else None


def _narrowed(group: LeafGroup) -> LeafGroup:
    """Return the innermost group with the same leaves: that of a module, or of a single leaf."""
    while len(group.parts) == 1 and (len(group.leaves) == 1 or group.holds_modules):
        group = next(iter(group.parts.values()))
    return group
