"""Formulas, which can be run, of the gradients that a function node sends along its edges."""
