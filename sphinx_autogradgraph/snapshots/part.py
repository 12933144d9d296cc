"""Part of a project's pages, which one check or update takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """The pages that a check or an update takes.

    Part ``number`` of ``count``, from 1 (its text is ``K/N``), for each job of a CI matrix; of
    these only the pages that ``only`` names, if it names any.
    """

    number: int = 1
    count: int = 1
    only: frozenset[str] = frozenset()

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
        """Whether a page belongs to this part.  Every page belongs to exactly one of ``count``."""
        in_turn = sorted(pages).index(page) % self.count == self.number - 1
        return in_turn and self.may_have(page)

    def may_have(self, page: str) -> bool:
        """Whether a page that need not exist is among those that are named, if any are."""
        return not self.only or page in self.only


WHOLE = Part()
"""All pages of a project."""
