"""Patterns of names, for listings that come as names: `*` and `?` stay within a name, `**` does not."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable

_WILDCARD = re.compile(r"[*?\[]")


def fixed_start(pattern: str) -> str:
    """What comes before the first wildcard, so what every name that matches begins with."""
    return _WILDCARD.split(pattern, maxsplit=1)[0]


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a relative path matches, part by part, as in `pathlib`; `**` stands for any number of folders."""

    def matches(parts: list[str], wanted: list[str]) -> bool:
        if not wanted:
            return not parts
        if wanted[0] == "**":
            return any(matches(parts[n:], wanted[1:]) for n in range(len(parts) + 1)) or (wanted == ["**"])
        return bool(parts) and fnmatch.fnmatchcase(parts[0], wanted[0]) and matches(parts[1:], wanted[1:])

    wanted = pattern.split("/")
    return lambda path: matches(path.split("/"), wanted)
