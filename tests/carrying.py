"""Sources full of what is not the picture, and their way through the join, for tests of what is kept."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from anonflow.config import KeepConfig, VideoConfig
from anonflow.types import Check, Verdict
from anonflow.video.carry import CarryPolicy, Sound, select
from anonflow.video.contract import inspect
from anonflow.video.decode import decode_range
from anonflow.video.encode import SegmentWriter
from anonflow.video.join import join
from anonflow.video.probe import probe
from anonflow.video.target import choose_container

SECRET = "SECRETWORD"
DATE = "2024-05-01T10:20:30Z"
PLACE = "+52.5200+013.4050/"
EVERYTHING = KeepConfig(
    metadata=("*",),
    chapters=("times", "titles"),
    subtitles=("*",),
    data=("*",),
    attachments=("*",),
    cover=("*",),
)
_FAST = VideoConfig("h264", False, 30, "ultrafast", None)
_SRT = f"1\n00:00:00,200 --> 00:00:00,900\n{SECRET} one\n\n2\n00:00:01,000 --> 00:00:01,600\n{SECRET} two\n"
_CHAPTERS = f""";FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=900
title={SECRET} chapter
[CHAPTER]
TIMEBASE=1/1000
START=900
END=2000
title={SECRET} more
"""


def run_ffmpeg(*arguments: str | Path, folder: Path | None = None) -> None:
    """Run the second FFmpeg, which is of another build than av's, in a folder."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)


def rich_source(path: Path) -> Path:
    """Two seconds with everything that the container of `path` can hold: .mp4, .mov or .mkv."""
    folder = path.parent
    (folder / "words.srt").write_text(_SRT)
    (folder / "chapters.txt").write_text(_CHAPTERS)
    (folder / "font.ttf").write_text(f"{SECRET} font")
    cover = folder / "cover.jpg"
    run_ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1", "-metadata", f"comment={SECRET}", cover)
    inputs = "-f lavfi -i testsrc=s=96x64:r=25:d=2 -f lavfi -i sine=r=48000:d=2 -i words.srt -i chapters.txt"
    streams = "-map 0 -map 1 -map 2 -map_chapters 3 -c:v:0 libx264 -preset ultrafast -bf 2 -c:a aac"
    keys = f"-metadata title={SECRET} -metadata location={PLACE} -metadata creation_time={DATE}"
    keys += f" -metadata com.apple.quicktime.model={SECRET} -metadata comment={SECRET} -metadata:s:s language=deu"
    keys += f" -metadata:s:v:0 handler_name={SECRET} -metadata:s:a title={SECRET} -metadata:s:a language=ger"
    attached = (
        "-attach font.ttf -metadata:s:t:0 mimetype=font/ttf -attach cover.jpg -metadata:s:t:1 mimetype=image/jpeg"
    )
    kinds = {
        ".mp4": f"-i cover.jpg {streams} -map 4 -c:v:1 copy -c:s mov_text -disposition:v:1 attached_pic",
        ".mov": f"{streams} -c:s mov_text -timecode 01:00:00:00 -movflags use_metadata_tags",
        ".mkv": f"{streams} -c:s subrip {attached}",
    }
    run_ffmpeg(*f"{inputs} {kinds[path.suffix]} {keys} {path.name}".split(), folder=folder)
    return path


def with_hidden_boxes(source: Path, target: Path) -> Path:
    """An MP4 or MOV with what phones and editors leave in it: places, XMP, and the rest of deleted things."""
    content = source.read_bytes()
    words = SECRET.encode()
    place = _box(b"\xa9xyz", struct.pack(">HH", len(PLACE), 0x15C7) + PLACE.encode())
    named = _box(
        b"loci", b"\0\0\0\0\x15\xc7" + words + b"\0\0" + struct.pack(">3i", 13 << 16, 52 << 16, 0) + b"earth\0\0"
    )
    inside = _box(b"udta", place + named + _box(b"XMP_", words) + _box(b"free", words))
    start = content.rfind(b"moov") - 4
    (size,) = struct.unpack(">I", content[start : start + 4])
    assert start + size == len(content), "the header is at the end"
    moov = struct.pack(">I", size + len(inside)) + content[start + 4 :] + inside
    behind = _box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<x:xmpmeta>" + words)
    target.write_bytes(content[:start] + moov + behind + _box(b"free", words) + _box(b"skip", words))
    return target


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload) + 8) + kind + payload


