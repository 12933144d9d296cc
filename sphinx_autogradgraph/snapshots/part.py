"""Parts of a check, which the jobs of a CI matrix share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """The part number ``number`` of ``count``, from 1; what it says of itself is ``K/N``."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Part:
        """The part that ``K/N`` names; :exc:`ValueError` where there is none."""
        match = re.fullmatch(r"([0-9]+)/([0-9]+)", text.strip())
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError(f"{text!r} is no part: write K/N, with K from 1 to N")
        return cls(int(match[1]), int(match[2]))

    @property
    def suffix(self) -> str:
        """What ends the names of its files: parts lie side by side in one folder."""
        return "" if self.count == 1 else f"-{self.number}-of-{self.count}"

    def has(self, page: str, pages: Iterable[str]) -> bool:
        """Whether a page is in it; every page is in one part."""
        return sorted(pages).index(page) % self.count == self.number - 1


WHOLE = Part()
"""The part that is everything."""
