"""Sound that is published otherwise than it was recorded: decoded, changed, encoded with the codec that it had."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias, cast

import av
import av.container
import av.error
import av.stream
from av.audio.stream import AudioStream

from anonflow.errors import EncodeError
from anonflow.storage import StoragePath
from anonflow.types import FrameIndex
from anonflow.video.carry import Sound, encoded_as, encoder_for
from anonflow.video.effects import Span, muted, shifted, spans_in_samples
from anonflow.video.inventory import Part
from anonflow.video.samples import MAX_DRIFT_S, Block, SoundFormat, audio_frame, read_sound, silence, sound_format

_Packet: TypeAlias = "av.Packet[av.stream.Stream]"
_LOSSLESS = {"flac", "alac"}
_OVERLAP_FRAMES = 2
"""Codec frames that may sound in their neighbours (MDCT, bit reservoir), on either side of a span."""
_LONGEST_FRAME = 2304
"""Samples of the longest one, with the delay of its filter bank."""
_OPUS_DECAY_S = Fraction(3, 10)
"""How long the high-pass filter of libopus (3 Hz) swings after a sound has ended."""
_ENCODER_OPTIONS = {"aac": {"aac_coder": "fast"}}
"""At so high a rate FFmpeg's default search takes three times as long and comes no nearer to the source."""
_UNFLUSHED = {"mp2": 481, "ac3": 256, "eac3": 256}
"""Samples by which encoders are late that don't give the last of them by themselves."""
_MPEG_BIT_RATES = {"mp3": (64_000, 160_000, 320_000), "mp2": (160_000, 160_000, 384_000)}
"""By sample rate: up to 12 kHz, up to 24 kHz, above."""


class ChangedSound:
    """One audio stream of the source, as the output will have it."""

    def __init__(
        self, out: av.container.OutputContainer, path: StoragePath, part: Part, sound: Sound, index: FrameIndex
    ) -> None:
        """Add a stream to `out` for the sound of `part` of the source `path`; the header is written later.

        Raises what `read_sound` does, and EncodeError.
        """
        self._path, self._part, self._sound = path, part, sound
        self._first_frame_s = int(index.pts[0]) * index.time_base
        self._form = sound_format(path, part.index) or SoundFormat(48_000, "mono", "fltp")
        self.stream = _add_stream(out, path, encoder_for(part.codec), self._form)

    def packets(self) -> Iterator[_Packet]:
        """The changed sound, encoded."""
        for block in self._with_tail(self._blocks()):
            yield from self._encode(audio_frame(self._form, block))
        yield from self._encode(None)

    def _with_tail(self, blocks: Iterator[Block]) -> Iterator[Block]:
        block = None
        for block in blocks:
            yield block
        tail = _UNFLUSHED.get(encoded_as(self._part.codec), 0)
        if block is not None and tail:
            yield Block(block.stop, silence(block.samples.shape[0], tail, block.samples.dtype))

    def _blocks(self) -> Iterator[Block]:
        form, sound = self._form, self._sound
        spans = widened_spans(sound, encoded_as(self._part.codec), self._first_frame_s, form.rate_hz)
        blocks = muted(read_sound(self._path, self._part.index), spans)
        if sound.mode != "pitch":
            return blocks
        # Stretching moves sound by some milliseconds, out of a span and into it.
        return muted(shifted(blocks, form, sound.semitones), spans)

    def _encode(self, frame: av.AudioFrame | None) -> list[_Packet]:
        return cast(list[_Packet], self.stream.encode(frame))


def widened_spans(sound: Sound, codec: str, first_frame_s: Fraction, rate_hz: int) -> tuple[Span, ...]:
    """Where samples are silenced, so that nothing is heard in the spans after encoding and decoding."""
    exact = codec in _LOSSLESS or codec.startswith("pcm_")
    margin = math.ceil(MAX_DRIFT_S * rate_hz) + (0 if exact else _OVERLAP_FRAMES * _LONGEST_FRAME)
    lead = max(margin, math.ceil(_OPUS_DECAY_S * rate_hz)) if codec == "opus" else margin
    return spans_in_samples(sound.mute, first_frame_s, rate_hz, lead, margin)


def _add_stream(
    out: av.container.OutputContainer, path: StoragePath, encoder: str, form: SoundFormat
) -> AudioStream:
    try:
        stream = out.add_stream(encoder, rate=form.rate_hz)
        assert isinstance(stream, AudioStream)
        context = stream.codec_context
        context.format = _sample_format(encoder, form.sample_format)
        context.layout = form.layout
        context.time_base = Fraction(1, form.rate_hz)
        context.thread_count = 1
        codec = context.codec.canonical_name
        if codec not in _LOSSLESS and not codec.startswith("pcm_"):
            context.bit_rate = _bit_rate(codec, form.rate_hz, context.channels)
        context.options = _ENCODER_OPTIONS.get(encoder, {})
        context.open()
    except (av.error.FFmpegError, ValueError) as error:
        raise EncodeError(
            f"{path}: its sound, {form.rate_hz} Hz {form.layout}, cannot be encoded as {encoder} "
            f"({type(error).__name__}): use audio=copy or audio=drop for it."
        ) from error
    return stream


def _sample_format(encoder: str, given: str) -> str:
    """What the encoder takes that is nearest to the decoder's: packed or planar, but no fewer bits."""
    known = [form.name for form in av.Codec(encoder, "w").audio_formats or []]
    kind = given.removesuffix("p")
    return next((name for name in known if name.removesuffix("p") == kind), known[0])


def _bit_rate(codec: str, rate_hz: int, channels: int) -> int:
    """So high that a second encoding is hardly heard, as far as the codec goes."""
    if codec in _MPEG_BIT_RATES:
        highest = _MPEG_BIT_RATES[codec][(rate_hz > 12_000) + (rate_hz > 24_000)]
        return highest // 2 if codec == "mp2" and channels == 1 else highest
    if codec in ("ac3", "eac3"):
        return 640_000
    return channels * min(192_000, 5 * rate_hz)
