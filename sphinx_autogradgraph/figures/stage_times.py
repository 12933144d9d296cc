"""Times of the stages of a build, for authors who want to know where time goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import ParamSpec, TypeVar

from sphinx_autogradgraph.core.messages import Translate
from sphinx_autogradgraph.runtime.cached_client import Submitted
from sphinx_autogradgraph.runtime.result import Result

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class StageTimes:
    """Seconds of each program and layout, and what programs were spared or looked at.

    Programs run side by side, and so do layouts: their seconds may add up to more than the build's.
    """

    programs: list[float] = field(default_factory=list)
    tracing: float = 0.0
    layouts: list[float] = field(default_factory=list)
    cached: int = 0
    importing: float | None = None
    variables: set[str] = field(default_factory=set)

    def of_programs(
        self, submitted: Submitted, results: Sequence[Result], importing: float | None
    ) -> None:
        """Add the programs of a page, and how long the import of torch took."""
        self.programs += submitted.seconds
        self.tracing += sum(result.tracing for result in results)
        self.cached += submitted.cached
        self.importing = importing
        looked = (found for result in results for found in result.observed)
        self.variables.update(found.name for found in looked if found.kind == "variable")

    def of_layout(self, lay_out: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function and add how long it took to the layouts."""
        begin = perf_counter()
        try:
            return lay_out(*args, **kwargs)
        finally:
            self.layouts.append(perf_counter() - begin)

    def lines(self, translate: Translate) -> list[str]:
        """Return a line for each stage of which there is something to tell."""
        _ = translate
        found = []
        if self.importing is not None:
            text = _("importing torch: {seconds} s")
            found.append(text.format(seconds=f"{self.importing:.2f}"))
        if self.programs:
            text = _("programs run and traced: {count}, in {seconds} s, the longest in {longest} s")
            found.append(text.format(**_numbers(self.programs)))
            text = _("tracing, in the programs' time: {seconds} s")
            found.append(text.format(seconds=f"{self.tracing:.2f}"))
        if self.cached:
            found.append(_("programs from the cache: {count}").format(count=self.cached))
        if self.layouts:
            text = _("figures laid out: {count}, in {seconds} s, the longest in {longest} s")
            found.append(text.format(**_numbers(self.layouts)))
        if self.variables:
            text = _("environment variables that programs read: {names}")
            found.append(text.format(names=", ".join(sorted(self.variables))))
        return found


def _numbers(seconds: Sequence[float]) -> dict[str, str]:
    return {
        "count": str(len(seconds)),
        "seconds": f"{sum(seconds):.2f}",
        "longest": f"{max(seconds):.2f}",
    }
