"""Versions and flags of Python and what is installed, on which the results of programs depend."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from functools import cache


@cache
def versions() -> tuple[str, ...]:
    """Return the versions that a result also depends on: of Python, torch and this package."""
    packages = ("torch", "numpy", "sphinx-autogradgraph")
    return sys.version.split()[0], *(installed(name) or "" for name in packages)


FLAGS = (
    "PYTHONDEVMODE", "PYTHONINTMAXSTRDIGITS", "PYTHONIOENCODING", "PYTHONOPTIMIZE", "PYTHONUTF8",
    "PYTHONWARNINGS", "PYTORCH_JIT", "TORCHDYNAMO_DISABLE", "TORCH_COMPILE_DISABLE",
)  # fmt: skip
"""Environment variables that change how Python runs code, and what torch compiles.

Not PYTHONHASHSEED: graphs do not depend on it, and tox sets another one in each run.
"""


def flags() -> tuple[str, ...]:
    """Return the flags of Python and torch that a result also depends on."""
    return str(sys.flags.optimize), *(os.environ.get(name, "") for name in FLAGS)


def installed(package: str) -> str | None:
    """Return the version of a package, None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
