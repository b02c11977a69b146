from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from anonflow.errors import (
    DamagedVideoError,
    NotAVideoError,
    NoVideoStreamError,
    SourceEmptyError,
    SourceMissingError,
    TimestampError,
)
from anonflow.video import probe as module
from anonflow.video.probe import probe
from tests.media import Clip, make_clip
from tests.video.conftest import CLIPS

ClipPath = Callable[[str], Path]
TEXT_SUFFIXES = ["txt", "mp4", "mov", "mkv", "ts", "mpg", "avi", "flv", "srt", "vtt", "m3u8", "nfo"]
TEXT_SUFFIXES += ["h264", "hevc", "m4v", "mp3", "aac", "ogg", "dv", "ivf"]


@pytest.mark.parametrize("name", ["plain.mp4", "vfr.mp4", "late.mp4", "two.mkv", "one.mp4", "pcm.mov"])
def test_timestamps_are_those_that_the_clip_was_made_with(clip: ClipPath, name: str) -> None:
    index, made = probe(clip(name)), CLIPS[name]
    first_s = made.timestamps[0] * made.time_base
    shift_s = index.pts[0].item() * index.time_base - first_s
    times = [p * index.time_base - shift_s for p in index.pts.tolist()]
    assert times == [p * made.time_base for p in made.timestamps]


@pytest.mark.parametrize("name", sorted(CLIPS))
def test_index_agrees_with_a_decode_of_the_whole_file(clip: ClipPath, name: str) -> None:
    index = probe(clip(name))
    with av.open(str(clip(name))) as container:
        pts = [frame.pts for frame in container.decode(video=0)]
    assert index.pts.tolist() == pts
    assert sorted(index.decode_rank.tolist()) == list(range(index.n_frames))
    assert index.end_pts > index.pts[-1]


def test_decode_rank_tells_the_order_of_packets(clip: ClipPath) -> None:
    index = probe(clip("opengop.mp4"))
    with av.open(str(clip("opengop.mp4"))) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    assert index.reorder_depth > 0
    assert [packets[rank].pts for rank in index.decode_rank] == index.pts.tolist()
    assert [packets[rank].is_keyframe for rank in index.decode_rank] == index.keyframe.tolist()


def test_sound(clip: ClipPath) -> None:
    audio = probe(clip("two.mkv")).audio
    assert [stream.codec for stream in audio] == ["aac", "opus"]
    assert all(stream.n_packets > 40 for stream in audio)


def test_a_cover_picture_is_not_the_video(tmp_path: Path, clip: ClipPath) -> None:
    path = tmp_path / "cover.mp4"
    with av.open(str(clip("plain.mp4"))) as source, av.open(str(path), "w") as out:
        cover = out.add_stream("mjpeg", rate=1)
        cover.codec_context.width, cover.codec_context.height, cover.codec_context.pix_fmt = 640, 480, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        video = out.add_stream_from_template(source.streams.video[0], opaque=True)
        image = av.VideoFrame(640, 480, "yuvj420p")
        image.pts = 0
        out.mux(cover.encode(image) + cover.encode(None))
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = video
                out.mux(packet)
    index = probe(path)
    assert (index.stream.width, index.n_frames) == (96, 40)
    assert index.removed_streams == ("cover:mjpeg",)


def test_missing_and_empty(tmp_path: Path) -> None:
    with pytest.raises(SourceMissingError):
        probe(tmp_path / "none.mp4")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(SourceEmptyError):
        probe(tmp_path / "empty.mp4")
    with pytest.raises(NotAVideoError):
        probe(tmp_path)


@pytest.mark.parametrize("suffix", TEXT_SUFFIXES)
def test_text_is_no_video_whatever_it_is_called(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"notes.{suffix}"
    path.write_text("1\n00:00:00,000 --> 00:00:10,000\nNot a picture, just words.\n\n" * 200)
    with pytest.raises((NotAVideoError, NoVideoStreamError)):
        probe(path)


def test_playlists_are_never_followed(tmp_path: Path, clip: ClipPath) -> None:
    (tmp_path / "list.ffconcat").write_text(f"ffconcat version 1.0\nfile {clip('plain.mp4')}\n")
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{clip('plain.mp4')}\n")
    for path in tmp_path.iterdir():
        with pytest.raises(NotAVideoError):
            probe(path)


def test_sound_alone(tmp_path: Path) -> None:
    path = tmp_path / "sound.mov"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.int16), format="s16", layout="stereo")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))
    with pytest.raises(NoVideoStreamError):
        probe(path)


@pytest.mark.parametrize("name", ["plain.mp4", "fragmented.mp4", "two.mkv", "mjpeg.avi"])
@pytest.mark.parametrize("share", [0.4, 0.9, 0.999])
def test_truncated(tmp_path: Path, clip: ClipPath, name: str, share: float) -> None:
    content = clip(name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DamagedVideoError):
        probe(path)


def test_truncated_with_its_header_in_front(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4", Clip(mux_options={"movflags": "faststart"}))
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(DamagedVideoError, match="truncated"):
        probe(path)


def test_frames_without_display_times(tmp_path: Path) -> None:
    with pytest.raises(TimestampError):
        probe(make_clip(tmp_path / "raw.h264"))
    with pytest.raises(TimestampError):
        probe(make_clip(tmp_path / "h264.avi", Clip(time_base=Fraction(1, 25))))
    assert (
        probe(make_clip(tmp_path / "plain.avi", Clip(time_base=Fraction(1, 25), options={"bf": "0"}))).n_frames
        == 40
    )


def test_an_order_that_no_encoder_makes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that is shown 17 places before it comes; the decoder would end the process."""
    real = module.tally_packets

    def moved(*given: Any, n_frames: int, **more: Any) -> Any:
        tally = real(*given, **more)
        tally.pts.insert(n_frames, min(tally.pts) - 1)
        for column in (tally.keyframe, tally.duration, tally.byte_position):
            column.insert(n_frames, column[-1])
        return tally

    for n_frames, is_refused in ((16, False), (17, True)):
        monkeypatch.setattr(module, "tally_packets", partial(moved, n_frames=n_frames))
        with pytest.raises(TimestampError, match="16 frames later") if is_refused else nullcontext():
            probe(make_clip(tmp_path / "clip.mp4", Clip(options={"bf": "0"})))


def test_real_clips(shared_videos: Path) -> None:
    index = probe(shared_videos / "face_recognition_short_hamilton_clip.mp4")
    assert (index.n_frames, index.pts[0], index.time_base) == (275, 10214, Fraction(1, 11988))
    assert "alpha layer:vp9" in probe(shared_videos / "moviepy_transparent.webm").removed_streams
