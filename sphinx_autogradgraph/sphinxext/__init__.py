"""The Sphinx extension.  The only part of the package that imports sphinx."""
