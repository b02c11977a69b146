"""Making a small video from pictures, and a picture from a video: for the sample and its before/after picture."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from anonflow.storage import StoragePath
from anonflow.types import FrameIndex, Picture
from anonflow.video.decode import decode_range

_SAMPLE_RATE = 48_000
_TONE_BLOCK = 1024


def write_clip(path: Path, pictures: Iterable[Picture], size: tuple[int, int], frame_rate: int) -> None:
    """Encode BGR pictures of `size` (width, height), and as long a tone, as MP4 (H.264, AAC)."""
    with av.open(str(path), "w", format="mp4") as out:
        video = out.add_stream("libx264", rate=frame_rate, options={"crf": "18", "preset": "veryfast"})
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        sound = out.add_stream("aac", rate=_SAMPLE_RATE, layout="mono")
        n_frames = 0
        for picture in pictures:
            out.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
            n_frames += 1
        out.mux(video.encode(None))
        for block in _tone(n_frames / frame_rate):
            out.mux(sound.encode(block))
        out.mux(sound.encode(None))


def picture_at(path: StoragePath, index: FrameIndex, frame: int) -> Picture:
    """One frame of a video as BGR, as it is coded."""
    start = int(index.pts[frame])
    _, decoded = next(decode_range(path, index, start, start + 1))
    return np.asarray(decoded.to_ndarray(format="bgr24"), np.uint8)


def write_side_by_side(path: Path, left: Picture, right: Picture) -> None:
    """Write two pictures beside each other as PNG."""
    cv2.imwrite(str(path), np.hstack([left, right]))


def _tone(duration_s: float) -> Iterable[av.AudioFrame]:
    """A siren-like tone, so that lost or shifted sound would be heard."""
    seconds = np.arange(int(duration_s * _SAMPLE_RATE)) / _SAMPLE_RATE
    wave = (0.2 * np.sin(2 * np.pi * 440 * seconds + 40 * np.sin(2 * np.pi * 0.5 * seconds))).astype(np.float32)
    for start in range(0, len(wave), _TONE_BLOCK):
        block = av.AudioFrame.from_ndarray(wave[None, start : start + _TONE_BLOCK], format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = _SAMPLE_RATE, start, Fraction(1, _SAMPLE_RATE)
        yield block
