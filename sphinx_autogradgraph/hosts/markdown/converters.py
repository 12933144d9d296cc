"""Detection of the host of a page: MkDocs, ProperDocs, Zensical, or Python-Markdown alone.

No host is imported.  Each leaves an object of its own on the converter, which identifies it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown import Markdown

MYST = "myst.yml"
"""Configuration file of a mystmd project."""

PROJECT_FILES = (
    "zensical.toml", "properdocs.yml", "mkdocs.yml", "mkdocs.yaml", MYST, "pyproject.toml",
)  # fmt: skip
"""Configuration files that mark the directory of a project."""


@dataclass(frozen=True)
class PageHost:
    """Location of a page, as far as its host tells.

    ``root`` is the directory of the project, ``path`` the file of the page, ``name`` the page's
    path in the documentation without its suffix, ``docs`` the directory of the documentation.
    ``raises`` tells that a diagnostic is to end the build, which only an exception can do there.
    """

    root: Path
    path: str | None = None
    name: str | None = None
    docs: Path | None = None
    raises: bool = False

    @property
    def pages(self) -> Path | None:
        """The directory of the documentation, if it is the author's: plugins make others."""
        inside = self.docs is not None and self.docs.is_relative_to(self.root)
        return self.docs if inside else None


def page_host(md: Markdown) -> PageHost:
    """Find the page that a converter is at, by what its host left on the converter."""
    for processor in md.treeprocessors:  # MkDocs and ProperDocs: «relpath»
        file: Any = getattr(processor, "file", None)
        config: Any = getattr(processor, "config", None)
        if hasattr(file, "abs_src_path") and hasattr(config, "config_file_path"):
            path = os.path.abspath(file.abs_src_path)
            parts = len(PurePosixPath(file.src_uri).parts)
            docs = Path(path).parents[parts - 1]
            where = config.config_file_path
            root = Path(where).absolute().parent if where else project_root(docs)
            return PageHost(root, path, _stem(file.src_uri), docs)
    for processor in md.preprocessors:  # Zensical: «rendering_context»
        page: Any = getattr(processor, "page", None)
        config = getattr(processor, "config", None)
        if hasattr(page, "path") and isinstance(config, dict) and "docs_dir" in config:
            root = Path(config.get("root_dir") or ".").absolute()
            docs = root / config["docs_dir"]
            # It counts no warnings of Python's, and keeps «--strict» to itself.
            strict = bool(config.get("strict")) or bool({"--strict", "-s"} & set(sys.argv[1:]))
            return PageHost(root, str(docs / page.path), _stem(page.path), docs, strict)
    return PageHost(project_root(Path.cwd()))


def project_root(start: Path, files: Sequence[str] = PROJECT_FILES) -> Path:
    """Find the nearest directory from ``start`` upwards that has a project file; else ``start``."""
    for directory in (start, *start.parents):
        if any((directory / file).is_file() for file in files):
            return directory
    return start


def pages_below(directory: Path, *, is_myst: bool) -> Iterator[Path]:
    """Yield the Markdown files below a directory, without those that its host passes over."""
    outside = (".", "_build", "node_modules") if is_myst else (".",)
    for path in sorted(directory.rglob("*.md")):
        hidden = any(part.startswith(outside) for part in path.relative_to(directory).parts)
        if not hidden and path.is_file():  # a pipe would keep us waiting
            yield path


def _stem(name: str) -> str:
    return str(PurePosixPath(name.replace(os.sep, "/")).with_suffix(""))
