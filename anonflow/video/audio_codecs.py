"""Which audio codecs the output containers hold, and which of the others can at least be decoded."""

from __future__ import annotations

import av.codec

_SHARED_AUDIO = {"aac", "mp3", "mp2", "ac3", "eac3", "alac"}
_PCM_KINDS = ("s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "u8", "s8", "alaw", "mulaw")
HELD_AUDIO = {
    ".mp4": _SHARED_AUDIO | {"flac", "opus", "dts"},
    ".webm": {"opus", "vorbis"},
    ".mov": _SHARED_AUDIO | {"amr_nb", "amr_wb"} | {f"pcm_{kind}" for kind in _PCM_KINDS},
    ".mkv": _SHARED_AUDIO
    | {"flac", "opus", "dts", "vorbis", "mp1", "mlp", "truehd", "tta", "wavpack", "cook", "atrac3", "ra_288"}
    | {f"pcm_{kind}" for kind in ("u8", "s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "f32le", "f64le")},
}
"""What players expect to find in MP4 and MOV, and what FFmpeg's muxer takes for Matroska."""


def must_be_converted(codec: str) -> bool:
    """Whether no container holds it (Windows Media, ADPCM, Speex, ...), but it can be decoded."""
    if any(codec in held for held in HELD_AUDIO.values()):
        return False
    try:
        av.codec.Codec(codec, "r")
    except av.codec.codec.UnknownCodecError:
        return False
    return True
