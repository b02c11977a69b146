from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from anonflow.video.sidedata import side_data_names
from tests.rare import CAPTIONS, HDR10, USER_DATA, h264_sei, hevc_sei, mpeg2_user_data, write_clip


def _names(path: Path) -> set[str]:
    with av.open(str(path)) as container:
        return set(side_data_names(next(container.decode(video=0))))


@pytest.mark.parametrize(
    ("codec", "edit", "expected"),
    [
        ("libx264", h264_sei(4, CAPTIONS), {"a53 cc"}),
        ("libx264", h264_sei(5, USER_DATA), {"sei unregistered"}),
        ("libx265", hevc_sei(5, USER_DATA), {"sei unregistered"}),
        ("mpeg2video", mpeg2_user_data(CAPTIONS[3:]), {"a53 cc", "gop timecode"}),
    ],
)
def test_what_a_stream_carries(
    tmp_path: Path, codec: str, edit: Callable[[bytes], bytes], expected: set[str]
) -> None:
    assert _names(write_clip(tmp_path / "a.ts", codec, edit=edit, n_frames=3)) == expected


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1"])
def test_the_notes_of_encoders_and_what_is_compared_elsewhere_do_not_count(tmp_path: Path, codec: str) -> None:
    path = write_clip(tmp_path / "a.mp4", codec, pixel_format="yuv420p10le", options=HDR10[codec], n_frames=3)
    assert _names(path) == set()
