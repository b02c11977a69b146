"""Hiding regions of a decoded frame, in place, on its own planes."""
