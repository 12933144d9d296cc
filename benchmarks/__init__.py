"""Benchmarks beside peers: ``python -m benchmarks`` runs all of them.

Every figure is a ratio, or stands beside what it is to be compared with, of the same run on the same machine.
"""

import os

# What is installed has byte code; without it, each build would compile the package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
