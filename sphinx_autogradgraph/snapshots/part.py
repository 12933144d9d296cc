"""Parts of a check, one for each job of a CI matrix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Part ``number`` of ``count`` of a check, counted from 1; its text is ``K/N``."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Part:
        """Parse a text ``K/N``; raise :exc:`ValueError` if it names no part."""
        match = re.fullmatch(r"([0-9]+)/([0-9]+)", text.strip())
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError(f"{text!r} is no part: write K/N, with K from 1 to N")
        return cls(int(match[1]), int(match[2]))

    @property
    def suffix(self) -> str:
        """Suffix of the names of the part's report files, so that parts can share a folder."""
        return "" if self.count == 1 else f"-{self.number}-of-{self.count}"

    def has(self, page: str, pages: Iterable[str]) -> bool:
        """Whether a page belongs to this part.  Every page belongs to exactly one."""
        return sorted(pages).index(page) % self.count == self.number - 1


WHOLE = Part()
"""The only part of a check that is not split."""
