"""Sound as samples on the container's time line: decoded, without gaps or overlaps between frames."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.error
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from anonflow.errors import DamagedVideoError, UnsupportedFormatError
from anonflow.storage import StoragePath
from anonflow.video.container import open_source

Samples = NDArray[Any]
"""(channels, n) of uint8, int16, int32, float32 or float64, as the decoder gives them."""

MAX_DRIFT_S = Fraction(1, 100)
"""Frames whose time differs by less follow each other without a seam: containers round times to a millisecond."""
_USUAL_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
"""For files that only say how many channels there are."""
_REMEDY = "use audio=copy or audio=drop for it"
_MIDDLE = {np.dtype(np.uint8): 128}


@dataclass(frozen=True)
class SoundFormat:
    """What all samples of a stream have in common."""

    rate_hz: int
    layout: str
    sample_format: str
    """FFmpeg's name, planar: `s16p`, `fltp`."""


@dataclass(frozen=True, eq=False)
class Block:
    """Samples from `start` on, which counts samples on the container's time line and may be negative."""

    start: int
    samples: Samples

    @property
    def stop(self) -> int:
        """Where the next block begins."""
        return self.start + int(self.samples.shape[1])


def sound_format(path: StoragePath, stream_index: int) -> SoundFormat | None:
    """The format of an audio stream as its first decoded frame has it; None for a stream without any."""
    frames = _frames(path, stream_index)
    first = next(frames, None)
    frames.close()
    return None if first is None else _format(first)


def read_sound(path: StoragePath, stream_index: int) -> Iterator[Block]:
    """The samples of an audio stream in blocks, each beginning where the last one ended.

    A gap between frames becomes silence, an overlap is cut off, so that every sample stays at its time, to 10 ms.

    Raises:
        DamagedVideoError: a frame cannot be decoded.
        UnsupportedFormatError: there is no decoder, or rate or layout change on the way.
    """
    form: SoundFormat | None = None
    at = 0
    for frame in _frames(path, stream_index):
        if form is None:
            form, at = _format(frame), _start(frame, 0)
        if _format(frame) != form:
            raise _unsupported(path, "changes its sample rate or its channels on the way")
        for block in _joined(at, Block(_start(frame, at), _planar(frame)), form):
            yield block
            at = block.stop


def _joined(at: int, block: Block, form: SoundFormat) -> Iterator[Block]:
    """The block as it follows what ends at the sample `at`."""
    late = block.start - at
    if abs(late) <= MAX_DRIFT_S * form.rate_hz:
        late = 0
    channels, n = block.samples.shape
    for filled in range(0, late, form.rate_hz):
        yield Block(at + filled, silence(channels, min(form.rate_hz, late - filled), block.samples.dtype))
    if -late < n:
        yield Block(at + max(late, 0), block.samples[:, max(-late, 0) :])


def silence(channels: int, n: int, dtype: np.dtype[Any]) -> Samples:
    """Digital silence."""
    return np.full((channels, n), _MIDDLE.get(dtype, 0), dtype)


def loudest(samples: Samples) -> float:
    """The largest distance from silence, as a share of full scale; 0 for no samples."""
    if not samples.size:
        return 0.0
    middle = _MIDDLE.get(samples.dtype, 0)
    peak = float(np.max(np.abs(samples.astype(np.float64) - middle)))
    return peak if samples.dtype.kind == "f" else peak / 2.0 ** (8 * samples.dtype.itemsize - 1)


def audio_frame(form: SoundFormat, block: Block) -> av.AudioFrame:
    """A block as a frame, with its time."""
    samples = np.ascontiguousarray(block.samples)
    frame = av.AudioFrame.from_ndarray(samples, format=form.sample_format, layout=form.layout)
    frame.sample_rate, frame.time_base, frame.pts = form.rate_hz, Fraction(1, form.rate_hz), block.start
    return frame


def _frames(path: StoragePath, stream_index: int) -> Generator[av.AudioFrame]:
    with open_source(path) as container:
        stream = container.streams[stream_index]
        if not isinstance(stream, AudioStream) or getattr(stream, "codec_context", None) is None:
            raise _unsupported(path, "is of an unknown codec")
        stream.codec_context.thread_count = 1
        try:
            for frame in container.decode(stream):
                if frame.samples:
                    yield frame
        except av.error.FFmpegError as error:
            raise DamagedVideoError(
                f"{path}: its sound cannot be decoded to its end and so cannot be changed: {_REMEDY}."
            ) from error


def _format(frame: av.AudioFrame) -> SoundFormat:
    channels = frame.layout.nb_channels
    layout = _USUAL_LAYOUTS.get(channels, "") if frame.layout.name == f"{channels} channels" else frame.layout.name
    return SoundFormat(frame.sample_rate, layout, frame.format.name.removesuffix("p") + "p")


def _start(frame: av.AudioFrame, expected: int) -> int:
    """The frame's first sample; where the last frame ended for one without a time."""
    if frame.pts is None or frame.time_base is None:
        return expected
    return round(frame.pts * frame.time_base * frame.sample_rate)


def _planar(frame: av.AudioFrame) -> Samples:
    samples = frame.to_ndarray()
    if frame.format.is_planar:
        return samples
    return samples.reshape(frame.samples, -1).T


def _unsupported(path: StoragePath, what: str) -> UnsupportedFormatError:
    return UnsupportedFormatError(f"{path}: its sound {what} and so cannot be changed: {_REMEDY}.")
