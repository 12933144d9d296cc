"""Versions of what is installed, on which the results of programs depend."""

from __future__ import annotations

import importlib.metadata
import sys
from functools import cache


@cache
def versions() -> tuple[str, ...]:
    """Return the versions that a result also depends on: of Python, torch and this package."""
    packages = ("torch", "numpy", "sphinx-autogradgraph")
    return sys.version.split()[0], *(installed(name) or "" for name in packages)


def installed(package: str) -> str | None:
    """Return the version of a package, None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
