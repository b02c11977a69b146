"""Commands whose one path comes without a key: `anonflow status OUTPUT`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_WITH_VALUE = (
    "--cfg",
    "-c",
    "--package",
    "-p",
    "--config-path",
    "-cp",
    "--config-name",
    "-cn",
    "--config-dir",
    "-cd",
)
"""Options of Hydra whose value comes as the next argument."""


def with_output(arguments: Sequence[str]) -> list[str]:
    """The arguments as overrides: the one that has no key, or is a path that exists, is the output."""
    paths = [
        argument
        for before, argument in zip(["", *arguments], arguments, strict=False)
        if not argument.startswith(("-", "+", "~"))
        and before not in _WITH_VALUE
        and ("=" not in argument or Path(argument).exists())
    ]
    if len(paths) != 1:
        return list(arguments)  # Hydra says what is missing or wrong
    return [f"output={quoted(a)}" if a == paths[0] else a for a in arguments]


def quoted(path: str) -> str:
    """As Hydra's grammar takes any path."""
    escaped = path.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
