"""What a file holds besides its picture: streams, chapters, and the keys of its metadata."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av.container
import av.stream

from anonflow.storage import StoragePath
from anonflow.video.container import is_cover, open_source
from anonflow.video.probe import codec_name

TIMECODE = "tmcd"
"""QuickTime's name for a timecode track, for which FFmpeg has no codec."""


@dataclass(frozen=True)
class Part:
    """A stream, as its container describes it."""

    index: int
    kind: str
    """`video`, `audio`, `subtitle`, `data`, `attachment`, `cover`, `thumbnails`, `chapter track` or `unknown`."""
    codec: str
    """FFmpeg's name of it; of an attachment its MIME type; `unknown`."""
    language: str | None
    disposition: int
    keys: dict[str, str]

    @property
    def name(self) -> str:
        """For reports: what it is, and nothing of what it holds."""
        return self.kind if self.kind == "chapter track" else f"{self.kind}:{self.codec}"


@dataclass(frozen=True)
class Chapter:
    """A mark on the time line, in seconds."""

    start_s: Fraction
    stop_s: Fraction
    title: str


@dataclass(frozen=True)
class Inventory:
    """A file without its picture."""

    picture: Part
    """The video stream that is worked on."""
    parts: tuple[Part, ...]
    """All other streams."""
    keys: dict[str, str]
    """Of the file as a whole."""
    chapters: tuple[Chapter, ...]


def take_inventory(path: StoragePath, video_index: int) -> Inventory:
    """Describe `path`, whose picture is the stream `video_index`. Reads headers only.

    Raises what `open_source` does.
    """
    with open_source(path) as container:
        has_chapters = bool(container.chapters())
        parts = [_part(stream, has_chapters) for stream in container.streams]
        return Inventory(
            picture=parts[video_index],
            parts=tuple(part for part in parts if part.index != video_index),
            keys=dict(container.metadata),
            chapters=_chapters(container),
        )


def _part(stream: av.stream.Stream, has_chapters: bool) -> Part:
    kind = _kind(stream, has_chapters)
    keys = dict(stream.metadata)
    return Part(
        index=stream.index,
        kind=kind,
        codec=_codec(stream, kind, keys),
        language=None if stream.language in (None, "", "und") else stream.language,
        disposition=int(stream.disposition),
        keys=keys,
    )


def _kind(stream: av.stream.Stream, has_chapters: bool) -> str:
    if stream.type == "video" and is_cover(stream):
        return "thumbnails" if stream.disposition & av.stream.Disposition.timed_thumbnails else "cover"
    # The demuxer takes the text of chapters for itself and marks their track as not to be read.
    is_hidden = stream.type == "data" and stream.discard == av.stream.Discard.all
    return "chapter track" if has_chapters and is_hidden and "timecode" not in stream.metadata else stream.type


def read_all(container: av.container.InputContainer, numbers: Iterable[int]) -> list[av.stream.Stream]:
    """Streams to demux; also those whose samples have no duration, which the demuxer would pass over."""
    streams = [container.streams[number] for number in numbers]
    for stream in streams:
        stream.discard = av.stream.Discard.default
    return streams


def _codec(stream: av.stream.Stream, kind: str, keys: dict[str, str]) -> str:
    if kind == "attachment":
        return keys.get("mimetype", "unknown")
    if kind == "data":
        return getattr(stream, "name", None) or (TIMECODE if "timecode" in keys else "unknown")
    return codec_name(stream)


def _chapters(container: av.container.InputContainer) -> tuple[Chapter, ...]:
    return tuple(
        Chapter(
            start_s=entry["start"] * (entry["time_base"] or Fraction(1)),
            stop_s=entry["end"] * (entry["time_base"] or Fraction(1)),
            title=entry["metadata"].get("title", ""),
        )
        for entry in container.chapters()
    )
