"""Commands whose one path comes without a key: `anonflow status OUTPUT`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def with_output(arguments: Sequence[str]) -> list[str]:
    """The arguments as overrides: the one that has no key, or is a path that exists, is the output."""
    paths = [a for a in arguments if not a.startswith(("-", "+", "~")) and ("=" not in a or Path(a).exists())]
    if len(paths) != 1:
        return list(arguments)  # Hydra says what is missing or wrong
    return [f"output={quoted(a)}" if a == paths[0] else a for a in arguments]


def quoted(path: str) -> str:
    """As Hydra's grammar takes any path."""
    escaped = path.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
