"""The author's own files, told from those of Python and of installed packages."""

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
    """Return the directories of Python, installed packages and this package, with a final slash."""
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
    """Return the directory of torch, wherever it is installed; None where there is none."""
    try:
        spec = importlib.util.find_spec("torch")
    except (ImportError, ValueError):
        return None
    return os.path.dirname(spec.origin) if spec is not None and spec.origin else None


def _has_distributions(path: str) -> bool:
    """Whether a directory holds installed packages: installers leave their metadata there."""
    try:
        return any(name.endswith(".dist-info") for name in os.listdir(path))
    except OSError:
        return False


_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Names of directories that hold installed packages, of any Python installation."""


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
"""The loaders of modules with their file suffixes, in the order of Python's own import."""
