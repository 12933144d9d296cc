"""Snapshots: graphs that are kept as files and compared."""
