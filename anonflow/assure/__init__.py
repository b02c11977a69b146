"""Showing after the fact that what was published is what was promised."""
