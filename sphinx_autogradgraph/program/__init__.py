"""Programs: blocks of the author's code, read from files and texts, and what to trace in them."""
