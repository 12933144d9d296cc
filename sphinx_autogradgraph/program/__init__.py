"""Programs: blocks of the author's code, and what to trace in them."""
