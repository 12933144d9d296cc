"""Figures for every host: the pipeline, options, requests, layout, HTML, tables, reports."""
