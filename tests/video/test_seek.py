from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from anonflow.errors import DamagedVideoError
from anonflow.video.decode import decode_range
from anonflow.video.probe import probe
from anonflow.video.seek import packets_from, rank_of, through_rank, video_position

ClipPath = Callable[[str], Path]


@pytest.mark.parametrize("name", ["plain.mp4", "opengop.ts", "refresh.mkv"])
def test_packets_begin_at_a_keyframe_and_hold_all_that_the_frame_needs(clip: ClipPath, name: str) -> None:
    path, index = clip(name), probe(clip(name))
    wanted = int(index.decode_rank[30])
    with av.open(str(path)) as container:
        stream = container.streams.video[video_position(container, index)]
        packets = list(through_rank(packets_from(path, container, stream, index, 30), index, wanted))
        ranks = [rank_of(index, p.pts) for p in packets if p.pts is not None]
    assert packets[0].is_keyframe and ranks == list(range(ranks[0], wanted + 1))
    assert len(ranks) < index.n_frames


def test_nothing_from_before_a_damaged_frame_is_read(clip: ClipPath) -> None:
    from dataclasses import replace

    path, index = clip("plain.mp4"), probe(clip("plain.mp4"))
    spoiled = replace(index, damaged=np.arange(15, 24))
    with av.open(str(path)) as container:
        stream = container.streams.video[video_position(container, index)]
        first = next(packets_from(path, container, stream, spoiled, 30))
        assert first.pts is not None and first.pts >= index.pts[24]


def test_the_rank_of_an_unknown_time_is_none(clip: ClipPath) -> None:
    index = probe(clip("plain.mp4"))
    assert rank_of(index, int(index.pts[3]) + 1) == -1
    assert rank_of(index, int(index.pts[3])) == index.decode_rank[3]


def test_a_file_that_cannot_be_read_on_has_a_named_error(clip: ClipPath, monkeypatch: pytest.MonkeyPatch) -> None:
    path, index = clip("plain.mp4"), probe(clip("plain.mp4"))

    def stuck(_: object) -> Iterator[av.Packet]:
        raise av.error.BlockingIOError(11, "Resource temporarily unavailable")
        yield

    monkeypatch.setattr("anonflow.video.seek.stepwise", stuck)
    with pytest.raises(DamagedVideoError, match=r"plain\.mp4 cannot be read to its end"):
        list(decode_range(path, index, 0, index.end_pts))
