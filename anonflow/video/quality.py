"""Choosing an encoder's constant quality for a video: by encoding short samples of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from anonflow.config import VideoConfig
from anonflow.errors import DamagedVideoError
from anonflow.storage import StoragePath
from anonflow.types import FrameIndex, StreamFormat
from anonflow.video.decode import decode_range
from anonflow.video.encode import frame_rate, prepare
from anonflow.video.encoders import Encoding, choose_encoding
from anonflow.video.planes import plane_set
from anonflow.video.psnr import psnr_db, relative_error
from anonflow.video.scheduling import usual_scheduling

_TRIALS = {"h264": (16.0, 24.0), "hevc": (16.0, 24.0), "av1": (20.0, 40.0), "vp9": (16.0, 34.0)}
_LIMITS = {"h264": (8.0, 34.0), "hevc": (8.0, 34.0), "av1": (2.0, 55.0), "vp9": (4.0, 52.0)}
"""A source that needs a lower value than the first for its target is noise: it gets the first, and the report tells
the quality that came out. Above the second the eye sees what the PSNR of a still picture hides."""
_STEPS = {"h264": 2, "hevc": 2, "av1": 1, "vp9": 1}
"""Values of crf in one: FFmpeg gives SVT-AV1 and libvpx whole numbers."""
_DECODERS = {"h264": "h264", "hevc": "hevc", "av1": "libdav1d", "vp9": "vp9"}
_SAMPLE_FRAMES = 24
"""Twelve are too few for encoders that look ahead and grow quality from frame to frame: 1 dB off."""
_MIN_SAMPLE_FRAMES = 6
_MAX_BYTES = 192 << 20
_SHARE = 0.03
"""Of the video's frames are sampled, and encoded twice."""
_MAX_SAMPLES = 6
_MARGIN_DB = {"h264": 0.5, "hevc": 0.5, "av1": 1.0, "vp9": 0.8}
"""Samples promise a little more than a long encode keeps, and a chunk that must be encoded again costs twice."""


def choose_crf(path: StoragePath, index: FrameIndex, config: VideoConfig) -> float | None:
    """The largest constant quality at which the picture keeps `config.target_psnr_db`, with a small margin.

    Encodes samples of 24 frames, spread over the video, at two qualities, and goes along the line between the two:
    about a tenth of what encoding the video costs (more below 800 frames), and never more than 288 frames. None
    where there is nothing to choose: lossless, ProRes, or a quality that is configured. Nothing is written to disk.

    Raises:
        UnsupportedFormatError: see `choose_encoding`.
    """
    encoding = choose_encoding(index.stream, config)
    if not encoding.has_quality:
        return None
    if config.crf is not None or config.target_psnr_db is None:
        return encoding.default_crf if config.crf is None else float(config.crf)
    low, high = _TRIALS[encoding.family]
    errors = [[_error(frames, index, encoding, crf) for crf in (low, high)] for frames in _samples(path, index)]
    if not errors:
        return encoding.default_crf
    best, worst = (psnr_db(float(error)) for error in np.mean(errors, axis=0))
    slope = max(0.1, (best - worst) / (high - low))
    return _limited(low + (best - config.target_psnr_db - _MARGIN_DB[encoding.family]) / slope, encoding)


def better_crf(crf: float, mean_db: float, config: VideoConfig, encoding: Encoding) -> float | None:
    """A lower value after an encode that kept only `mean_db`; None if the target is kept or nothing is lower."""
    target = config.target_psnr_db
    if target is None or config.crf is not None or not encoding.has_quality or mean_db >= target:
        return None
    low, high = _TRIALS[encoding.family]
    step_db = 8.0 / (high - low)  # about what the two trials lie apart
    better = _limited(crf - (target + _MARGIN_DB[encoding.family] - mean_db) / step_db, encoding)
    return better if better < crf else None


def _limited(crf: float, encoding: Encoding) -> float:
    steps = _STEPS[encoding.family]
    return float(np.clip(np.floor(crf * steps) / steps, *_LIMITS[encoding.family]))


def _samples(path: StoragePath, index: FrameIndex) -> Iterator[list[av.VideoFrame]]:
    """Runs of frames that begin at keyframes, where reading needs no run-up; damaged ones (black) are left out."""
    damaged = set(index.damaged.tolist())
    for start in _starts(index):
        stop = start + _sample_frames(index.stream)
        end_pts = int(index.pts[stop]) if stop < index.n_frames else index.end_pts
        try:
            decoded = enumerate(decode_range(path, index, int(index.pts[start]), end_pts), start)
            frames = [frame for number, (_, frame) in decoded if number not in damaged]
        except DamagedVideoError:
            continue  # what damage means is decided where every frame is read, not here
        if frames:
            yield frames


def _sample_frames(form: StreamFormat) -> int:
    """Fewer of large frames, which are held in memory."""
    parts = av.VideoFormat(form.pixel_format, form.width, form.height).components
    frame_bytes = sum(part.width * part.height * (2 if part.bits > 8 else 1) for part in parts)
    return int(np.clip(_MAX_BYTES // frame_bytes, _MIN_SAMPLE_FRAMES, _SAMPLE_FRAMES))


def _starts(index: FrameIndex) -> list[int]:
    sound = np.setdiff1d(np.arange(index.n_frames), index.damaged)
    if not len(sound):
        return []
    n = int(np.clip(round(len(sound) * _SHARE / _SAMPLE_FRAMES), 1, _MAX_SAMPLES))
    middles = sound[((np.arange(n) + 0.5) * len(sound) / n).astype(np.int64)]
    keyframes = sound[index.keyframe[sound]]
    if not len(keyframes):
        return [int(sound[0])]
    return sorted({int(keyframes[np.argmin(np.abs(keyframes - middle))]) for middle in middles})


def _error(frames: Sequence[av.VideoFrame], index: FrameIndex, encoding: Encoding, crf: float) -> float:
    """Mean squared luma error of an encode, relative to the squared peak."""
    encoder = _encoder(index, encoding, crf)
    decoder = av.CodecContext.create(_DECODERS[encoding.family], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    packets = []
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base, frame.pict_type = number, encoder.time_base, 0
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    made = [frame for packet in packets for frame in decoder.decode(packet)] + decoder.decode(None)
    errors = []
    for before, after in zip(frames, made, strict=True):
        planes = plane_set(before)
        errors.append(relative_error(planes.planes[0], plane_set(after).planes[0], planes.bit_depth))
    return float(np.mean(errors))


def _encoder(index: FrameIndex, encoding: Encoding, crf: float) -> VideoCodecContext:
    context = av.CodecContext.create(encoding.encoder, "w")
    assert isinstance(context, VideoCodecContext)
    prepare(context, index.stream, encoding)
    rate = frame_rate(index)
    context.framerate, context.time_base = rate, Fraction(1) / rate
    context.options = encoding.options(index.stream, crf, first_field=index.stream.field_order)
    with usual_scheduling():
        context.open()
    return context
