from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import pytest

from anonflow.types import StreamFormat
from anonflow.video.hdr import content_light, mastering_display, svtav1_params, x264_params, x265_params
from tests.rare import HDR10, LIGHT, MASTERING, MASTERING_NUMBERS, write_clip

FORMAT = StreamFormat("hevc", "yuv420p10le", 96, 64, None, 0, 0, 9, 16, 9)
HDR = replace(FORMAT, mastering_display=MASTERING_NUMBERS, content_light=LIGHT)


@pytest.mark.parametrize("codec", sorted(HDR10))
def test_read_in_the_units_of_the_standard(tmp_path: Path, codec: str) -> None:
    path = write_clip(tmp_path / "a.mp4", codec, pixel_format="yuv420p10le", options=HDR10[codec], n_frames=2)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    found = mastering_display(frame)
    assert found is not None and content_light(frame) == LIGHT
    assert all(abs(a - b) <= 1 for a, b in zip(found, MASTERING_NUMBERS, strict=True))


def test_a_frame_without(tmp_path: Path) -> None:
    frame = av.VideoFrame(16, 16, "yuv420p")
    assert mastering_display(frame) is None and content_light(frame) is None


def test_each_encoder_is_told_in_its_own_words() -> None:
    assert x264_params(HDR) == [f"mastering-display={MASTERING}", "cll=1000,400"]
    assert x265_params(HDR) == ["hdr10=1", f"master-display={MASTERING}", "max-cll=1000,400"]
    display, light = svtav1_params(HDR)
    assert light == "content-light=1000,400"
    assert display.startswith("mastering-display=G(0.26500,0.69000)") and display.endswith("L(1000.0000,0.0050)")
    for params in (x264_params, x265_params, svtav1_params):
        assert params(FORMAT) == []
        assert len(params(replace(HDR, mastering_display=None))) == len(params(HDR)) - 1
