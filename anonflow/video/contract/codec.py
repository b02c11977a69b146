"""The codec: the source's, or the one that the configuration puts in its place."""

from __future__ import annotations

from anonflow.types import Check, StreamFormat, Verdict
from anonflow.video.contract.check import check
from anonflow.video.encoders import Encoding


def compare_codec(source: StreamFormat, result: StreamFormat, encoding: Encoding | None) -> Check:
    """`encoding` is what was to be made of the source; None if nobody knows any more."""
    change = f"{source.codec} to {result.codec}"
    if encoding is None:
        if result.codec == source.codec:
            return check("codec", True, result.codec)
        return Check("codec", Verdict.CHANGED_BY_POLICY, change)
    if result.codec != encoding.family:
        return check("codec", False, f"{change}, not to {encoding.family}")
    if encoding.changed:
        return Check("codec", Verdict.CHANGED_BY_POLICY, encoding.changed)
    return check("codec", True, result.codec)
