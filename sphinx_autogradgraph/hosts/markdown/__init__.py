"""Markdown sites: the custom fence for MkDocs, ProperDocs and Zensical."""
