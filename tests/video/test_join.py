from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anonflow.config import VideoConfig
from anonflow.errors import FidelityError
from anonflow.types import Verdict
from anonflow.video.audio import digest_audio
from anonflow.video.contract import inspect
from anonflow.video.encoders import choose_encoding
from anonflow.video.join import join
from anonflow.video.probe import probe
from anonflow.video.target import choose_container
from tests.media import Clip, make_clip
from tests.video.conftest import CLIPS, FAST, write_segments

ClipPath = Callable[[str], Path]
CODECS = ("match", "h264", "hevc", "av1", "vp9", "ffv1")


def _config(codec: str) -> VideoConfig:
    if codec in ("ffv1", "lossless"):
        return VideoConfig("ffv1" if codec == "ffv1" else "match", True, None, None, None)
    return VideoConfig(codec, False, 35, "ultrafast", None)


def _rewrite(source: Path, folder: Path, length_s: float, codec: str = "match") -> Path:
    index, config = probe(source), _config(codec)
    segments = write_segments(source, index, folder, length_s, config)
    container = choose_container(index, source.suffix, choose_encoding(index.stream, config).family)
    output = folder / f"out{container}"
    join(segments, source, index, output, container)
    return output


def _broken(source: Path, output: Path, codec: str = "match") -> list[str]:
    index = probe(source)
    checks = inspect(source, index, output, encoding=choose_encoding(index.stream, _config(codec)))
    return [c.name for c in checks if c.verdict is Verdict.BROKEN]


@pytest.mark.parametrize("name", sorted(CLIPS))
def test_output_keeps_the_fidelity_contract(clip: ClipPath, tmp_path: Path, name: str) -> None:
    assert _broken(clip(name), _rewrite(clip(name), tmp_path, 0.5)) == []


@pytest.mark.parametrize("codec", ["hevc", "av1", "vp9", "ffv1", "lossless"])
@pytest.mark.parametrize("name", ["vfr.mp4", "hdr.mp4", "two.mkv", "narrow.mkv", "narrow.mp4"])
def test_other_codecs_too(clip: ClipPath, tmp_path: Path, name: str, codec: str) -> None:
    if (name, codec) == ("hdr.mp4", "vp9"):
        pytest.skip("libvpx is built for 8 bits")
    assert _broken(clip(name), _rewrite(clip(name), tmp_path, 0.7, codec), codec) == []


@settings(deadline=None, max_examples=25)
@example(steps=[1, 1, 1, 2000, 1, 119], first=0, length_s=1.0, audio_start_ms=0)  # FFmpeg takes it for a cut
@given(
    steps=st.lists(st.integers(1, 3000), min_size=0, max_size=30),
    first=st.integers(0, 40_000),
    length_s=st.floats(0.05, 3),
    audio_start_ms=st.integers(0, 500),
)
def test_any_timestamps_and_any_chunks(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[int],
    first: int,
    length_s: float,
    audio_start_ms: int,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    pts = [first]
    for step in steps:
        pts.append(pts[-1] + step)
    made = Clip(
        pts=pts,
        audio=("aac",),
        audio_start_s=Fraction(audio_start_ms, 1000),
        audio_duration_s=Fraction(1, 2),
        options={"preset": "ultrafast", "bf": "2", "g": "8"},
    )
    source = make_clip(folder / "source.mp4", made)
    output = _rewrite(source, folder, length_s)
    before, after = probe(source), probe(output)
    assert [p * after.time_base for p in after.pts.tolist()] == [p * before.time_base for p in before.pts.tolist()]
    assert [a.content for a in digest_audio(output, after)] == [a.content for a in digest_audio(source, before)]
    assert _broken(source, output) == []


def test_pixel_aspect_goes_to_a_container_that_says_it(clip: ClipPath, tmp_path: Path) -> None:
    """AV1 leaves it to the container, and Matroska's muxer would not write it."""
    assert _rewrite(clip("narrow.mkv"), tmp_path, 0.7, "av1").suffix == ".mp4"


def test_sound_is_heard_at_the_same_time(clip: ClipPath, tmp_path: Path) -> None:
    """Also the priming samples that an edit list hides are hidden again."""
    output = _rewrite(clip("sound.mp4"), tmp_path, 0.5)
    starts = []
    for path in (clip("sound.mp4"), output):
        with av.open(str(path)) as container:
            frames = list(container.decode(audio=0))
        starts.append((frames[0].pts, frames[0].samples, sum(f.samples for f in frames)))
    assert starts[0] == starts[1]


def test_language_is_kept_and_everything_else_is_not(clip: ClipPath, tmp_path: Path) -> None:
    output = _rewrite(clip("sound.mp4"), tmp_path, 0.5)
    with av.open(str(clip("sound.mp4"))) as source, av.open(str(output)) as result:
        assert source.metadata["title"] == "holiday"
        assert [s.language for s in result.streams.audio] == ["deu", "eng"]
        assert [s.disposition for s in result.streams.audio] == [s.disposition for s in source.streams.audio]
        assert not {"title", "location"} & set(result.metadata)
    content = output.read_bytes()
    assert b"holiday" not in content and b"+52.5" not in content


def test_dispositions_of_audio_are_kept(clip: ClipPath, tmp_path: Path) -> None:
    with av.open(str(_rewrite(clip("two.mkv"), tmp_path, 0.5))) as result:
        flags = [int(s.disposition) for s in result.streams.audio]
    assert flags == [0, 1 | 128]  # default and hearing impaired


def test_equal_segments_give_equal_files(clip: ClipPath, tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        contents.append(_rewrite(clip("two.mkv"), tmp_path / name, 0.5).read_bytes())
    assert contents[0] == contents[1]


def test_segments_that_are_not_the_whole_video_are_refused(clip: ClipPath, tmp_path: Path) -> None:
    source, index = clip("vfr.mp4"), probe(clip("vfr.mp4"))
    segments = write_segments(source, index, tmp_path, 0.3)
    for wrong in (segments[:-1], segments[1:], [*segments, segments[0]], segments[::-1]):
        with pytest.raises(FidelityError):
            join(wrong, source, index, tmp_path / "out.mp4", ".mp4")


def test_segments_of_different_encoding_are_refused(clip: ClipPath, tmp_path: Path) -> None:
    source, index = clip("plain.mp4"), probe(clip("plain.mp4"))
    (tmp_path / "slow").mkdir()
    fast = write_segments(source, index, tmp_path, 0.5)
    slow = write_segments(source, index, tmp_path / "slow", 0.5, replace(FAST, preset="medium"))
    with pytest.raises(FidelityError, match="encoded differently"):
        join([fast[0], *slow[1:]], source, index, tmp_path / "out.mp4", ".mp4")


@pytest.mark.parametrize("codec", sorted(CODECS))
@pytest.mark.parametrize("name", ["sound.mp4", "two.mkv", "late.mp4"])
def test_a_second_decoder_finds_every_frame_and_nothing_to_warn_about(
    clip: ClipPath, tmp_path: Path, name: str, codec: str
) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    output = _rewrite(clip(name), tmp_path, 0.4, codec)
    inputs = [ffmpeg, "-v", "warning", "-i", str(output), "-map", "0:v", "-fps_mode", "passthrough"]
    done = subprocess.run([*inputs, "-f", "framehash", "-"], check=True, capture_output=True, text=True)
    frames = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert len(frames) == probe(clip(name)).n_frames
    assert done.stderr == ""
