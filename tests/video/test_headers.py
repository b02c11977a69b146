from __future__ import annotations

import struct
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.errors import UnsupportedFormatError
from anonflow.types import Verdict
from anonflow.video.carry import SOUND_ONLY
from anonflow.video.headers import comments, without_comments
from tests.carrying import SECRET, broken, checks, rewrite, run_ffmpeg


def _lacing(size: int) -> bytes:
    return b"\xff" * (size // 255) + bytes([size % 255])


def _header(words: bytes, *, laced: bool = True, first: bytes = b"\x01vorbis" + bytes(23)) -> bytes:
    entry = struct.pack("<I", len(words)) + words
    middle, setup = b"\x03vorbis" + struct.pack("<II", 0, 1) + entry + b"\x01", b"\x05vorbis" + bytes(700)
    if laced:
        return b"\x02" + _lacing(len(first)) + _lacing(len(middle)) + first + middle + setup
    return b"".join(struct.pack(">H", len(part)) + part for part in (first, middle, setup))


@given(words=st.binary(min_size=1, max_size=700), laced=st.booleans())
def test_comments_are_found_and_gone_and_the_rest_stays(words: bytes, laced: bool) -> None:
    header = _header(words, laced=laced)
    assert words in comments("vorbis", header)
    clean = without_comments("vorbis", header)
    assert comments("vorbis", clean) == b"" and without_comments("vorbis", clean) == clean
    assert b"\x01vorbis" + bytes(23) in clean and clean.endswith(b"\x05vorbis" + bytes(700))


@given(st.binary(min_size=1, max_size=300))
def test_a_header_that_is_none_is_refused(noise: bytes) -> None:
    with pytest.raises(UnsupportedFormatError, match="audio=drop"):
        without_comments("vorbis", noise)


def test_other_codecs_are_left_alone() -> None:
    assert without_comments("aac", b"\x12\x10") == b"\x12\x10" and comments("aac", b"\x12\x10") == b""


def test_comments_of_a_matroska_file_stay_behind(tmp_path: Path) -> None:
    plain, source = tmp_path / "plain.mkv", tmp_path / "source.mkv"
    pattern = ["-f", "lavfi", "-i", "testsrc=s=96x64:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1"]
    run_ffmpeg(*pattern, "-c:v", "libx264", "-c:a", "libvorbis", plain)
    with av.open(str(plain)) as opened, av.open(str(source), "w") as out:
        streams = {s.index: out.add_stream_from_template(s, opaque=True) for s in opened.streams}
        header = bytes(streams[1].codec_context.extradata)
        first, setup = header[3:33], header[header.index(b"\x05vorbis") :]
        words = f"ARTIST={SECRET}".encode()
        middle = b"\x03vorbis" + struct.pack("<III", 0, 1, len(words)) + words + b"\x01"
        made = b"\x02" + _lacing(len(first)) + _lacing(len(middle)) + first + middle + setup
        streams[1].codec_context.extradata = made
        for packet in opened.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    assert SECRET.encode() in source.read_bytes()
    output = rewrite(source, tmp_path, SOUND_ONLY)
    assert broken(source, output, SOUND_ONLY) == [] and SECRET.encode() not in output.read_bytes()
    with av.open(str(output)) as result:
        assert sum(frame.samples for frame in result.decode(audio=0)) > 40_000
    assert checks(source, source, SOUND_ONLY)["audio headers"].verdict is Verdict.BROKEN
