"""The properties of the fuzz tests, tried with what atheris finds by watching which code runs.

Run ``python -m tests.fuzz.guided PROPERTY SECONDS`` where atheris is installed; a word of the property's
name will do, and no word lists them.  hypothesis turns the bytes of atheris into examples.  An example
that breaks the property ends the run with its traceback, and hypothesis shows the example.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

MODULES = "tests.fuzz.test_fuzz", "tests.graph.test_hostile"


def properties() -> dict[str, Callable[..., Any]]:
    """The properties by their names; their code is watched from now on."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["sphinx_autogradgraph"]):
        found = [vars(importlib.import_module(name)) for name in MODULES]
    return {
        name: test
        for module in found
        for name, test in module.items()
        if name.startswith("test_") and hasattr(test, "hypothesis")
    }


def main(word: str, seconds: str) -> None:
    """Try the one property whose name has that word."""
    atheris: Any = importlib.import_module("atheris")
    found = {name: test for name, test in properties().items() if word and word in name}
    if len(found) != 1:
        raise SystemExit("\n".join(sorted(found or properties())))
    (test,) = found.values()
    fuzz_one: Callable[[bytes], object] = test.hypothesis.fuzz_one_input  # type: ignore[attr-defined]
    limits = [f"-max_total_time={seconds}", "-max_len=8192", "-timeout=60", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *limits], lambda data: fuzz_one(data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["", "0"]))
