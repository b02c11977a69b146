"""Encoding the masked frames of a chunk into a segment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
import av.video
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from anonflow.config import VideoConfig
from anonflow.errors import EncodeError
from anonflow.storage import naming_storage_errors
from anonflow.types import FrameIndex, IntArray, StreamFormat
from anonflow.video.container import write_error
from anonflow.video.encoders import Encoding, choose_encoding, codec_flags, color_range
from anonflow.video.recast import recast
from anonflow.video.scheduling import usual_scheduling

_MAX_RATE_DENOMINATOR = 1001
_OTHER_FIELD = {"top": "bottom", "bottom": "top"}


class SegmentWriter:
    """Writes one segment: a file with the source's time base, timestamps counted from its first frame.

    NUT, which keeps every time base; MOV for ProRes, which NUT has no name for.

    `path` is a temporary name: a writer that is left by an exception leaves an unusable file there, and the caller
    removes it. One encoder thread, so that equal frames give equal bytes.
    """

    def __init__(
        self, path: Path, index: FrameIndex, config: VideoConfig, crf: float | None = None, set_id: int = 0
    ) -> None:
        """Prepare a segment of the video behind `index`. `crf` is for a config that leaves it open.

        `set_id` is the id of the parameter sets of H.264, for segments that will stand beside copied packets.

        Raises:
            UnsupportedFormatError: see `choose_encoding`.
            StorageError: `path` cannot be written.
        """
        self._path = path
        self._encoding = choose_encoding(index.stream, config)
        self._crf = chosen_crf(self._encoding, config, crf)
        self._index = index
        self._set_id = set_id
        self._fresh_pts = set(index.pts[turns_of_damage(index)].tolist())
        self._first_pts: int | None = None
        with naming_storage_errors(path):
            path.touch()
        self._container = av.open(f"file:{path.absolute()}", "w", format=segment_format(self._encoding))
        self._stream = self._add_stream()

    def __enter__(self) -> Self:
        """Begin to write."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drain the encoder, unless an exception passes through, and close the file."""
        try:
            if kind is None:
                self._mux(None)
        finally:
            with self._naming_errors():
                self._container.close()

    def write(self, pts: int, frame: av.VideoFrame, *, starts_run: bool = False) -> None:
        """Encode a frame. `pts` is its timestamp in the source's time base; timestamps must increase.

        With `starts_run`, nothing before this frame is needed to decode it and what follows; nor is it where
        damaged frames, which are black, begin and end: what an encoder carries over would show.

        Raises:
            EncodeError: the encoder refuses its settings or the frame.
            StorageError: the segment cannot be written.
        """
        if self._first_pts is None:
            self._first_pts = pts
            self._stream.codec_context.options = self._options(pts)
            with self._naming_errors(), usual_scheduling():
                self._stream.codec_context.open()
        frame = recast(frame, self._encoding.pixel_format)
        frame.pts = pts - self._first_pts
        frame.time_base = self._index.time_base
        # The source's own frame types are no orders to the encoder.
        frame.pict_type = PictureType.I if starts_run or pts in self._fresh_pts else PictureType.NONE
        self._mux(frame)

    def _add_stream(self) -> av.video.VideoStream:
        form, encoding = self._index.stream, self._encoding
        stream = self._container.add_stream(encoding.encoder, rate=frame_rate(self._index))
        assert isinstance(stream, av.video.VideoStream)
        prepare(stream.codec_context, form, encoding)
        stream.codec_context.time_base = stream.time_base = self._index.time_base
        return stream

    def _options(self, first_pts: int) -> dict[str, str]:
        form = self._index.stream
        number = int(np.searchsorted(self._index.pts, first_pts))
        first_field = _OTHER_FIELD.get(form.field_order, "progressive") if number % 2 else form.field_order
        options = self._encoding.options(form, self._crf, first_field=first_field)
        if self._set_id:
            options["x264-params"] += f":sps-id={self._set_id}"
        if (self._set_id or self._fresh_pts) and self._encoding.family in ("h264", "hevc"):
            options["forced-idr"] = "1"
        return options

    def _mux(self, frame: av.VideoFrame | None) -> None:
        with self._naming_errors():
            self._container.mux(self._stream.encode(frame))

    @contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, ValueError) as error:
            raise write_error(error, self._path) or self._error(error) from error

    def _error(self, error: Exception) -> EncodeError:
        encoding = self._encoding
        return EncodeError(
            f"The encoder {encoding.encoder} refused to write {self._path} ({type(error).__name__}): choose "
            f"another codec or preset, for example video=ffv1, instead of {encoding.family}, {encoding.preset}."
        )


def turns_of_damage(index: FrameIndex) -> IntArray:
    """Display indices of the first frame of each run of damaged frames, and of the first one behind it."""
    is_damaged: NDArray[np.bool_] = np.zeros(index.n_frames, np.bool_)
    is_damaged[index.damaged] = True
    return np.flatnonzero(np.diff(is_damaged, prepend=False)).astype(np.int64)


def prepare(context: VideoCodecContext, form: StreamFormat, encoding: Encoding) -> None:
    """Set what the encoder must know of the stream. One thread: the result of some depends on their number."""
    context.width, context.height, context.pix_fmt = form.width, form.height, encoding.pixel_format
    context.thread_count = 1
    context.flags |= codec_flags(form, encoding)
    if form.sample_aspect_ratio:
        context.sample_aspect_ratio = form.sample_aspect_ratio
    context.color_range, context.color_primaries = color_range(form), form.color_primaries
    context.color_trc, context.colorspace = form.color_transfer, form.color_matrix


def chosen_crf(encoding: Encoding, config: VideoConfig, crf: float | None) -> float | None:
    """The quality to encode with: the configured one, else `crf`, else the encoder's default; None without any."""
    if not encoding.has_quality:
        return None
    return next(value for value in (config.crf, crf, encoding.default_crf) if value is not None)


def segment_format(encoding: Encoding) -> str:
    """FFmpeg's name of the container that segments are in."""
    return "mov" if encoding.family == "prores" else "nut"


def frame_rate(index: FrameIndex) -> Fraction:
    """The usual rate, for the encoder's rate control only: timestamps are exact whatever it is."""
    ticks = round(Fraction(index.frame_interval_s) / index.time_base)
    return (1 / (max(1, ticks) * index.time_base)).limit_denominator(_MAX_RATE_DENOMINATOR) or Fraction(1)
