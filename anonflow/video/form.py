"""The format of a video, as its first decoded frame has it."""

from __future__ import annotations

import struct
from typing import Any, NoReturn

import av
import av.container
import av.error
import av.video

from anonflow.config import LimitsConfig
from anonflow.errors import DamagedVideoError, UnsupportedFormatError
from anonflow.storage import StoragePath
from anonflow.types import StreamFormat
from anonflow.video.container import check_picture, open_source, video_stream
from anonflow.video.fields import field_order
from anonflow.video.hdr import content_light, mastering_display
from anonflow.video.planes import is_paintable
from anonflow.video.sidedata import side_data_names
from anonflow.video.watchdog import one_step


def read_format(path: StoragePath, limits: LimitsConfig | None = None) -> StreamFormat:
    """The format of the video stream as its first decoded frame has it."""
    with open_source(path, limits) as container:
        stream = video_stream(container, path)
        frame = _first_frame(container, stream, path)
        if limits:  # some formats tell the size only now
            check_picture(frame.width, frame.height, limits, path)
        if not is_paintable(frame.format.name):
            raise UnsupportedFormatError(
                f"{path} has the pixel format {frame.format.name}, which cannot be masked in place: convert it to "
                "yuv420p, for example with `ffmpeg -i IN -pix_fmt yuv420p OUT.mp4`."
            )
        return StreamFormat(
            codec=stream.codec_context.codec.canonical_name,
            pixel_format=frame.format.name,
            width=frame.width,
            height=frame.height,
            sample_aspect_ratio=stream.sample_aspect_ratio or None,
            rotation_deg=rotation_deg(frame, path),
            color_range=int(frame.color_range),
            color_primaries=int(frame.color_primaries),
            color_transfer=int(frame.color_trc),
            color_matrix=int(frame.colorspace),
            mastering_display=mastering_display(frame),
            content_light=content_light(frame),
            side_data=side_data_names(frame),
            field_order=field_order(frame),  # the last: it paints on the frame
        )


def rotation_deg(frame: av.VideoFrame, path: StoragePath) -> int:
    """Counter-clockwise display rotation, from the display matrix of the frame.

    Raises:
        UnsupportedFormatError: the matrix mirrors, scales or turns by no multiple of 90 degrees.
    """
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 0
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    if abs(a) + abs(b) == 0 or (a, b) != (d, -c) or (a and b):
        raise UnsupportedFormatError(
            f"{path} is shown mirrored or slanted, which is not supported: re-encode it upright."
        )
    return frame.rotation


def _first_frame(
    container: av.container.InputContainer, stream: av.video.VideoStream, path: StoragePath
) -> av.VideoFrame:
    stream.codec_context.thread_count = 1
    for packet in container.demux(stream):
        try:
            with one_step():
                frames = packet.decode()
        except av.error.InvalidDataError:
            continue  # decode_range counts frames and refuses; here the first good one is enough
        except av.error.FFmpegError as error:
            _raise_undecodable(path, error)
        if frames:
            return frames[0]
    _raise_undecodable(path, None)


def _raise_undecodable(path: StoragePath, error: Exception | None) -> NoReturn:
    raise DamagedVideoError(
        f"{path}: no frame of its video can be decoded: copy the file again from where it was recorded."
    ) from error
