from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from anonflow.config import VideoConfig
from anonflow.errors import EncodeError, NoSpaceError, StorageError, UnsupportedFormatError
from anonflow.types import FrameIndex, StreamFormat
from anonflow.video.black import black_frame
from anonflow.video.encode import SegmentWriter
from anonflow.video.encoders import Encoding
from anonflow.video.planes import plane_set
from anonflow.video.segment import decode_segment, read_segment
from tests.media import video_frame
from tests.video.conftest import FAST
from tests.video.test_scheduling import policies

FORMAT = StreamFormat("h264", "yuv420p", 96, 64, Fraction(4, 3), 0, 1, 9, 16, 9)
PTS = [9999, 10_010, 10_500, 13_000, 13_001, 20_000]
WriteFrames = Callable[..., Path]


def _index(form: StreamFormat = FORMAT) -> FrameIndex:
    n = len(PTS)
    return FrameIndex(
        "nut", 0, Fraction(1, 11_988), np.array(PTS), np.ones(n, bool), np.arange(n), 21_000, form, (), ()
    )


def _write(path: Path, config: VideoConfig = FAST, form: StreamFormat = FORMAT) -> Path:
    with SegmentWriter(path, _index(form), config) as writer:
        for number, pts in enumerate(PTS):
            writer.write(pts, video_frame(form.width, form.height, number, form.pixel_format))
    return path


def _config(codec: str, preset: str = "ultrafast", crf: int = 30) -> VideoConfig:
    return VideoConfig(codec, False, crf, preset, None)


@pytest.mark.parametrize(
    ("codec", "preset"), [("h264", "medium"), ("hevc", "ultrafast"), ("av1", "ultrafast"), ("vp9", "fast")]
)
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le"])
def test_timestamps_and_format_survive(tmp_path: Path, codec: str, preset: str, pixel_format: str) -> None:
    if codec == "vp9" and pixel_format != "yuv420p":
        pytest.skip("libvpx is built for 8 bits")
    form = replace(FORMAT, pixel_format=pixel_format)
    path = _write(tmp_path / "segment", _config(codec, preset), form)
    assert read_segment(path).matches(np.array(PTS), Fraction(1, 11_988))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        aspect = container.streams.video[0].sample_aspect_ratio
    assert (frame.format.name, frame.width, frame.height) == (pixel_format, 96, 64)
    assert aspect == Fraction(4, 3) or codec in ("av1", "vp9")  # they have no field for it; the container will
    tags = (frame.color_range, frame.color_primaries, frame.color_trc, frame.colorspace)
    # VP9 has no fields for primaries and transfer either, and NUT no place: `join` writes them into the container.
    assert tags == ((1, 2, 2, 9) if codec == "vp9" else (1, 9, 16, 9))


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9", "ffv1", "prores"])
def test_equal_frames_give_equal_bytes(tmp_path: Path, codec: str) -> None:
    config = VideoConfig("ffv1", True, None, None, None) if codec == "ffv1" else _config("match")
    form = replace(FORMAT, codec=codec, pixel_format="yuv422p10le" if codec == "prores" else "yuv420p")
    made = [_write(tmp_path / name, config, form).read_bytes() for name in "ab"]
    assert made[0] == made[1]


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
def test_segments_of_any_quality_fit_together(tmp_path: Path, codec: str) -> None:
    """Their parameter sets are equal, so that a chunk that needs more bits can have them."""
    paths = [_write(tmp_path / str(crf), _config(codec, crf=crf)) for crf in (5, 24, 45)]
    assert len({read_segment(path).extradata for path in paths}) == 1
    assert len({path.stat().st_size for path in paths}) == 3


def test_the_picture_is_the_frame(tmp_path: Path) -> None:
    path = _write(tmp_path / "segment", _config("h264", "veryfast", 1))
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            wanted = plane_set(video_frame(96, 64, number)).planes[0].astype(int)
            assert np.abs(plane_set(frame).planes[0] - wanted).mean() < 1


