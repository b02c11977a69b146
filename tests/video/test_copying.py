from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.video import h264
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
