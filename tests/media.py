"""Small synthetic clips, made with PyAV, for tests that need a video and know everything about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

AUDIO_RATE_HZ = 48_000


@dataclass(frozen=True)
class Clip:
    """What a clip is made of. `pts` counts in `time_base`; None means `n_frames` at 25 frames a second."""

    codec: str = "libx264"
    width: int = 96
    height: int = 64
    n_frames: int = 40
    pts: Sequence[int] | None = None
    time_base: Fraction = Fraction(1, 12_800)
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "g": "12", "bf": "2"})
    rotation_deg: int = 0
    sample_aspect_ratio: Fraction | None = None
    colour: tuple[int, int, int, int] | None = None
    """Range, primaries, transfer and matrix, in FFmpeg's numbers."""
    audio: tuple[str, ...] = ()
    """An encoder name per audio stream."""
    audio_languages: tuple[str, ...] = ()
    audio_dispositions: tuple[int, ...] = ()
    audio_start_s: Fraction = Fraction(0)
    audio_duration_s: Fraction = Fraction(1)
    metadata: dict[str, str] = field(default_factory=dict)
    mux_options: dict[str, str] = field(default_factory=dict)

    @property
    def timestamps(self) -> list[int]:
        """One per frame."""
        step = int(Fraction(1, 25) / self.time_base)
        return list(self.pts) if self.pts is not None else [n * step for n in range(self.n_frames)]


def make_clip(path: Path, clip: Clip | None = None) -> Path:
    """Write `clip` to `path`, in the container that its extension names; returns `path`."""
    clip = clip or Clip()
    with av.open(str(path), "w", container_options=clip.mux_options) as out:
        out.metadata.update(clip.metadata)
        video = _add_video(out, clip)
        audio = [_add_audio(out, codec) for codec in clip.audio]
        for stream, language in zip(audio, clip.audio_languages, strict=False):
            stream.metadata["language"] = language
        for stream, disposition in zip(audio, clip.audio_dispositions, strict=False):
            stream.disposition = disposition
        packets: list[av.Packet] = []
        for number, pts in enumerate(clip.timestamps):
            packets += _encode(video, clip, number, pts)
        packets += video.encode(None)
        for number, stream in enumerate(audio):
            packets += _encode_tone(stream, clip, 330.0 * (number + 1))
        out.start_encoding()
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            out.mux(packet)
    return path


def picture(width: int, height: int, number: int) -> NDArray[np.uint8]:
    """A BGR picture that differs from frame to frame: a gradient with a square that walks."""
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows * 3 + number, columns * 2, rows + columns + 5 * number], axis=-1).astype(np.uint8)
    side = max(2, min(width, height) // 4)
    left = (number * 3) % max(1, width - side)
    image[height // 3 : height // 3 + side, left : left + side] = (20 + number * 7 % 200, 240, 90)
    return image


def video_frame(width: int, height: int, number: int, pixel_format: str = "yuv420p") -> av.VideoFrame:
    """`picture` as a frame."""
    return av.VideoFrame.from_ndarray(picture(width, height, number), format="bgr24").reformat(format=pixel_format)


def _add_video(out: av.container.OutputContainer, clip: Clip) -> av.video.VideoStream:
    stream = out.add_stream(clip.codec, rate=25, options=dict(clip.options))
    assert isinstance(stream, av.video.VideoStream)
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = clip.width, clip.height, clip.pixel_format
    context.time_base = stream.time_base = clip.time_base
    context.thread_count = 1
    if clip.sample_aspect_ratio:
        context.sample_aspect_ratio = clip.sample_aspect_ratio
    if clip.colour:
        context.color_range, context.color_primaries, context.color_trc, context.colorspace = clip.colour
    if clip.rotation_deg:
        stream.set_display_rotation(clip.rotation_deg)
    return stream


def _encode(stream: av.video.VideoStream, clip: Clip, number: int, pts: int) -> list[av.Packet]:
    frame = video_frame(clip.width, clip.height, number, clip.pixel_format)
    if clip.colour:
        frame.color_range, frame.color_primaries, frame.color_trc, frame.colorspace = clip.colour
    frame.pts, frame.time_base = pts, clip.time_base
    return list(stream.encode(frame))


def _add_audio(out: av.container.OutputContainer, codec: str) -> av.audio.AudioStream:
    stream = out.add_stream(codec, rate=AUDIO_RATE_HZ)
    assert isinstance(stream, av.audio.AudioStream)
    stream.codec_context.layout = "mono"
    stream.codec_context.time_base = Fraction(1, AUDIO_RATE_HZ)
    return stream


def _encode_tone(stream: av.audio.AudioStream, clip: Clip, frequency_hz: float) -> list[av.Packet]:
    context = stream.codec_context
    context.open()
    block = context.frame_size or 1024
    packets = []
    for start in range(0, int(clip.audio_duration_s * AUDIO_RATE_HZ), block):
        time_s = (np.arange(block) + start) / AUDIO_RATE_HZ
        tone = (9000 * np.sin(2 * np.pi * frequency_hz * time_s * (1 + time_s))).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
        frame.sample_rate, frame.time_base = AUDIO_RATE_HZ, Fraction(1, AUDIO_RATE_HZ)
        frame.pts = start + int(clip.audio_start_s * AUDIO_RATE_HZ)
        for ready in av.AudioResampler(context.format, context.layout, AUDIO_RATE_HZ).resample(frame):
            packets += stream.encode(ready)
    return [*packets, *stream.encode(None)]
