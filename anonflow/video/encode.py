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

from anonflow.config import VideoConfig
from anonflow.errors import EncodeError, UnsupportedFormatError
from anonflow.storage import naming_storage_errors
from anonflow.types import FrameIndex, StreamFormat
from anonflow.video.container import write_error

_ENCODER_OPTIONS: dict[str, dict[str, str]] = {
    # Closed captions travel in SEI messages and would survive the re-encode (a53cc).
    "libx264": {"a53cc": "0", "udu_sei": "0", "x264-params": "open-gop=0"},
    "libx265": {
        "a53cc": "0",
        "udu_sei": "0",
        "x265-params": "log-level=none:open-gop=0:pools=none:frame-threads=1:wpp=0",
    },
    "libsvtav1": {"svtav1-params": "irefresh-type=2:lp=1"},
}
_MAX_RATE_DENOMINATOR = 1001


class SegmentWriter:
    """Writes one segment: a NUT file with the source's time base, timestamps counted from its first frame.

    `path` is a temporary name: a writer that is left by an exception leaves an unusable file there, and the caller
    removes it. One encoder thread, so that equal frames give equal bytes.
    """

    def __init__(self, path: Path, index: FrameIndex, config: VideoConfig) -> None:
        """Prepare a segment of the video behind `index`.

        Raises:
            UnsupportedFormatError: the codec cannot hold the source's pixel format or size.
            StorageError: `path` cannot be written.
        """
        _require_encodable(index.stream, config.codec)
        self._path = path
        self._config = config
        self._index = index
        self._first_pts: int | None = None
        with naming_storage_errors(path):
            path.touch()
        self._container = av.open(f"file:{path.absolute()}", "w", format="nut")
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

    def write(self, pts: int, frame: av.VideoFrame) -> None:
        """Encode a frame. `pts` is its timestamp in the source's time base; timestamps must increase.

        Raises:
            EncodeError: the encoder refuses its settings or the frame.
            StorageError: the segment cannot be written.
        """
        if self._first_pts is None:
            self._first_pts = pts
        frame.pts = pts - self._first_pts
        frame.time_base = self._index.time_base
        frame.pict_type = 0  # the source's frame types are no orders to the encoder
        self._mux(frame)

    def _add_stream(self) -> av.video.VideoStream:
        form, config = self._index.stream, self._config
        options = {**_ENCODER_OPTIONS[config.codec], "crf": str(config.crf), "preset": config.preset}
        stream = self._container.add_stream(config.codec, rate=_frame_rate(self._index), options=options)
        assert isinstance(stream, av.video.VideoStream)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = form.width, form.height, form.pixel_format
        context.time_base = stream.time_base = self._index.time_base
        context.thread_count = 1
        if form.sample_aspect_ratio:
            context.sample_aspect_ratio = form.sample_aspect_ratio
        context.color_range, context.color_primaries = form.color_range, form.color_primaries
        context.color_trc, context.colorspace = form.color_transfer, form.color_matrix
        return stream

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
        codec = self._config.codec
        return EncodeError(
            f"The encoder {codec} refused to write {self._path} ({type(error).__name__}): choose another codec or "
            f"preset, for example video=h264, instead of video.codec={codec} video.preset={self._config.preset}."
        )


def _frame_rate(index: FrameIndex) -> Fraction:
    """The usual rate, for the encoder's rate control only: timestamps are exact whatever it is."""
    ticks = round(Fraction(index.frame_interval_s) / index.time_base)
    return (1 / (max(1, ticks) * index.time_base)).limit_denominator(_MAX_RATE_DENOMINATOR) or Fraction(1)


def _require_encodable(form: StreamFormat, codec: str) -> None:
    known = [f.name for f in av.Codec(codec, "w").video_formats or []]
    if form.pixel_format not in known:
        raise UnsupportedFormatError(
            f"{codec} cannot encode {form.pixel_format} and the pixel format must not change: choose a codec that "
            "can (video=hevc knows most), or convert the source to yuv420p."
        )
    if codec != "libsvtav1" and _has_odd_chroma(form):
        raise UnsupportedFormatError(
            f"{codec} cannot encode {form.pixel_format} of {form.width}x{form.height} pixels, an odd size: use "
            "video=av1, which can."
        )


def _has_odd_chroma(form: StreamFormat) -> bool:
    parts = av.VideoFormat(form.pixel_format, form.width, form.height).components
    if len(parts) < 3:
        return False
    halved_across, halved_down = parts[1].width < form.width, parts[1].height < form.height
    return bool((halved_across and form.width % 2) or (halved_down and form.height % 2))
