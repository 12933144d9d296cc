"""Formulas of the gradients that a function node sends along its edges."""
