"""Clips of the rarer kinds: interlaced, HDR10, before zero, with captions and user data in the video stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import av.filter
import numpy as np

from tests.media import video_frame

MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
MASTERING_NUMBERS = (34000, 16000, 13250, 34500, 7500, 3000, 15635, 16450, 10_000_000, 50)
LIGHT = (1000, 400)
HDR10 = {
    "libx264": {"x264-params": f"mastering-display={MASTERING}:cll=1000,400"},
    "libx265": {"x265-params": f"log-level=none:hdr10=1:master-display={MASTERING}:max-cll=1000,400"},
    "libsvtav1": {
        "svtav1-params": "mastering-display=G(0.265,0.69)B(0.15,0.06)R(0.68,0.32)WP(0.3127,0.329)"
        "L(1000.0,0.005):content-light=1000,400"
    },
}
CAPTIONS = b"\xb5\x00\x31GA94\x03\x42\xff\xfc\x94\x20\xfc\xc8\x49\xff"
"""ATSC A/53 closed captions as ITU-T T.35 user data: pop-on, then "HI"."""
SECRET = b"driver: Jane Roe, 5 Elm Street"
USER_DATA = bytes(range(16, 32)) + SECRET
"""Unregistered user data: a UUID and free bytes."""
_INTERLACED = 1 << 18 | 1 << 29


def write_clip(
    path: Path,
    codec: str,
    *,
    pixel_format: str = "yuv420p",
    size: tuple[int, int] = (96, 64),
    n_frames: int = 12,
    first_field: str | None = None,
    colour: tuple[int, int, int, int] | None = None,
    options: dict[str, str] | None = None,
    start: int = 0,
    time_base: Fraction = Fraction(1, 25),
    edit: Callable[[bytes], bytes] | None = None,
    sound: str | None = None,
) -> Path:
    """A clip in the container that `path` names: `start` in frames, `edit` for every packet, `sound` a codec."""
    step = int(Fraction(1, 25) / time_base)
    with av.open(str(path), "w", container_options={"avoid_negative_ts": "disabled"}) as out:
        options = dict(options or {})
        if codec == "libx265":  # of two frames, one at times got a decoding time after its own
            options["x265-params"] = ":".join(
                filter(None, [options.get("x265-params"), "pools=none:frame-threads=1"])
            )
        stream = out.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, av.video.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        context = stream.codec_context
        context.time_base, context.thread_count = time_base, 1
        stream.time_base = time_base
        if first_field:
            context.flags |= _INTERLACED
        if colour:
            context.color_range, context.color_primaries, context.color_trc, context.colorspace = colour
        tone = out.add_stream(sound, rate=48_000, layout="mono") if sound else None
        frames = [video_frame(*size, number, pixel_format) for number in range(n_frames)]
        for number, frame in enumerate(_with_fields(frames, first_field) if first_field else frames):
            frame.pts, frame.time_base = (start + number) * step, time_base
            _mux(out, stream.encode(frame), edit)
        _mux(out, stream.encode(None), edit)
        if tone is not None:
            _mux_silence(out, tone, 48_000 * n_frames // 25, start * 1920)
    return path


def h264_sei(payload_type: int, payload: bytes) -> Callable[[bytes], bytes]:
    """Put an SEI message before each packet of an Annex B stream (ITU-T H.264, 7.3.2.3)."""
    message = b"\0\0\1\x06" + bytes([payload_type, len(payload)]) + _escaped(payload) + b"\x80"
    return lambda packet: message + packet


def hevc_sei(payload_type: int, payload: bytes) -> Callable[[bytes], bytes]:
    """A prefix SEI before the first slice of each packet of an Annex B stream (ITU-T H.265, 7.3.2.4)."""
    message = b"\0\0\1\x4e\x01" + bytes([payload_type, len(payload)]) + _escaped(payload) + b"\x80"

    def put(packet: bytes) -> bytes:
        at = next(
            place
            for place in range(len(packet) - 4)
            if packet[place : place + 3] == b"\0\0\1" and packet[place + 3] >> 1 & 0x3F < 32
        )
        return packet[:at] + message + packet[at:]

    return put


def mpeg2_user_data(payload: bytes) -> Callable[[bytes], bytes]:
    """User data between the picture header and the first slice (ISO/IEC 13818-2, 6.2.2.2)."""

    def put(packet: bytes) -> bytes:
        at = packet.index(b"\0\0\1\x01")
        return packet[:at] + b"\0\0\1\xb2" + payload + packet[at:]

    return put


def _escaped(payload: bytes) -> bytes:
    """With emulation prevention."""
    for last in range(4):
        payload = payload.replace(b"\0\0" + bytes([last]), b"\0\0\x03" + bytes([last]))
    return payload


def _mux(
    out: av.container.OutputContainer, packets: Iterable[av.Packet], edit: Callable[[bytes], bytes] | None
) -> None:
    for packet in packets:
        if edit is None:
            out.mux(packet)
            continue
        changed = av.Packet(edit(bytes(packet)))
        changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
        changed.duration, changed.stream, changed.is_keyframe = packet.duration, packet.stream, packet.is_keyframe
        out.mux(changed)


def _mux_silence(out: av.container.OutputContainer, stream: av.AudioStream, n_samples: int, start: int) -> None:
    if not stream.codec_context.is_open:
        stream.codec_context.open()
    block = stream.codec_context.frame_size or 1024
    for first in range(0, n_samples, block):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, block), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = 48_000, Fraction(1, 48_000), start + first
        for ready in av.AudioResampler(stream.codec_context.format, "mono", 48_000).resample(frame):
            out.mux(stream.encode(ready))
    out.mux(stream.encode(None))


def _with_fields(frames: list[av.VideoFrame], first_field: str) -> list[av.VideoFrame]:
    """The frames, marked as interlaced."""
    graph = av.filter.Graph()
    form = frames[0]
    source = graph.add_buffer(width=form.width, height=form.height, format=form.format, time_base=Fraction(1, 25))
    mark, sink = graph.add("setfield", {"top": "tff", "bottom": "bff"}[first_field]), graph.add("buffersink")
    source.link_to(mark)
    mark.link_to(sink)
    graph.configure()
    marked = []
    for number, frame in enumerate(frames):
        frame.pts = number
        source.push(frame)
        pulled = sink.pull()
        assert isinstance(pulled, av.VideoFrame)
        marked.append(pulled)
    return marked
