"""Hosts: what makes pages with figures, or draws them elsewhere."""
