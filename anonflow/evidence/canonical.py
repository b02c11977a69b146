"""JSON Canonicalization Scheme (RFC 8785): equal values give equal bytes, in any language and on any machine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring
from typing import Any

_LARGEST_EXACT = 2**53 - 1


def canonical_bytes(value: Any) -> bytes:
    """`value` (None, bool, int, float, str, lists and mappings with string keys) as RFC 8785 writes it, in UTF-8.

    Raises:
        ValueError: a number that is not finite or that a double cannot hold, or a string that is not valid Unicode.
        TypeError: a value that JSON has no form for.
    """
    return _text(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case int():
            return _integer(value)
        case float():
            return _real(value)
        case Mapping():
            return "{" + ",".join([f"{_text(key)}:{_text(value[key])}" for key in _sorted(value)]) + "}"
        case list() | tuple():
            return "[" + ",".join([_text(item) for item in value]) + "]"
    raise TypeError(f"JSON has no form for {type(value).__name__}")


def _sorted(keys: Iterable[Any]) -> list[Any]:
    """By UTF-16 code units (RFC 8785, 3.2.3), which is the usual order where all is ASCII."""
    keys = list(keys)
    is_ascii = all(isinstance(key, str) and key.isascii() for key in keys)
    return sorted(keys) if is_ascii else sorted(keys, key=_utf16)


def _utf16(key: Any) -> bytes:
    if not isinstance(key, str):
        raise TypeError(f"a key must be a string, not {type(key).__name__}")
    return key.encode("utf-16-be")


def _integer(value: int) -> str:
    if abs(value) > _LARGEST_EXACT:
        raise ValueError(f"{value} is not exact as a double; write it as a string")
    return str(int(value))


def _real(value: float) -> str:
    """As ECMAScript writes numbers (`Number::toString`), which RFC 8785 prescribes."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no JSON number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, exponent = _shortest(abs(value))
    n = exponent + 1
    if len(digits) <= n <= 21:
        return sign + digits + "0" * (n - len(digits))
    if 0 < n <= 21:
        return f"{sign}{digits[:n]}.{digits[n:]}"
    if -6 < n <= 0:
        return f"{sign}0.{'0' * -n}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


def _shortest(value: float) -> tuple[str, int]:
    """The fewest digits that mean this double, and the exponent of the first: Python's `repr` finds them."""
    mantissa, _, power = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    exponent = int(power or 0) + len(whole) - 1
    digits = whole + fraction
    stripped = digits.lstrip("0")
    exponent -= len(digits) - len(stripped)
    return stripped.rstrip("0") or "0", exponent
