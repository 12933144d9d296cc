"""Tracing: from the tensors of a program to their Graph."""
