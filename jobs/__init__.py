"""Hydra entry points: compose the configuration, convert it to types, call."""
