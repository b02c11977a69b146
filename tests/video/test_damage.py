from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.errors import AnonflowError, DamagedVideoError
from anonflow.types import FrameIndex
from anonflow.video.black import black_frame
from anonflow.video.damage import mark_damage, spread
from anonflow.video.decode import decode_range
from anonflow.video.probe import probe
from tests.corpus.frames import content, cuts, in_range
from tests.corpus.make import Corpus
from tests.corpus.spoil import flipped, spoiled
from tests.media import Clip, make_clip

NOTICED = ("h264.mp4", "av1.mp4", "mpeg4.avi", "mjpeg.avi", "ffv1.mkv", "sorenson.flv")
"""Here noise in a packet is told from pictures; HEVC, VP9 and arithmetic coding of H.264 decode it, mostly."""
HAS_CHECKSUMS = "ffv1.mkv"
CODECS = ["h264.mp4", "opengop.mp4", "hevc.mp4", "av1.mp4", "vp9.webm", "mpeg4.avi", "wmv2.wmv", "mjpeg.avi"]
CODECS += ["ffv1.mkv", "sorenson.flv", "prores.mov"]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus(tmp_path_factory.mktemp("corpus"))


def marked(path: Path) -> FrameIndex:
    return mark_damage(path, probe(path, keeps_damaged=True))


def test_a_sound_video_has_no_damaged_frames(corpus: Corpus) -> None:
    for name in CODECS:
        assert len(marked(corpus.path(name)).damaged) == 0, name


def test_all_is_hidden_up_to_the_next_keyframe_and_nothing_else(tmp_path: Path) -> None:
    whole = make_clip(
        tmp_path / "whole.mp4", Clip(options={"preset": "veryfast", "g": "12", "bf": "0", "crf": "5"})
    )
    index = marked(spoiled(whole, tmp_path / "bad.mp4", 15))
    assert index.damaged.tolist() == list(range(15, 24))
    good, frames = in_range(whole, index, 0, 40), in_range(tmp_path / "bad.mp4", index, 0, 40)
    black = content(black_frame(index.stream))
    assert [frame for _, frame in frames[15:24]] == [black] * 9
    assert frames[:15] + frames[24:] == good[:15] + good[24:]


def test_a_video_without_any_sound_frame_is_refused(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4", Clip(n_frames=20, options={"g": "99", "bf": "0", "crf": "5"}))
    with pytest.raises(DamagedVideoError, match="every frame"):
        mark_damage(spoiled(whole, tmp_path / "bad.mp4", 0), probe(whole))


@pytest.mark.parametrize("name", CODECS)
def test_chunks_hide_the_same_frames_and_show_the_same_pictures(corpus: Corpus, tmp_path: Path, name: str) -> None:
    n_hidden = 0
    for number in (3, 7):
        path = spoiled(corpus.path(name), tmp_path / name, number)
        try:
            index = marked(path)
        except AnonflowError:
            continue
        whole = in_range(path, index, 0, index.n_frames)
        assert [pts for pts, _ in whole] == index.pts.tolist()
        black = content(black_frame(index.stream))
        assert all(whole[frame][1] == black for frame in index.damaged)
        for start, stop in cuts(index.n_frames, number):
            assert in_range(path, index, start, stop) == whole[start:stop]
        n_hidden += len(index.damaged)
    assert n_hidden or name not in NOTICED


@pytest.mark.parametrize("name", CODECS)
def test_flipped_bits_spoil_nothing_beyond_what_depends_on_them(corpus: Corpus, tmp_path: Path, name: str) -> None:
    """Frames before the first flip are right. Later ones are right, hidden, or of a codec that cannot tell."""
    whole = corpus.path(name)
    sound = probe(whole)
    good = in_range(whole, sound, 0, sound.n_frames)
    for seed in range(4):
        path = flipped(whole, tmp_path / name, seed)
        try:
            index = marked(path)
        except AnonflowError:
            continue
        if index.pts.tolist() != sound.pts.tolist():
            continue  # the flip hit the container's own bytes
        hidden = set(index.damaged.tolist())
        frames = in_range(path, index, 0, index.n_frames)
        wrong = [i for i, frame in enumerate(frames) if i not in hidden and frame != good[i]]
        assert not wrong or name != HAS_CHECKSUMS
        assert not any(sound.decode_rank[i] < 2 for i in wrong)


def test_without_the_policy_the_same_file_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    path = spoiled(corpus.path("ffv1.mkv"), tmp_path / "bad.mkv", 7)
    index = probe(path)
    with pytest.raises(DamagedVideoError):
        list(decode_range(path, index, 0, index.end_pts))
    assert marked(path).damaged.tolist() == [7, 8, 9, 10, 11]  # its contexts go on up to the next keyframe


def index_of(order: list[int]) -> FrameIndex:
    """An index with these decode ranks by display index."""
    n, ranks = len(order), np.array(order, np.int64)
    with_stream = np.arange(n, dtype=np.int64)
    return replace(_EMPTY, pts=with_stream, keyframe=np.zeros(n, bool), decode_rank=ranks, end_pts=n)


_EMPTY = FrameIndex("x", 0, 1, np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, np.int64), 0, None, (), ())  # type: ignore[arg-type]


def test_leading_pictures_of_an_open_group_are_hidden() -> None:
    """Decoded I0 P3 B1 B2 I6 B4 B5 P7: damage in P3 hides 1..5, for B4 and B5 lean on it; I6 heals."""
    index = index_of([0, 2, 3, 1, 5, 6, 4, 7])
    for broken_rank, hidden, reached in [(1, [1, 2, 3, 4, 5], 6), (4, [4, 5, 6, 7], 8)]:
        places, behind = spread(index, broken_rank, np.array([0, 4]))
        assert (places.tolist(), behind) == (hidden, reached)


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_hidden_is_what_may_depend_on_damage(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 30))
    broken = data.draw(st.integers(0, n - 1))
    healing = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))), np.int64)
    order = np.arange(n)
    for rank in healing.tolist():  # an open group: the healing picture is shown two places after its turn
        if rank + 2 < n and not {rank + 1, rank + 2} & set(healing.tolist()):
            order[rank : rank + 3] = [rank + 1, rank + 2, rank]
    places, behind = spread(index_of(order.tolist()), broken, healing)
    hidden, display = set(places.tolist()), np.argsort(order)
    assert int(display[broken]) in hidden and behind > max(hidden)
    for frame in range(n):
        rank = int(order[frame])
        since = max((h for h in healing.tolist() if h <= rank and display[h] <= frame and h != broken), default=0)
        assert not since <= broken <= rank or frame in hidden


def test_the_alpha_of_a_hidden_frame_is_opaque() -> None:
    frame = black_frame(replace(_stream(), pixel_format="yuva444p10le"))
    assert set(np.frombuffer(frame.planes[3], np.uint16).reshape(-1)[:10].tolist()) == {1023}


def _stream() -> object:
    from anonflow.types import StreamFormat

    return StreamFormat("h264", "yuv420p", 16, 16, None, 0, 1, 1, 1, 1)
