"""The configuration, as Hydra finds it: pkg://anonflow.conf."""