def rewrite(source: Path, folder: Path, policy: CarryPolicy) -> Path:
    """Encode and join `source` as the pipeline does, in one segment, without masks."""
    index = probe(source)
    segment = folder / "segment.nut"
    with SegmentWriter(segment, index, _FAST) as writer:
        for pts, frame in decode_range(source, index, int(index.pts[0]), index.end_pts):
            writer.write(pts, frame)
    container = choose_container(index, source.suffix, selection=select(source, index, policy))
    output = folder / f"out{container}"
    join([segment], source, index, output, container, policy)
    return output


def checks(source: Path, output: Path, policy: CarryPolicy) -> dict[str, Check]:
    """What the contract says, by name."""
    return {check.name: check for check in inspect(source, probe(source), output, policy)}


def broken(source: Path, output: Path, policy: CarryPolicy) -> list[str]:
    """Names and details of the broken points."""
    found = checks(source, output, policy).values()
    return [f"{check.name}: {check.detail}" for check in found if check.verdict is Verdict.BROKEN]


def keeping(**lists: Sequence[str]) -> CarryPolicy:
    """A policy with these allow-lists."""
    return CarryPolicy(KeepConfig(**{name: tuple(patterns) for name, patterns in lists.items()}))


def sounding(mode: str, *, mute: Sequence[tuple[float, float | None]] = (), semitones: float = 0.0) -> CarryPolicy:
    """A policy with this sound."""
    from anonflow.config import TimeSpan

    return CarryPolicy(KeepConfig(), Sound(mode, tuple(TimeSpan(*span) for span in mute), semitones))


def clip_with_sound(path: Path, codec: str, samples: NDArray[np.float64], rate_hz: int = 48_000) -> Path:
    """Two seconds of video with `samples` (channels, n) in -1..1, encoded with that encoder."""
    channels = samples.shape[0]
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = out.add_stream(codec, rate=rate_hz)
        assert isinstance(audio, av.audio.AudioStream)
        audio.codec_context.layout = "mono" if channels == 1 else "stereo"
        audio.codec_context.time_base = Fraction(1, rate_hz)
        audio.codec_context.bit_rate = 192_000
        packets: list[av.Packet] = []
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 4, np.uint8), format="bgr24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            packets += video.encode(frame)
        packets += video.encode(None)
        for start in range(0, samples.shape[1], 2000):
            block = np.ascontiguousarray(samples[:, start : start + 2000].astype(np.float32))
            sound = av.AudioFrame.from_ndarray(block, format="fltp", layout=audio.codec_context.layout.name)
            sound.sample_rate, sound.pts, sound.time_base = rate_hz, start, Fraction(1, rate_hz)
            packets += audio.encode(sound)
        packets += audio.encode(None)
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            out.mux(packet)
    return path


def heard(path: Path, length: int) -> NDArray[np.float64]:
    """The first channel of the first audio stream from time 0 on, `length` samples, full scale 1."""
    result, stop = np.zeros(length), 0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray().astype(np.float64)
            if not frame.format.is_planar:
                samples = samples.reshape(frame.samples, -1).T
            if not frame.format.name.startswith(("flt", "dbl")):
                bits = 8 * frame.format.bytes
                samples = (samples - (128 if bits == 8 else 0)) / 2.0 ** (bits - 1)
            start = stop if frame.pts is None else round(frame.pts * frame.time_base * frame.sample_rate)
            stop = start + frame.samples
            first, last = max(0, start), min(length, start + frame.samples)
            if first < last:
                result[first:last] = samples[0, first - start : last - start]
    return result
