"""mystmd and Jupyter Book 2: an executable plugin."""
