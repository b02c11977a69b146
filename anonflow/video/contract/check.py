"""One point of the contract that either holds or is broken."""

from __future__ import annotations

from fractions import Fraction

from anonflow.types import Check, Verdict

TICK_S = Fraction(1, 1000)
"""Matroska's clock, which rounds what is not a video timestamp."""


def check(name: str, holds: bool, detail: str = "") -> Check:
    """`EQUAL` if it holds, else `BROKEN`; what a policy changes, its comparison says itself."""
    return Check(name, Verdict.EQUAL if holds else Verdict.BROKEN, detail)
