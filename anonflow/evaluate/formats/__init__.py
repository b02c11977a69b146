"""Readers of annotation formats: each gives `Annotations`, or a TruthError that names file and place."""
