"""Hosts: Sphinx, Markdown sites, mystmd, notebooks, pytest and the command line."""
