"""Seeing a run: metrics, logs, statistics, the report as a page, lineage. Never who is in a video."""
