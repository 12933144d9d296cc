"""Diagnostics, messages and settings."""
