"""Imported by every Python process that has this folder on its path: puts the faults of `ANONFLOW_FAULTS` in place."""

import os

if os.environ.get("ANONFLOW_FAULTS"):
    import fault_plug

    fault_plug.install()
