"""Which files are the author's own, and how their modules are imported."""

from __future__ import annotations

import importlib.util
import os
import site
import sys
import sysconfig
from functools import lru_cache
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    SourceFileLoader,
    SourcelessFileLoader,
)
from pathlib import Path
from typing import Any


@lru_cache(maxsize=1)
def _not_the_authors() -> tuple[str, ...]:
    """The directories of Python, of installed packages and of this package, with a last slash."""
    schemes = sysconfig.get_paths()
    found = {schemes[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    torch = torch_directory()
    if torch is not None:
        found.add(torch)
    # Where pip has installed with --target, as «uv run --with» and modules of HPC systems do.
    found.update(path for path in sys.path if path and _has_distributions(path))
    found.update(site.getsitepackages())
    found.add(site.getusersitepackages())
    found.add(str(Path(__file__).parents[1]))
    return tuple(os.path.join(os.path.realpath(path), "") for path in found)


def torch_directory() -> str | None:
    """The directory of torch, wherever it was found; None where there is none."""
    try:
        spec = importlib.util.find_spec("torch")
    except (ImportError, ValueError):
        return None
    return os.path.dirname(spec.origin) if spec is not None and spec.origin else None


def _has_distributions(path: str) -> bool:
    """Whether packages were installed into a directory: what installs them says so there."""
    try:
        return any(name.endswith(".dist-info") for name in os.listdir(path))
    except OSError:
        return False


_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""The names of directories that hold installed packages, whosoever Python's they are."""


@lru_cache(maxsize=4096)
def is_authors(path: str) -> bool:
    """Whether a file or directory belongs to the author: not to Python nor an installed package."""
    if not os.path.isabs(path):
        return False
    real = os.path.join(os.path.realpath(path), "")
    if not _INSTALLED.isdisjoint(real.split(os.sep)):
        return False
    return not real.startswith(_not_the_authors())


LOADERS: tuple[tuple[Any, list[str]], ...] = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (SourceFileLoader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)
"""What is looked for in a directory where a module is imported from, and in which order."""
