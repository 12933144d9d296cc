"""Figures on a page, whatever makes the page."""
