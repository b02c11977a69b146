from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.errors import DamagedVideoError, UnsupportedFormatError
from anonflow.types import FrameIndex
from anonflow.video.decode import decode_range
from anonflow.video.logs import captured_warnings
from anonflow.video.probe import probe
from tests.media import Clip, make_clip
from tests.video.conftest import CLIPS

ClipPath = Callable[[str], Path]
Frames = list[tuple[int, bytes]]


def _content(frame: av.VideoFrame) -> bytes:
    return frame.to_ndarray().tobytes()


def _range(path: Path, index: FrameIndex, start: int, stop: int) -> Frames:
    ends = [*index.pts.tolist(), index.end_pts]
    return [(pts, _content(f)) for pts, f in decode_range(path, index, ends[start], ends[stop])]


def _linear(path: Path) -> Frames:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        return [(f.pts or 0, _content(f)) for f in container.decode(stream)]


@pytest.mark.parametrize("name", sorted(CLIPS))
def test_every_start_equals_the_linear_decode(clip: ClipPath, name: str) -> None:
    path, index = clip(name), probe(clip(name))
    linear = _linear(path)
    assert len(linear) == index.n_frames
    for start in range(0, index.n_frames, 3):
        stop = min(start + 2, index.n_frames)
        assert _range(path, index, start, stop) == linear[start:stop]


@settings(deadline=None, max_examples=25)
@given(data=st.data(), name=st.sampled_from(["opengop.ts", "refresh.mkv", "vfr.mp4", "fragmented.mp4"]))
def test_any_range_equals_the_linear_decode(clip: ClipPath, data: st.DataObject, name: str) -> None:
    path, index = clip(name), probe(clip(name))
    start = data.draw(st.integers(0, index.n_frames))
    stop = data.draw(st.integers(start, index.n_frames))
    assert _range(path, index, start, stop) == _linear(path)[start:stop]


def test_a_stream_without_reorder_hint_keeps_all_frames(tmp_path: Path) -> None:
    options = {"preset": "veryfast", "g": "24", "bf": "3"}
    path = make_clip(tmp_path / "clip.ts", Clip(options=options, n_frames=60))
    index = probe(path)
    assert len(_range(path, index, 0, 60)) == 60


def test_a_frame_that_the_index_does_not_know_is_an_error(clip: ClipPath) -> None:
    path, index = clip("plain.mp4"), probe(clip("plain.mp4"))
    keep = np.arange(index.n_frames) != 7
    shorter = replace(
        index, pts=index.pts[keep], keyframe=index.keyframe[keep], decode_rank=index.decode_rank[keep]
    )
    with pytest.raises(DamagedVideoError):
        list(decode_range(path, shorter, 0, index.end_pts))


def test_a_frame_that_never_comes_is_an_error(clip: ClipPath) -> None:
    path, index = clip("plain.mp4"), probe(clip("plain.mp4"))
    longer = replace(
        index,
        pts=np.append(index.pts, index.end_pts),
        keyframe=np.append(index.keyframe, False),
        decode_rank=np.append(index.decode_rank, index.n_frames),
        end_pts=index.end_pts + 512,
    )
    with pytest.raises(DamagedVideoError):
        list(decode_range(path, longer, 0, longer.end_pts))


def test_damage_that_the_decoder_would_conceal_is_an_error(tmp_path: Path) -> None:
    options = {"preset": "veryfast", "g": "12", "crf": "5"}
    good = make_clip(tmp_path / "good.mp4", Clip(width=320, height=240, options=options)).read_bytes()
    path = tmp_path / "bad.mp4"
    n_concealed = 0
    for share in (0.2, 0.35, 0.5, 0.65):
        content = bytearray(good)
        content[int(len(content) * share)] ^= 0x10
        path.write_bytes(content)
        with captured_warnings() as lines:
            n_frames = len(_linear(path))
        if lines and n_frames == 40:  # all frames came, but FFmpeg said that it invented parts of some
            n_concealed += 1
            index = probe(path)
            with pytest.raises(DamagedVideoError):
                list(decode_range(path, index, int(index.pts[0]), index.end_pts))
    assert n_concealed >= 2


def test_changing_format_is_refused(clip: ClipPath) -> None:
    path, index = clip("plain.mp4"), probe(clip("plain.mp4"))
    other = replace(index, stream=replace(index.stream, width=100))
    with pytest.raises(UnsupportedFormatError):
        list(decode_range(path, other, 0, index.end_pts))


def test_real_clip(shared_videos: Path) -> None:
    path = shared_videos / "face_recognition_short_hamilton_clip.mp4"
    assert _range(path, probe(path), 101, 131) == _linear(path)[101:131]
