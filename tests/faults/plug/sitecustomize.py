"""Imported by every Python process that has this folder on its path: puts faults in place."""

import os

if os.environ.get("ANONFLOW_FAULTS"):
    import fault_plug

    fault_plug.install()
