from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from anonflow.config import LimitsConfig
from anonflow.errors import LimitError
from anonflow.video.container import video_stream
from anonflow.video.tally import Tally, is_presented, tally_packets
from tests.pipeline.worlds import configuration

ClipPath = Callable[[str], Path]


def tally(path: Path, limits: LimitsConfig | None = None) -> Tally:
    with av.open(str(path)) as container:
        return tally_packets(container, video_stream(container, path), path, limits, keeps_damaged=False)


def test_invisible_vp8_frames_are_not_presented(clip: ClipPath) -> None:
    with av.open(str(clip("vp8.webm"))) as container:
        packet = next(p for p in container.demux(video=0) if p.size)
        content = bytes(packet)
        assert is_presented(packet)
        packet.update(bytes([content[0] & ~0x10]) + content[1:])
        assert not is_presented(packet)


def test_packets_are_counted_in_decode_order(clip: ClipPath) -> None:
    found = tally(clip("two.mkv"))
    assert found.n_video_packets == len(found.pts) == len(found.keyframe) == len(found.byte_position) == 40
    assert found.pts != sorted(found.pts) and found.keyframe[0]
    assert len(found.n_audio_packets) == 2 and not found.has_alpha_layer


def test_more_frames_than_allowed(clip: ClipPath) -> None:
    from dataclasses import replace

    with pytest.raises(LimitError, match="more than 39 frames"):
        tally(clip("plain.mp4"), replace(configuration().limits, max_frames=39))
