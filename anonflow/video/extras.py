"""Writing what is kept besides the picture: streams, attachments, covers, chapters and metadata."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

import av.container
import av.stream
import av.video

from anonflow.storage import StoragePath
from anonflow.types import FrameIndex
from anonflow.video.carry import Selection, timecode
from anonflow.video.container import open_source
from anonflow.video.headers import without_comments
from anonflow.video.holding import has_plain_keys, language_in
from anonflow.video.inventory import TIMECODE, Part, read_all
from anonflow.video.sound import ChangedSound

_Packet: TypeAlias = "av.Packet[av.stream.Stream]"
_MIME_TYPES = {"mjpeg": "image/jpeg", "webp": "image/webp", "tiff": "image/tiff", "gif": "image/gif"}
_MIME_TYPES |= {"png": "image/png", "bmp": "image/bmp"}
_COVER_FLAGS = int(av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails)
_NANOSECOND = Fraction(1, 1_000_000_000)


def movie_flags(selection: Selection, container: str) -> str:
    """What MP4's muxer must be told to write the metadata."""
    return "" if has_plain_keys(container, selection.keys) else "+use_metadata_tags"


def add_extras(
    out: av.container.OutputContainer,
    picture: av.video.VideoStream,
    source: av.container.InputContainer,
    path: StoragePath,
    index: FrameIndex,
    selection: Selection,
    container: str,
    shift_s: Fraction = Fraction(0),
) -> list[Iterator[_Packet]]:
    """Add all that is selected to `out`, which has its picture already; the packets of the new streams.

    Chapters begin `shift_s` later; packets come with the source's times. `source` is `path`, opened. Attachments
    are written at once. Each iterator is in the order of the file.

    Raises what `ChangedSound` does.
    """
    _describe(picture, selection.picture, selection, container)
    picture.disposition |= av.stream.Disposition.default
    copied: dict[int, av.stream.Stream] = {}
    changed = []
    for part in selection.audio:
        if selection.sound.is_changed:
            changed.append(ChangedSound(out, path, part, selection.sound, index))
            _describe(changed[-1].stream, part, selection, container)
        else:
            copied[part.index] = _add_copy(out, source, part, selection, container)
    for part in selection.others:
        if part.kind == "attachment" or (part.kind == "cover" and container == ".mkv"):
            _attach(out, source, path, part)
        elif part.codec != TIMECODE:
            copied[part.index] = _add_copy(out, source, part, selection, container)
    _describe_file(out, selection, shift_s)
    _set_timecode(picture, source, selection)
    return [_packets(source, copied), *(sound.packets() for sound in changed)]


def _add_copy(
    out: av.container.OutputContainer,
    source: av.container.InputContainer,
    part: Part,
    selection: Selection,
    container: str,
) -> av.stream.Stream:
    stream = out.add_stream_from_template(source.streams[part.index], opaque=True)
    _describe(stream, part, selection, container)
    if part.kind == "audio":
        context = stream.codec_context
        context.extradata = without_comments(part.codec, bytes(context.extradata or b"")) or None
    if part.kind == "cover":
        stream.disposition = av.stream.Disposition.attached_pic
    return stream


def _describe(stream: av.stream.Stream, part: Part, selection: Selection, container: str) -> None:
    """Give an output stream the language, the flags and the kept keys of the source's."""
    language = language_in(container, part.language)
    stream.metadata.clear()
    stream.metadata.update(selection.stream_keys.get(part.index, {}))
    if language:
        stream.metadata["language"] = language
    stream.disposition = av.stream.Disposition(part.disposition & ~_COVER_FLAGS)


def _set_timecode(picture: av.video.VideoStream, source: av.container.InputContainer, selection: Selection) -> None:
    """MP4's muxer makes the timecode track from the first frame's timecode and the frame rate."""
    start, template = timecode(selection), source.streams[selection.picture.index]
    if start is not None and template.average_rate:
        picture.metadata["timecode"] = start
        picture.framerate = template.average_rate


def _describe_file(out: av.container.OutputContainer, selection: Selection, shift_s: Fraction) -> None:
    """Write the kept keys of the file, and its chapters."""
    out.metadata.update(selection.keys)
    out.set_chapters(
        [
            {
                "id": number,
                "start": round((chapter.start_s + shift_s) / _NANOSECOND),
                "end": round((chapter.stop_s + shift_s) / _NANOSECOND),
                "time_base": _NANOSECOND,
                # Also an empty one: MP4's muxer announces a track of titles even if there are none.
                "metadata": {"title": chapter.title},
            }
            for number, chapter in enumerate(selection.chapters, 1)
        ]
    )


def _attach(
    out: av.container.OutputContainer, source: av.container.InputContainer, path: StoragePath, part: Part
) -> None:
    """Matroska has covers as attachments, too; players know them by their names."""
    if part.kind == "cover":
        mime = _MIME_TYPES[part.codec]
        out.add_attachment(f"cover.{mime.partition('/')[2]}", mime, _first_packet(path, part))
        return
    template = source.streams[part.index]
    assert isinstance(template, av.stream.AttachmentStream)
    out.add_attachment(part.keys.get("filename", "attachment"), part.codec, template.data)


def _packets(source: av.container.InputContainer, outputs: dict[int, av.stream.Stream]) -> Iterator[_Packet]:
    if not outputs:
        return
    for packet in source.demux(*read_all(source, outputs)):
        if packet.size:
            packet.stream = outputs[packet.stream.index]
            yield packet


def _first_packet(path: StoragePath, part: Part) -> bytes:
    """The picture of a cover, read from a file of its own, because reading it moves on in all streams."""
    with open_source(path) as source:
        for packet in source.demux(source.streams[part.index]):
            if packet.size:
                return bytes(packet)
    return b""
