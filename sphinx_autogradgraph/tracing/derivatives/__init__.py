"""What a function node sends back along each of its edges, as formulas that run."""
