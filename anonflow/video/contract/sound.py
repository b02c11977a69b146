"""Audio streams: the same packets, in step with the picture."""

from __future__ import annotations

from fractions import Fraction

from anonflow.types import Check
from anonflow.video.audio import AudioDigest
from anonflow.video.contract.check import TICK_S, check


def compare_sound(
    source: tuple[AudioDigest, ...], result: tuple[AudioDigest, ...], shift_s: Fraction = Fraction(0)
) -> tuple[Check, ...]:
    """Packets bit for bit, and the start of each stream, which is `shift_s` later by policy."""
    same_packets = [a.content for a in source] == [b.content for b in result]
    in_step = len(source) == len(result) and all(
        abs(a.start_s + shift_s - b.start_s) <= TICK_S for a, b in zip(source, result, strict=True)
    )
    packets = f"{len(source)} streams, {sum(a.n_packets for a in source)} packets"
    if any(a.was_framed for a in source):
        packets += ", without their transport framing"
    return check("audio packets", same_packets, packets), check("audio timing", in_step)
