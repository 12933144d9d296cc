"""Tracing of tensors to a Graph; with the worker, the only part that imports torch."""
