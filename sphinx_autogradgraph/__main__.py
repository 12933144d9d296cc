"""The command ``autogradgraph``, also as ``python -m sphinx_autogradgraph``."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command; return its exit status.

    Its modules are imported here, so that Ctrl-C while they are imported is no traceback either.
    """
    try:
        from sphinx_autogradgraph.hosts.cli import main as run

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("autogradgraph: interrupted\n")
        return 130  # as in shells


if __name__ == "__main__":
    sys.exit(main())
