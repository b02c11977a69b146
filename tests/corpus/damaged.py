"""Files that are damaged, or that are no video, or that mean harm."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.recipes import EXACT


@dataclass(frozen=True)
class Damage:
    """How a file comes from a whole one (`source`), and what may come of it."""

    source: str
    make: Callable[[Path | None, Path], None]
    expected: tuple[str, ...] = ("damaged",)


def changed(change: Callable[[bytes], bytes]) -> Callable[[Path | None, Path], None]:
    """Write the changed content of the whole file."""

    def make(whole: Path | None, path: Path) -> None:
        assert whole is not None
        path.write_bytes(change(whole.read_bytes()))

    return make


def cut(share: float) -> Callable[[Path | None, Path], None]:
    """Keep the first `share` of the bytes."""
    return changed(lambda content: content[: int(len(content) * share)])


def flipped(seed: int, n_bits: int) -> Callable[[Path | None, Path], None]:
    """Flip bits in the middle half of the file, where the pictures are."""

    def change(content: bytes) -> bytes:
        chance, damaged = random.Random(seed), bytearray(content)
        for _ in range(n_bits):
            damaged[chance.randrange(len(content) // 4, len(content) * 3 // 4)] ^= 1 << chance.randrange(8)
        return bytes(damaged)

    return changed(change)


def text(content: str) -> Callable[[Path | None, Path], None]:
    """A file of text; `{whole}` is the path of the whole file."""
    return lambda whole, path: path.write_text(content.replace("{whole}", str(whole))) and None


def _without_box(kind: bytes) -> Callable[[bytes], bytes]:
    """Rename the top-level box, so that nobody finds it."""
    return lambda content: content[: content.rindex(kind)] + b"gone" + content[content.rindex(kind) + 4 :]


def _without_avi_index(content: bytes) -> bytes:
    return content.replace(b"idx1", b"JUNK", 1)


def _without_cues(content: bytes) -> bytes:
    """Turn the Cues element into a Void one of the same length."""
    start = content.rindex(b"\x1c\x53\xbb\x6b")
    length = 9 - content[start + 4].bit_length()  # of its size field; Void takes the three bytes of the longer name
    size = int.from_bytes(content[start + 4 : start + 4 + length], "big") & ((1 << 7 * length) - 1)
    header = b"\xec" + (size | 1 << 7 * (length + 3)).to_bytes(length + 3, "big")
    return content[:start] + header + content[start + 4 + length :]


def _looped(_: Path | None, path: Path) -> None:
    path.symlink_to(path.name)


def _elsewhere(whole: Path | None, path: Path) -> None:
    """A MOV whose data reference (`dref`) is an alias with the path of another file, as Final Cut writes them."""
    assert whole is not None
    content, target = whole.read_bytes(), str(whole).encode()
    start = content.index(b"dref", content.rindex(b"moov")) - 4
    stop = start + int.from_bytes(content[start : start + 4], "big")
    path_field = struct.pack(">hH", 2, len(target)) + target + b"\0" * (len(target) % 2) + struct.pack(">h", -1)
    volume, name = b"\x03abc".ljust(28, b"\0"), (b"\x08clip.mov").ljust(64, b"\0")
    alias = bytes(10) + volume + bytes(12) + name + bytes(16) + struct.pack(">hh", 0, 1) + bytes(16) + path_field
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    dref = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    made = bytearray(content[:start] + dref + content[stop:])
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        place = content.rindex(kind, 0, start) - 4
        size = int.from_bytes(content[place : place + 4], "big") + len(dref) - (stop - start)
        made[place : place + 4] = struct.pack(">I", size)
    path.write_bytes(made)


def _huge_picture(content: bytes) -> bytes:
    """A JPEG header that claims 65500 x 65500 pixels, in every frame."""
    parts = content.split(b"\xff\xc0")
    return b"\xff\xc0".join([parts[0], *(p[:3] + struct.pack(">HH", 65_500, 65_500) + p[7:] for p in parts[1:])])


def _many_streams(content: bytes) -> bytes:
    """Repeat the track box of an MP4 whose header is at its end, a thousand times and more."""
    moov = content.rindex(b"moov") - 4
    trak = content.index(b"trak", moov) - 4
    size = int.from_bytes(content[trak : trak + 4], "big")
    boxes = content[trak : trak + size] * 1500
    header = struct.pack(">I", int.from_bytes(content[moov : moov + 4], "big") + len(boxes))
    return content[:moov] + header + content[moov + 4 : trak] + boxes + content[trak:]


def _joined(content: bytes) -> bytes:
    return content + content


_ENDLESS = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\n{whole}\n"
_CONCAT = "ffconcat version 1.0\nfile '{whole}'\nfile 'http://127.0.0.1:9/clip.mp4'\n"
_DASH = "<?xml version='1.0'?><MPD><Period><BaseURL>{whole}</BaseURL></Period></MPD>"
_IMF = "<?xml version='1.0'?><CompositionPlaylist xmlns='http://www.smpte-ra.org/schemas/2067-3/2016'/>"
_MAYBE = (EXACT, "damaged")

DAMAGED = {
    **{f"cut{share}.mp4": Damage("h264.mp4", cut(share / 100)) for share in (5, 50, 95)},
    "cut_faststart.mp4": Damage("faststart.mp4", cut(0.8)),
    "cut_fragmented.mp4": Damage("fragmented.mp4", cut(0.7)),
    **{f"cut{share}.mkv": Damage("h264.mkv", cut(share / 100)) for share in (10, 60, 99)},
    # Nothing in a transport or program stream says how long it should be.
    **{f"cut{share}.ts": Damage("h264.ts", cut(share / 100), _MAYBE) for share in (31, 77, 98)},
    "cut50.mpg": Damage("mpeg2.mpg", cut(0.5), _MAYBE),
    "cut70.avi": Damage("mpeg4.avi", cut(0.7)),
    "cut60.flv": Damage("h264.flv", cut(0.6)),
    "cut60.wmv": Damage("wmv2.wmv", cut(0.6), _MAYBE),
    "flipped.mp4": Damage("h264.mp4", flipped(1, 40)),
    "flipped_hevc.mp4": Damage("hevc.mp4", flipped(2, 40)),
    "flipped.mkv": Damage("h264.mkv", flipped(3, 40)),
    "flipped.ts": Damage("h264.ts", flipped(4, 40)),
    "flipped_vp9.webm": Damage("vp9.webm", flipped(5, 40), _MAYBE),
    "flipped_av1.mp4": Damage("av1.mp4", flipped(6, 40)),
    "flipped_mpeg2.mpg": Damage("mpeg2.mpg", flipped(7, 40)),
    "no_moov.mp4": Damage("h264.mp4", changed(_without_box(b"moov"))),
    "no_index.avi": Damage("mpeg4.avi", changed(_without_avi_index), (EXACT,)),
    "no_cues.mkv": Damage("h264.mkv", changed(_without_cues), (EXACT,)),
    "zeros.mp4": Damage("h264.mp4", changed(lambda content: bytes(len(content))), ("not_a_video",)),
    "empty.mp4": Damage("", lambda _, path: path.touch(), ("empty",)),
    "wrong_extension.avi": Damage("h264.mp4", changed(bytes), (EXACT,)),
    "picture.mp4": Damage(
        "", lambda _, path: path.write_bytes(b"\x89PNG\r\n\x1a\n" * 9) and None, ("not_a_video",)
    ),
    "text.mp4": Damage("", text("Just words.\n" * 300), ("not_a_video", "no_video_stream")),
    "loop.mp4": Damage("", _looped, ("missing", "unreadable")),
    "reset.ts": Damage("h264.ts", changed(_joined), ("timestamps", "damaged")),
    # Files that name other files.
    "endless.m3u8": Damage("h264.ts", text(_ENDLESS), ("not_a_video",)),
    "playlist.mp4": Damage("h264.ts", text(_ENDLESS), ("not_a_video",)),
    "script.ffconcat": Damage("h264.mp4", text(_CONCAT), ("not_a_video",)),
    "script.mkv": Damage("h264.mp4", text(_CONCAT), ("not_a_video",)),
    "manifest.mpd": Damage("h264.mp4", text(_DASH), ("not_a_video",)),
    "composition.mxf": Damage("h264.mp4", text(_IMF), ("not_a_video",)),
    "elsewhere.mov": Damage("silent.mov", _elsewhere, ("damaged", "not_a_video", "no_video_stream")),
    # More than anybody needs.
    "huge.avi": Damage("mjpeg.avi", changed(_huge_picture), ("limit", "damaged", "unsupported")),
    "streams.mp4": Damage("silent.mp4", changed(_many_streams), ("limit",)),
}
