"""A hint for users of sphinx-autobuild, whose rebuilds need not import torch again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.util import logging

from sphinx_autogradgraph.hosts.sphinx.translation import _

if TYPE_CHECKING:
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

_TOLD = "autogradgraph_told_of_linger"
"""Attribute of the environment, which remembers that the hint was given."""


def suggest_linger(env: BuildEnvironment, importing: float | None) -> None:
    """Tell users of sphinx-autobuild, once for a project, of ``autogradgraph_linger``.

    ``importing`` is how many seconds this build has waited for the import of torch, if it has.
    """
    if importing is None or env.config.autogradgraph_linger or getattr(env, _TOLD, False):
        return
    if not _is_started_by_autobuild():
        return
    setattr(env, _TOLD, True)
    text = _(
        "autogradgraph: importing torch took {seconds} s, and each rebuild does it again; with "
        "autogradgraph_linger = 600 in conf.py the process that did it stays for ten minutes"
    )
    logger.info(text.format(seconds=f"{importing:.1f}"))


def _is_started_by_autobuild() -> bool:
    """Whether sphinx-autobuild started this build.  Known on Linux, as workers linger only there.

    It tells a build nothing of itself, so the command line of the parent process has to.
    """
    try:
        command = Path(f"/proc/{os.getppid()}/cmdline").read_bytes()
    except OSError:
        return False
    return b"sphinx-autobuild" in command or b"sphinx_autobuild" in command
