"""Figures for every host: options, requests, layout, HTML, tables and reports."""
