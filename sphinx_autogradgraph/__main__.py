"""``python -m sphinx_autogradgraph`` is the command ``autogradgraph``."""

import sys

from sphinx_autogradgraph.cli import main

sys.exit(main())
