"""Clips that the tests of this package share: made once a session, never written to."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from anonflow.config import VideoConfig
from anonflow.types import FrameIndex
from anonflow.video.decode import decode_range
from anonflow.video.encode import SegmentWriter
from anonflow.video.plan import plan_chunks
from tests.carrying import rich_source
from tests.media import Clip, make_clip

MILLISECOND = Fraction(1, 1000)
UNEVEN = [0, 200, 712, 1412, 5412, 5612, 7112, 7812, 8324, 12324, 12836, 13036, 14536, 15236, 16736, 20736]
_OPEN_GOP = {"preset": "veryfast", "g": "10", "bf": "3", "x264-params": "open-gop=1:scenecut=0"}
_REFRESH = {"preset": "veryfast", "g": "12", "bf": "0", "intra-refresh": "1"}
_HEVC = {"preset": "ultrafast", "g": "12", "x265-params": "log-level=none"}
_MPEG2 = {"g": "10", "bf": "2"}

CLIPS = {
    "plain.mp4": Clip(),
    "sound.mp4": Clip(
        audio=("aac", "ac3"),
        audio_languages=("deu", "eng"),
        metadata={"location": "+52.5+013.4/", "title": "holiday"},
    ),
    "opengop.mp4": Clip(options=_OPEN_GOP),
    "opengop.ts": Clip(options=_OPEN_GOP, audio=("aac",)),
    "refresh.mkv": Clip(options=_REFRESH, time_base=MILLISECOND),
    "vfr.mp4": Clip(pts=UNEVEN, audio=("aac",)),
    "late.mp4": Clip(pts=[p + 9999 for p in UNEVEN], audio=("aac",), audio_start_s=Fraction(1, 3)),
    "two.mkv": Clip(
        audio_dispositions=(0, 1 | 128),
        audio=("aac", "libopus"),
        audio_languages=("deu", "eng"),
        time_base=MILLISECOND,
    ),
    "mp2.ts": Clip(codec="mpeg2video", options=_MPEG2, time_base=Fraction(1, 25), audio=("mp2",)),
    "hdr.mp4": Clip(codec="libx265", options=_HEVC, pixel_format="yuv420p10le", colour=(1, 9, 16, 9)),
    "vp8.webm": Clip(
        codec="libvpx",
        time_base=MILLISECOND,
        n_frames=60,
        options={"auto-alt-ref": "1", "lag-in-frames": "16", "b": "200k", "deadline": "good"},
    ),
    "pcm.mov": Clip(audio=("pcm_s16le",)),
    "mjpeg.avi": Clip(codec="mjpeg", pixel_format="yuvj420p", time_base=Fraction(1, 25), options={}),
    "fragmented.mp4": Clip(mux_options={"movflags": "frag_keyframe+empty_moov"}, audio=("aac",)),
    "turned.mp4": Clip(rotation_deg=90),
    "wide.mp4": Clip(sample_aspect_ratio=Fraction(4, 3), colour=(2, 1, 1, 1)),
    "narrow.mp4": Clip(sample_aspect_ratio=Fraction(8, 9), rotation_deg=-90, n_frames=20),
    "narrow.mkv": Clip(sample_aspect_ratio=Fraction(8, 9), rotation_deg=180, time_base=MILLISECOND, n_frames=20),
    "one.mp4": Clip(n_frames=1),
}

FAST = VideoConfig("match", False, 30, "ultrafast", None, copy_clean=False)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The path of a clip of `CLIPS`, by name."""
    folder = tmp_path_factory.mktemp("clips")

    def get(name: str) -> Path:
        path = folder / name
        return path if path.exists() else make_clip(path, CLIPS[name])

    return get


@pytest.fixture(scope="session")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The path of a file that holds all that its container can, by extension."""
    folder = tmp_path_factory.mktemp("rich")

    def get(extension: str) -> Path:
        path = folder / f"rich{extension}"
        return path if path.exists() else rich_source(path)

    return get


@pytest.fixture
def shared_videos() -> Path:
    """The folder of real clips beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "../shared/data/videos"
    if not folder.is_dir():
        pytest.skip("real clips are not here: ../shared/data/videos is missing")
    return folder


def write_segments(
    source: Path, index: FrameIndex, folder: Path, length_s: float, config: VideoConfig = FAST
) -> list[Path]:
    """Read and encode `source` chunk by chunk."""
    segments = []
    for chunk in plan_chunks(index, length_s, 4):
        path = folder / f"{chunk.index}.nut"
        with SegmentWriter(path, index, config) as writer:
            for pts, frame in decode_range(source, index, chunk.start_pts, chunk.stop_pts):
                writer.write(pts, frame)
        segments.append(path)
    return segments
