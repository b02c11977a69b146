from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import av
import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.video import copying, h264
from anonflow.video.copying import (
    Groups,
    Run,
    copied_packets,
    decode_order,
    encoded_between,
    find_groups,
    plan_runs,
)
from anonflow.video.probe import probe
from tests.media import Clip, make_clip

ClipPath = Callable[[str], Path]
_CLOSED = Clip(options={"preset": "veryfast", "g": "10", "bf": "3", "x264-params": "scenecut=0"})


def test_groups_are_those_between_idr_pictures(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", _CLOSED)
    groups = find_groups(path, probe(path), "h264", ".mp4")
    assert groups == Groups(((0, 10), (10, 20), (20, 30), (30, 40)), encoder_set_id=1)


def test_open_groups_are_one(clip: ClipPath) -> None:
    path = clip("opengop.mp4")
    assert find_groups(path, probe(path), "h264", ".mp4").ranges == ((0, 40),)


@pytest.mark.parametrize(
    ("made", "suffix", "why"),
    [
        (Clip(codec="libx265", options={"x265-params": "log-level=none"}), ".mp4", "H.264"),
        (Clip(), ".mkv", "H.264"),
        (Clip(codec="mpeg4", options={}), ".mp4", "H.264"),
    ],
)
def test_what_cannot_be_copied_says_why(tmp_path: Path, made: Clip, suffix: str, why: str) -> None:
    path = make_clip(tmp_path / f"clip{suffix}", made)
    groups = find_groups(path, probe(path), "h264", ".mp4")
    assert not groups.ranges and why in groups.refusal


def test_frames_that_the_index_does_not_know_keep_their_group_from_being_copied(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", _CLOSED)
    index = probe(path)
    known = np.arange(index.n_frames) != 15
    rank = np.argsort(np.argsort(index.decode_rank[known]))
    cut = replace(index, pts=index.pts[known], keyframe=index.keyframe[known], decode_rank=rank)
    assert find_groups(path, cut, "h264", ".mp4").ranges == ((0, 10), (19, 29), (29, 39))


def test_copied_packets_have_no_messages_and_no_sets(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", _CLOSED)
    index = probe(path)
    runs = (Run(0, 10, is_copied=True), Run(10, 30, is_copied=False), Run(30, 40, is_copied=True))
    packets = list(copied_packets(path, index, runs))
    order = [frame for frame, _, _ in packets]
    assert order == [*decode_order(index, runs[0]).tolist(), *decode_order(index, runs[2]).tolist()]
    assert [frame for frame, _, is_key in packets if is_key] == [0, 30]
    # x264 signs its first picture in a message; slices are all that is left.
    kinds = {part[0] & 0x1F for _, payload, _ in packets for part in payload.split(b"\0\0\0\1")[1:]}
    assert kinds <= {1, h264.IDR}
    assert b"x264" in path.read_bytes() and not any(b"x264" in payload for _, payload, _ in packets)


def rewritten(source: Path, target: Path, change: Callable[[int, av.Packet], bytes]) -> Path:
    """The clip with other payloads."""
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        stream = out.add_stream_from_template(given.streams.video[0])
        for number, packet in enumerate(p for p in given.demux(video=0) if p.size):
            other = av.Packet(change(number, packet))
            other.pts, other.dts, other.duration = packet.pts, packet.dts, packet.duration
            other.time_base, other.is_keyframe, other.stream = packet.time_base, packet.is_keyframe, stream
            out.mux(other)
    return target


def unit(kind: int) -> bytes:
    """A NAL unit of that kind, with words in it."""
    content = bytes([kind]) + b"\x19SECRET-WORDS\x80"
    return len(content).to_bytes(4, "big") + content


@pytest.mark.parametrize("kind", [2, 20, 24, 28, 30])
def test_a_group_with_unusual_units_is_not_copied(tmp_path: Path, kind: int) -> None:
    """A second view, Dolby Vision, a vendor's own: what nobody has looked at."""
    plain = make_clip(tmp_path / "plain.mp4", _CLOSED)
    path = rewritten(plain, tmp_path / "clip.mp4", lambda n, p: bytes(p) + unit(kind) * (n == 13))
    assert find_groups(path, probe(path), "h264", ".mp4").ranges == ((0, 10), (20, 30), (30, 40))


def test_filler_and_delimiters_are_left_out(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mp4", _CLOSED)
    path = rewritten(plain, tmp_path / "clip.mp4", lambda _, p: unit(9) + bytes(p) + unit(12))
    index = probe(path)
    assert len(find_groups(path, index, "h264", ".mp4").ranges) == 4
    packets = list(copied_packets(path, index, (Run(0, 40, is_copied=True),)))
    assert len(packets) == 40 and not any(b"SECRET" in payload for _, payload, _ in packets)


def test_a_picture_of_which_much_is_cropped_is_not_copied(tmp_path: Path) -> None:
    """What was cut off without an encoder is still in the stream."""
    plain = make_clip(tmp_path / "plain.mp4", _CLOSED)
    path = tmp_path / "clip.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(plain), "-c", "copy"]
    subprocess.run([*command, "-bsf:v", "h264_metadata=crop_right=48", str(path)], check=True)
    assert probe(path).stream.width == 48
    assert "larger than what is shown" in find_groups(path, probe(path), "h264", ".mp4").refusal


def test_padding_is_no_obstacle(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", Clip(width=98, height=66, options=_CLOSED.options))
    assert find_groups(path, probe(path), "h264", ".mp4").ranges


def test_a_second_description_of_samples_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demuxer announces it with the first packet that it is for."""
    path = make_clip(tmp_path / "clip.mp4", _CLOSED)
    real = copying.demux_video

    def announcing(*given: Any) -> Iterator[Any]:
        for number, packet in enumerate(real(*given)):
            is_new = number == 20
            yield Mock(wraps=packet, has_sidedata=lambda kind: kind == "new_extradata") if is_new else packet

    monkeypatch.setattr(copying, "demux_video", announcing)
    monkeypatch.setattr(copying, "_hides_more_than_padding", lambda *_: False)
    assert "change on the way" in find_groups(path, probe(path), "h264", ".mp4").refusal


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
def test_runs_tile_the_video_and_copy_nothing_that_is_hidden(lengths: list[int], data: st.DataObject) -> None:
    stops = np.cumsum(lengths).tolist()
    ranges = tuple(zip([0, *stops[:-1]], stops, strict=True))
    offered = data.draw(st.sets(st.sampled_from(ranges)))
    hidden = np.array(data.draw(st.lists(st.booleans(), min_size=stops[-1], max_size=stops[-1])))
    runs = plan_runs(Groups(tuple(sorted(offered)), 1), hidden)
    assert [runs[0].start_frame, *(r.stop_frame for r in runs)] == [*(r.start_frame for r in runs), stops[-1]]
    assert all(a.is_copied != b.is_copied for a, b in pairwise(runs))
    copied = {n for r in runs if r.is_copied for n in range(r.start_frame, r.stop_frame)}
    assert copied == {n for a, b in offered if not hidden[a:b].any() for n in range(a, b)}
    start = data.draw(st.integers(0, stops[-1]))
    stop = data.draw(st.integers(start, stops[-1]))
    encoded = [n for r in encoded_between(runs, start, stop) for n in range(r.start_frame, r.stop_frame)]
    assert encoded == [n for n in range(start, stop) if n not in copied]
