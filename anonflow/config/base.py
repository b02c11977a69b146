"""What all parts of the configuration share: checks that name the key, and no key unknown."""

from __future__ import annotations

import math
from typing import ClassVar

from anonflow.errors import ConfigError


def require(condition: bool, message: str) -> None:
    """Raise ConfigError with `message` unless the condition holds."""
    if not condition:
        raise ConfigError(message)


def share(name: str, value: float) -> None:
    """Raise ConfigError unless the value lies between 0 and 1."""
    require(0.0 <= value <= 1.0, f"{name}={value} must lie between 0 and 1")


def positive(name: str, value: float) -> None:
    """Raise ConfigError unless the value is above 0 and finite."""
    require(0 < value < math.inf, f"{name}={value} must be above 0 and finite")


def not_negative(name: str, value: float | None) -> None:
    """Raise ConfigError unless the value is None, or 0 or more and finite."""
    require(value is None or 0 <= value < math.inf, f"{name}={value} must not be negative, and finite")


def choice(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raise ConfigError unless the value is one of those known."""
    require(value in known, f"{name}={value} is unknown; choose one of: {', '.join(known)}")


class Section:
    """A part of the configuration; keys that it does not have are errors."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
