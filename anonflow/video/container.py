"""Opening a source: files of known container formats, never a playlist or a script; addresses only through us."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.container
import av.error
import av.stream
import av.video

from anonflow.config import LimitsConfig
from anonflow.errors import (
    DamagedVideoError,
    LimitError,
    NotAVideoError,
    NoVideoStreamError,
    SourceEmptyError,
    SourceMissingError,
    SourceUnreadableError,
    StorageError,
)
from anonflow.storage import StoragePath, storage_error
from anonflow.video.extent import has_container_signature
from anonflow.video.reading import SteadyReader, reading
from anonflow.video.watchdog import one_step

# FFmpeg also "reads" text as subtitles or terminal art, pictures, and playlists that name other files. Of these
# formats only MOV can name another file to read from (`dref`), which is off.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv,asf,nut,ogg,mxf,dv,h264,hevc,mpegvideo,m4v,wav"
)
_OPTIONS = {
    "format_whitelist": _FORMATS,
    "protocol_whitelist": "file",
    "enable_drefs": "0",
    "use_absolute_path": "0",
}
_COVERS = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails


@contextmanager
def open_source(path: StoragePath, limits: LimitsConfig | None = None) -> Iterator[av.container.InputContainer]:
    """Open a media file for reading. `limits` are for a file that nobody has looked at yet.

    Raises:
        SourceMissingError, SourceUnreadableError, SourceEmptyError: the file itself is the problem.
        NotAVideoError: no container format that is known.
        DamagedVideoError: a known container whose header cannot be read (an MP4 that was cut).
        LimitError: more streams than may be, or a header that asks for more memory than there is.
    """
    options = _OPTIONS | (_limiting(limits) if limits else {})
    if isinstance(path, Path):
        check_readable(path)
    with reading(path) as file:
        container = _opened(path, file, options)
        with container:
            if limits:
                _check_limits(container, limits, path)
            yield container


def _opened(path: StoragePath, file: str | SteadyReader, options: dict[str, str]) -> av.container.InputContainer:
    try:
        with one_step():
            return av.open(file, "r", options=options, metadata_errors="replace")
    except av.error.MemoryError as error:
        raise LimitError(
            f"{path} asks for more memory or streams than it may have: raise limits.max_streams if it is sound."
        ) from error
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        raise _open_error(path) from error


def _limiting(limits: LimitsConfig) -> dict[str, str]:
    """What FFmpeg refuses by itself, before it allocates anything.

    One stream more than may be, because some demuxers leave out what is too much and go on.
    """
    return {"max_streams": str(limits.max_streams + 1), "max_pixels": str(limits.max_pixels)}


def _check_limits(container: av.container.InputContainer, limits: LimitsConfig, path: StoragePath) -> None:
    if len(container.streams) > limits.max_streams:
        raise LimitError(
            f"{path} has {len(container.streams)} streams: raise limits.max_streams={limits.max_streams} if it is "
            "sound."
        )
    for stream in container.streams.video:
        if _has_decoder(stream):
            check_picture(stream.codec_context.width, stream.codec_context.height, limits, path)


def check_picture(width: int, height: int, limits: LimitsConfig, path: StoragePath) -> None:
    """Raise LimitError if a picture of this size has too many pixels."""
    if width * height > limits.max_pixels:
        raise LimitError(
            f"{path} has pictures of {width}x{height} pixels: raise limits.max_pixels={limits.max_pixels} if it is "
            "sound."
        )


def check_readable(path: Path) -> None:
    """Raise the named error when `path` is missing, empty, no file, or may not be read."""
    try:
        if not path.exists():
            raise SourceMissingError(f"{path} does not exist: check the path.")
        if not path.is_file():
            raise NotAVideoError(f"{path} is not a file: give the video file itself.")
        if path.stat().st_size == 0:
            raise SourceEmptyError(f"{path} is empty: copy it again from where it was recorded.")
        readable = os.access(path, os.R_OK)
    except PermissionError:
        readable = False
    if not readable:
        raise SourceUnreadableError(f"{path} may not be read: grant this user read permission.")


def video_stream(container: av.container.InputContainer, path: StoragePath) -> av.video.VideoStream:
    """The stream that is the video: FFmpeg's best one, never a cover picture.

    Raises:
        NoVideoStreamError: there is none, or no decoder for it.
    """
    streams = [s for s in container.streams.video if not s.disposition & _COVERS]
    streams = [s for s in streams if _has_decoder(s)]
    if not streams:
        raise NoVideoStreamError(f"{path} has no video stream that can be decoded: remove it from the input.")
    best = container.streams.best("video")
    return next((s for s in streams if s is best), streams[0])


def write_error(error: Exception, path: StoragePath) -> StorageError | None:
    """The named error when a failure of FFmpeg to write `path` lies in the storage, else None."""
    code = getattr(error, "errno", None)
    # Not EPERM and EINVAL: encoders and muxers use them for their own refusals.
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EIO):
        return storage_error(OSError(code, os.strerror(code)), path)
    return None


def is_cover(stream: av.stream.Stream) -> bool:
    """Whether the stream is an attached picture and not moving video."""
    return bool(stream.disposition & _COVERS)


def _has_decoder(stream: av.stream.Stream) -> bool:
    # PyAV gives None for a codec that its FFmpeg has no decoder for; its type stubs don't say so.
    return getattr(stream, "codec_context", None) is not None


def _open_error(path: StoragePath) -> NotAVideoError | DamagedVideoError:
    if has_container_signature(path):
        return DamagedVideoError(f"{path} is truncated or corrupt, its header cannot be read: copy it again.")
    return NotAVideoError(f"{path} is not a video of a known format: remove it from the input.")