def test_frame_types_of_the_source_are_no_orders(tmp_path: Path) -> None:
    with SegmentWriter(tmp_path / "segment", _index(), FAST) as writer:
        for number, pts in enumerate(PTS):
            frame = video_frame(96, 64, number)
            frame.pict_type = 1  # I, as every frame of an intra-only source
            writer.write(pts, frame)
    with av.open(str(tmp_path / "segment")) as container:
        assert [p.is_keyframe for p in container.demux(video=0) if p.size] == [True] + [False] * 5


def test_odd_sizes(tmp_path: Path) -> None:
    odd = replace(FORMAT, width=97, height=65)
    for codec in ("h264", "hevc"):
        with pytest.raises(UnsupportedFormatError, match="video=match"):
            SegmentWriter(tmp_path / "segment", _index(odd), _config(codec))
    path = _write(tmp_path / "segment", form=odd)
    with av.open(str(path)) as container:
        assert {(f.width, f.height) for f in container.decode(video=0)} == {(97, 65)}
    _write(tmp_path / "full", _config("h264"), replace(odd, pixel_format="yuv444p"))


def test_an_encoder_that_refuses_is_named_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object, **__: object) -> dict[str, str]:
        return {"preset": "hurry"}

    monkeypatch.setattr(Encoding, "options", wrong)
    with pytest.raises(EncodeError, match=r"libx264.*segment"):
        _write(tmp_path / "segment", _config("h264"))


def test_storage_failures_have_their_own_names(tmp_path: Path) -> None:
    with pytest.raises(NoSpaceError):
        _write(Path("/dev/full"))
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        _write(tmp_path / "file" / "segment")


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
def test_no_encoder_makes_its_process_more_urgent(tmp_path: Path, codec: str) -> None:
    with SegmentWriter(tmp_path / "segment", _index(), _config(codec)) as writer:
        writer.write(PTS[0], video_frame(96, 64, 0))
        assert policies() == {os.SCHED_OTHER}


def test_an_aborted_writer_passes_the_error_on(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), SegmentWriter(tmp_path / "segment", _index(), FAST) as writer:
        writer.write(PTS[0], video_frame(96, 64, 0))
        raise ZeroDivisionError


def test_encoders_print_nothing(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from tests.video.test_encode import _config, _write\n"
        "for codec in ('h264', 'hevc', 'av1', 'vp9'):\n"
        "    _write(Path(sys.argv[1]), _config(codec))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "segment")],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert done.stdout == done.stderr == ""


@pytest.mark.parametrize(
    ("codec", "crf"),
    [
        ("h264", 34),
        ("h264", 45),
        ("hevc", 34),
        ("hevc", 45),
        ("av1", 55),
        ("vp9", 52),
        ("ffv1", None),
        ("match", None),
    ],
)
def test_damaged_frames_come_out_black_whatever_stands_beside_them(
    tmp_path: Path, codec: str, crf: int | None
) -> None:
    form = StreamFormat("prores", "yuv422p10le", 320, 240, None, 0, 1, 1, 1, 1)
    form = form if codec == "match" else replace(form, codec="h264", pixel_format="yuv420p")
    n, damaged = 40, np.r_[11:14, 23:33]
    index = FrameIndex(
        "nut", 0, Fraction(1, 25), np.arange(n), np.ones(n, bool), np.arange(n), n, form, (), (), damaged=damaged
    )
    config = VideoConfig(codec, codec == "ffv1", crf, None if codec == "ffv1" else "ultrafast", 42.0)
    random = np.random.default_rng(1)
    base = cv2.GaussianBlur(random.integers(0, 255, (240, 320, 3), np.uint8), (5, 5), 0)
    with SegmentWriter(tmp_path / "segment", index, config) as writer:
        for pts in range(n):
            noisy = np.roll(base, pts * 2, 1) + random.normal(0, 6, base.shape)
            seen = av.VideoFrame.from_ndarray(noisy.clip(0, 255).astype(np.uint8), "bgr24")
            writer.write(pts, black_frame(form) if pts in damaged else seen.reformat(format=form.pixel_format))
    made = [plane_set(frame) for frame in decode_segment(tmp_path / "segment")]
    luma = np.stack([planes.planes[0] for planes in made]).astype(int) >> (made[0].bit_depth - 8)
    assert int(np.abs(luma[damaged] - 16).max()) <= 5
    assert luma[np.setdiff1d(np.arange(n), damaged)].mean(axis=(1, 2)).min() > 80
