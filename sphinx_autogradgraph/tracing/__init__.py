"""Tensors → Graph.  With the worker, the only part of the package that imports torch."""
