"""Views: from a Graph to a smaller Graph that is drawn."""
