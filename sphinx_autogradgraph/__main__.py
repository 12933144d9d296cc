"""``python -m sphinx_autogradgraph`` is the command ``autogradgraph``."""

import sys

from sphinx_autogradgraph.hosts.cli import main

sys.exit(main())
