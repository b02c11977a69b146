from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from anonflow.errors import DamagedVideoError, UnsupportedFormatError
from anonflow.video.form import read_format
from tests.media import Clip, make_clip

ClipPath = Callable[[str], Path]


def test_the_format_is_that_of_the_frames(clip: ClipPath) -> None:
    form = read_format(clip("hdr.mp4"))
    assert (form.codec, form.pixel_format, form.width, form.height) == ("hevc", "yuv420p10le", 96, 64)
    assert (form.color_range, form.color_primaries, form.color_transfer, form.color_matrix) == (1, 9, 16, 9)
    assert read_format(clip("turned.mp4")).rotation_deg == 90
    assert read_format(clip("wide.mp4")).sample_aspect_ratio == Fraction(4, 3)


def test_pixels_without_planes_are_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "rgb.mkv", Clip(codec="ffv1", pixel_format="bgr0", options={}))
    with pytest.raises(UnsupportedFormatError, match="bgr0"):
        read_format(path)


def test_a_video_of_which_nothing_can_be_decoded(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "good.mp4", Clip(n_frames=3))
    with av.open(str(path)) as container:
        spans = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    content = bytearray(path.read_bytes())
    for position, size in spans:
        content[position + 4 : position + size] = b"\xff" * (size - 4)
    path.write_bytes(content)
    with pytest.raises(DamagedVideoError, match="no frame"):
        read_format(path)
