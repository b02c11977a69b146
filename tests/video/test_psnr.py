from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import log10
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.config import VideoConfig
from anonflow.errors import FidelityError
from anonflow.types import FrameIndex, StreamFormat
from anonflow.video.encode import SegmentWriter
from anonflow.video.planes import plane_set
from anonflow.video.psnr import CAP_DB, Fidelity, Samples, psnr_db, relative_error
from anonflow.video.segment import decode_segment
from tests.media import video_frame
from tests.video.rewrite import LOSSLESS, lossy

FORMAT = StreamFormat("h264", "yuv420p", 96, 64, None, 0, 0, 2, 2, 2)
BOX = (slice(8, 40), slice(16, 60))


def _index(n: int, form: StreamFormat) -> FrameIndex:
    pts = np.arange(n) * 512
    return FrameIndex("nut", 0, Fraction(1, 12_800), pts, np.ones(n, bool), np.arange(n), n * 512, form, (), ())


def _painted(
    path: Path, config: VideoConfig, n: int = 20, form: StreamFormat = FORMAT, *, noise: bool = True
) -> Samples:
    """Write a segment whose frames have a box painted: with noise, which no encoder keeps, so it would show."""
    samples, rng = Samples(n), np.random.default_rng(1)
    with SegmentWriter(path, _index(n, form), config) as writer:
        for number in range(n):
            frame = video_frame(form.width, form.height, number, form.pixel_format)
            planes = plane_set(frame, writable=True)
            samples.before(planes)
            box = planes.planes[0][BOX]
            box[:] = rng.integers(0, 255, box.shape) if noise else 16
            samples.after(number, planes)
            writer.write(number * 512, frame)
    return samples


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le"])
def test_equals_a_plain_calculation_outside_the_box(tmp_path: Path, pixel_format: str) -> None:
    form = replace(FORMAT, pixel_format=pixel_format)
    path = tmp_path / "segment"
    kept = _painted(path, lossy("h264", 20), n=16, form=form).compare(path)
    peak, errors = (255.0, 1023.0)[pixel_format != "yuv420p"], []
    outside = np.ones((64, 96), bool)
    outside[BOX] = False
    for number, frame in enumerate(decode_segment(path)):
        wanted = plane_set(video_frame(96, 64, number, pixel_format)).planes[0].astype(float)
        errors.append(((plane_set(frame).planes[0] - wanted) ** 2)[outside].mean())
    assert kept.mean_db == pytest.approx(10 * log10(peak**2 / np.mean(errors)), abs=0.2), (
        "by chance noise is as it was"
    )
    assert kept.worst_db == pytest.approx(10 * log10(peak**2 / np.max(errors)), abs=0.3)
    assert kept.weight == 16


def test_more_bits_keep_more(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    values = [_painted(path, lossy("h264", crf), noise=False).compare(path).mean_db for crf in (10, 20, 35)]
    assert values == sorted(values, key=lambda v: -(v or 0)) and len(set(values)) == 3


def test_lossless_is_the_cap(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    kept = _painted(path, LOSSLESS).compare(path)
    assert (kept.mean_db, kept.worst_db) == (CAP_DB, CAP_DB)


def test_nothing_outside_the_masks(tmp_path: Path) -> None:
    samples, path = Samples(3), tmp_path / "segment"
    with SegmentWriter(path, _index(3, FORMAT), lossy("h264")) as writer:
        for number in range(3):
            frame = video_frame(96, 64, number)
            planes = plane_set(frame, writable=True)
            samples.before(planes)
            planes.planes[0][:] = planes.planes[0] ^ 1
            samples.after(number, planes)
            writer.write(number * 512, frame)
    assert samples.compare(path) == Fidelity(None, None, 0)


def test_a_segment_that_ends_early_is_an_error(tmp_path: Path) -> None:
    samples = _painted(tmp_path / "long", lossy("h264"), n=20)
    _painted(tmp_path / "short", lossy("h264"), n=3)
    with pytest.raises(FidelityError, match="short"):
        samples.compare(tmp_path / "short")


@given(n=st.integers(1, 700))
def test_samples_are_few_and_never_none(n: int) -> None:
    samples = Samples(n)
    planes = plane_set(av.VideoFrame(16, 16, "yuv420p"), writable=True)
    for position in range(n):
        samples.before(planes)
        samples.after(position, planes)
    assert 1 <= len(samples._kept) <= 16
    assert min(n, 8) <= len(samples._kept) or n <= 16


def test_large_frames_stay_within_their_memory() -> None:
    samples = Samples(500)
    planes = plane_set(av.VideoFrame(3840, 2160, "yuv420p"), writable=True)
    for position in range(500):
        samples.before(planes)
        if samples._before is not None:
            samples.after(position, planes)
            assert sum(luma.nbytes + untouched.nbytes for luma, untouched, _ in samples._kept.values()) <= 48 << 20


@given(parts=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 500)), min_size=1, max_size=5))
def test_pooling_is_the_mean_of_the_errors(parts: list[tuple[float, int]]) -> None:
    pooled = Fidelity.pooled([Fidelity(None, None, 0), *(Fidelity(e, e, n) for e, n in parts)])
    assert pooled.mean_error == pytest.approx(np.average([e for e, _ in parts], weights=[n for _, n in parts]))
    assert pooled.worst_error == max(e for e, _ in parts)
    assert Fidelity.pooled([]).mean_db is None


def test_psnr_in_decibels() -> None:
    assert psnr_db(1.0) == 0 and psnr_db(1e-4) == pytest.approx(40) and psnr_db(0) == CAP_DB
    a, b = np.zeros((4, 4), np.uint8), np.full((4, 4), 51, np.uint8)
    assert relative_error(a, b, 8) == pytest.approx(0.04)
    assert relative_error(a, b, 8, np.eye(4, dtype=bool)) == pytest.approx(0.04)
