"""Which keyframes a decoder can start at without remembering anything that came before."""

from __future__ import annotations

from collections.abc import Iterator

import av
import av.stream
from av.video.codeccontext import VideoCodecContext

_INTRA_ONLY_STARTS = {"vp8", "vp9", "av1", "mjpeg", "prores", "dnxhd", "ffv1", "huffyuv", "dvvideo", "rawvideo"}
"""Codecs whose keyframes reset everything, or that have nothing but keyframes."""
_H264_IDR = {5}
_HEVC_IDR = {19, 20}
_HEVC_IRAP = set(range(16, 22))
_SEQUENCE_HEADER = b"\0\0\1\xb3"
_HEALING_KEYFRAMES = {"mpeg4", "h263", "flv1", "wmv1", "wmv2", "wmv3", "vc1"} | {
    f"msmpeg4v{version}" for version in (1, 2, 3)
}


def starts_clean(packet: av.Packet[av.stream.Stream], context: VideoCodecContext) -> bool:
    """Whether decoding from this keyframe packet on equals decoding from the beginning of the file.

    True for IDR pictures (ITU-T H.264 7.4.1.2.4, H.265 7.4.2.2) and for codecs whose keyframes are always such.
    H.264 recovery points are marked as keyframes too, but only become right some frames later; of other codecs
    (MPEG-2, MPEG-4) it is not known here.
    """
    codec = context.codec.canonical_name
    if codec == "h264":
        return any(unit[0] & 0x1F in _H264_IDR for unit in _nal_units(bytes(packet), _h264_length_size(context)))
    if codec == "hevc":
        return any(
            unit[0] >> 1 & 0x3F in _HEVC_IDR for unit in _nal_units(bytes(packet), _hevc_length_size(context))
        )
    return codec in _INTRA_ONLY_STARTS


def heals(packet: av.Packet[av.stream.Stream], context: VideoCodecContext) -> bool:
    """Whether all that is decoded from this keyframe packet on, and displayed from it on, depends on it alone.

    Weaker than `starts_clean`: pictures that are decoded after it and displayed before it may lean on what came
    before, as in open groups of HEVC (H.265 7.4.2.2, IRAP pictures), MPEG-1, MPEG-2 (H.262 6.1.1.6: only with a
    sequence header, which resets the matrices) and MPEG-4.
    """
    codec = context.codec.canonical_name
    if codec == "hevc":
        units = _nal_units(bytes(packet), _hevc_length_size(context))
        return any(unit[0] >> 1 & 0x3F in _HEVC_IRAP for unit in units)
    if codec in ("mpeg1video", "mpeg2video"):
        return _SEQUENCE_HEADER in bytes(packet)
    return codec in _HEALING_KEYFRAMES or starts_clean(packet, context)


def _h264_length_size(context: VideoCodecContext) -> int:
    """Bytes of a unit's length field, from avcC (ISO/IEC 14496-15, 5.3.3); 0 for start codes (Annex B)."""
    extradata = context.extradata or b""
    return (extradata[4] & 3) + 1 if len(extradata) > 4 and extradata[0] == 1 else 0


def _hevc_length_size(context: VideoCodecContext) -> int:
    """As above, from hvcC (ISO/IEC 14496-15, 8.3.3)."""
    extradata = context.extradata or b""
    return (extradata[21] & 3) + 1 if len(extradata) > 21 and extradata[0] == 1 else 0


def _nal_units(data: bytes, length_size: int) -> Iterator[bytes]:
    """The first bytes of each NAL unit of a packet."""
    position = 0
    while length_size and position + length_size < len(data):
        start = position + length_size
        yield data[start : start + 2]
        position = start + int.from_bytes(data[position:start], "big")
    while not length_size and (position := data.find(b"\0\0\1", position)) >= 0 and position + 3 < len(data):
        position += 3
        yield data[position : position + 2]
