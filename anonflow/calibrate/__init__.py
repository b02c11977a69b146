"""Choosing thresholds and margins with a guarantee, comparing runs, and saying what risk is left."""
