"""Diagram, layout and drawing: from a view to SVG, PDF, DOT, Mermaid and text."""
