"""Sound: the same packets in step with the picture, or what the audio mode says that it must be instead."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from anonflow.config import TimeSpan
from anonflow.errors import SourceError
from anonflow.storage import StoragePath
from anonflow.types import Check, Verdict
from anonflow.video.audio import AudioDigest, codec_family
from anonflow.video.carry import Selection
from anonflow.video.container import open_source
from anonflow.video.contract.check import TICK_S, check
from anonflow.video.effects import inside, spans_in_samples
from anonflow.video.headers import comments
from anonflow.video.inventory import Inventory, Part
from anonflow.video.samples import MAX_DRIFT_S, loudest, read_sound, sound_format

_SILENT = 2.0**-15
"""One step of 16 bits: codecs that dither, or whose filters ring down, are never exactly at zero."""
_QUIETEST = {"pcm_alaw": 2.0**-12}
"""A-law has no zero."""
_FRAME_SAMPLES = 1536
"""The longest codec frame, of AC-3. What is encoded ends with a whole one."""


@dataclass(frozen=True)
class SoundMeasure:
    """A decoded audio stream. Loudness is the largest sample, as a share of full scale."""

    codec: str
    rate_hz: int
    layout: str
    start_s: Fraction
    stop_s: Fraction
    loudest: float
    loudest_in_spans: float
    sha256: str
    """Over all samples."""


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


def check_headers(output: StoragePath, result: Inventory) -> Check:
    """No comments in the codecs' own headers, where no list of metadata shows them."""
    with open_source(output) as container:
        contexts = [(p, container.streams[p.index].codec_context) for p in result.parts if p.kind == "audio"]
        try:
            clean = not any(comments(part.codec, bytes(c.extradata or b"")) for part, c in contexts if c)
        except SourceError as error:
            return check("audio headers", False, type(error).__name__)
    return check("audio headers", clean)


def compare_dropped(n_before: int, n_after: int) -> Check:
    """No sound at all: the number of audio streams of both files."""
    if n_after:
        return check("audio packets", False, f"{n_after} streams are left")
    if not n_before:
        return check("audio packets", True, "0 streams")
    return Check("audio packets", Verdict.CHANGED_BY_POLICY, f"dropped: {n_before} streams")


def compare_changed(
    source: StoragePath,
    output: StoragePath,
    selection: Selection,
    result: Inventory,
    first_frame_s: Fraction,
    shift_s: Fraction = Fraction(0),
) -> tuple[Check, ...]:
    """Decodes the sound of both files: the same streams, as long and in step, and silent where it has to be."""
    parts = [part for part in result.parts if part.kind == "audio"]
    if len(parts) != len(selection.audio):
        return (check("audio streams", False, f"{len(selection.audio)} and {len(parts)}"),)
    mute = selection.sound.mute
    try:
        before = [measure_sound(source, part, mute, first_frame_s) for part in selection.audio]
        after = [measure_sound(output, part, mute, first_frame_s + shift_s) for part in parts]
    except SourceError as error:
        return (check("audio streams", False, type(error).__name__),)
    pairs = list(zip(selection.audio, before, after, strict=True))
    same_kind = all(
        (codec_family(selection.audio_codec(part)), a.rate_hz, a.layout)
        == (codec_family(b.codec), b.rate_hz, b.layout)
        for part, a, b in pairs
    )
    checks = [
        _changed("audio streams", same_kind, f"encoded again: {len(parts)} streams ({selection.sound.mode})"),
        check("audio timing", all(_in_step(a, b, shift_s) for _, a, b in pairs)),
    ]
    if mute:
        silent = all(b.loudest_in_spans <= _QUIETEST.get(b.codec, _SILENT) for b in after)
        checks.append(_changed("muted spans", silent, f"{len(mute)} spans"))
    if selection.sound.mode == "pitch":
        untouched = any(a.sha256 == b.sha256 and a.loudest > _SILENT for _, a, b in pairs)
        checks.append(_changed("voices", not untouched, f"{selection.sound.semitones:+g} semitones"))
    return tuple(checks)


def measure_sound(path: StoragePath, part: Part, mute: Sequence[TimeSpan], first_frame_s: Fraction) -> SoundMeasure:
    """Decode an audio stream to its end.

    Raises what `read_sound` does.
    """
    form = sound_format(path, part.index)
    if form is None:
        return SoundMeasure(part.codec, 0, "", Fraction(0), Fraction(0), 0.0, 0.0, "")
    spans = spans_in_samples(mute, first_frame_s, form.rate_hz)
    start: int | None = None
    stop, peak, peak_in_spans, digest = 0, 0.0, 0.0, hashlib.sha256()
    for block in read_sound(path, part.index):
        start, stop = block.start if start is None else start, block.stop
        peak = max(peak, loudest(block.samples))
        digest.update(block.samples.tobytes())
        for piece in inside(block, spans):
            peak_in_spans = max(peak_in_spans, loudest(block.samples[:, piece]))
    begin_s, end_s = Fraction(start or 0, form.rate_hz), Fraction(stop, form.rate_hz)
    return SoundMeasure(
        part.codec, form.rate_hz, form.layout, begin_s, end_s, peak, peak_in_spans, digest.hexdigest()
    )


def _in_step(source: SoundMeasure, result: SoundMeasure, shift_s: Fraction) -> bool:
    if not source.rate_hz:
        return not result.rate_hz
    frame_s = Fraction(_FRAME_SAMPLES, source.rate_hz)
    # Of sound that begins late MP4 plays the encoder's priming, too: silence before the first sample.
    starts = -TICK_S <= source.start_s + shift_s - result.start_s <= frame_s
    return starts and abs(source.stop_s + shift_s - result.stop_s) <= frame_s + MAX_DRIFT_S


def _changed(name: str, holds: bool, detail: str) -> Check:
    return Check(name, Verdict.CHANGED_BY_POLICY if holds else Verdict.BROKEN, detail)
