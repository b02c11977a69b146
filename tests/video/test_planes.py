from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.errors import UnsupportedFormatError
from anonflow.types import StreamFormat
from anonflow.video.decode import decode_range
from anonflow.video.planes import bgr_upright, boxes_to_coded, chroma_shifts, is_paintable, plane_set
from anonflow.video.probe import probe
from tests.media import Clip, make_clip, video_frame


def _marked(width: int, height: int, pixel_format: str = "yuv420p") -> av.VideoFrame:
    image = np.full((height, width, 3), 40, np.uint8)
    image[: height // 4, : width // 4] = (40, 40, 230)
    return av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=pixel_format)


def _red_box(image: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero((image[..., 2] > 150) & (image[..., 0] < 100))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.mark.parametrize(
    ("pixel_format", "depth", "shift"),
    [("yuv420p", 8, (1, 1)), ("yuv422p", 8, (1, 0)), ("yuv444p", 8, (0, 0)), ("yuv420p10le", 10, (1, 1)),
     ("yuv422p12le", 12, (1, 0)), ("gray", 8, (0, 0)), ("yuva420p", 8, (1, 1))],
)  # fmt: skip
def test_planes_are_views_of_the_frame(pixel_format: str, depth: int, shift: tuple[int, int]) -> None:
    frame = video_frame(50, 38, 3, pixel_format)
    planes = plane_set(frame, writable=True)
    assert (planes.bit_depth, (planes.chroma_shift_x, planes.chroma_shift_y)) == (depth, shift)
    assert planes.planes[0].shape == (38, 50)
    before = planes.planes[0].copy()
    planes.planes[0][5:9, 7:20] = 77
    again = plane_set(frame).planes[0]
    assert (again[5:9, 7:20] == 77).all()
    again_outside, before[5:9, 7:20] = again.copy(), 77
    assert np.array_equal(again_outside, before)


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "gray", "yuva420p", "yuv410p"])
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (50, 38), (51, 39), (7, 64)])
def test_the_chroma_grid_of_a_stream_is_that_of_its_frames(name: str, size: tuple[int, int]) -> None:
    stream = StreamFormat("h264", name, *size, None, 0, 1, 2, 2, 2)
    planes = plane_set(av.VideoFrame(*size, name))
    assert chroma_shifts(stream) == (planes.chroma_shift_x, planes.chroma_shift_y)


def test_views_are_read_only_unless_asked() -> None:
    with pytest.raises(ValueError, match="read-only"):
        plane_set(video_frame(32, 32, 0)).planes[0][0, 0] = 1


@pytest.mark.parametrize("name", ["opengop.mp4", "hdr.mp4", "vp8.webm", "mp2.ts"])
def test_paint_does_not_reach_the_decoders_references(clip: Callable[[str], Path], name: str) -> None:
    path, index = clip(name), probe(clip(name))
    first, end = int(index.pts[0]), index.end_pts
    clean = [[p.copy() for p in plane_set(frame).planes] for _, frame in decode_range(path, index, first, end)]
    for (_, frame), wanted in zip(decode_range(path, index, first, end), clean, strict=True):
        for plane, original in zip(plane_set(frame, writable=True).planes, wanted, strict=True):
            assert np.array_equal(plane, original)
            plane[:] = 0


@pytest.mark.parametrize("pixel_format", ["rgb24", "gbrp", "yuyv422", "nv12", "pal8", "yuv420p10be", "bgra"])
def test_other_formats_are_named_and_refused(pixel_format: str) -> None:
    assert not is_paintable(pixel_format)
    with pytest.raises(UnsupportedFormatError, match=pixel_format):
        plane_set(av.VideoFrame(32, 32, pixel_format))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuvj420p"])
@pytest.mark.parametrize("size", [(64, 48), (63, 47), (200, 150)])
def test_small_picture_is_the_frame(pixel_format: str, size: tuple[int, int]) -> None:
    frame = _marked(128, 96, pixel_format)
    got = bgr_upright(frame, *size, 0)
    reference = cv2.resize(frame.to_ndarray(format="bgr24"), size, interpolation=cv2.INTER_AREA)
    assert got.shape == (size[1], size[0], 3) and got.dtype == np.uint8
    assert np.abs(got.astype(int) - reference).mean() < 4


def test_grey_is_grey() -> None:
    image = bgr_upright(_marked(64, 48, "gray"), 32, 24, 0)
    assert np.ptp(image.astype(int), axis=2).max() <= 2


@pytest.mark.parametrize(
    ("rotation", "corner"), [(0, "top left"), (90, "bottom left"), (180, "bottom right"), (-90, "top right")]
)
def test_rotation_is_counter_clockwise(rotation: int, corner: str) -> None:
    size = (48, 64) if rotation % 180 else (64, 48)
    x1, y1, x2, y2 = _red_box(bgr_upright(_marked(128, 96), *size, rotation))
    vertical = "top" if y1 == 0 else "bottom" if y2 == size[1] else "middle"
    horizontal = "left" if x1 == 0 else "right" if x2 == size[0] else "middle"
    assert f"{vertical} {horizontal}" == corner


@pytest.mark.parametrize("rotation", [0, 90, 180, 270, -90, -180])
def test_boxes_find_their_way_back(rotation: int) -> None:
    upright = (48, 64) if rotation % 180 else (64, 48)
    box = np.array([_red_box(bgr_upright(_marked(128, 96), *upright, rotation))], np.float32)
    coded = boxes_to_coded(box, upright, (128, 96), rotation)
    assert np.abs(coded - [[0, 0, 32, 24]]).max() <= 2


@given(
    rotation=st.sampled_from([0, 90, 180, 270]),
    box=st.tuples(*[st.floats(0, 40, width=32)] * 2, *[st.floats(1, 8, width=32)] * 2),
)
def test_mapped_boxes_keep_their_order_and_area(rotation: int, box: tuple[float, float, float, float]) -> None:
    x, y, w, h = box
    upright, coded = ((50, 60), (120, 100)) if rotation % 180 else ((50, 60), (100, 120))
    mapped = boxes_to_coded(np.array([[x, y, x + w, y + h]], np.float32), upright, coded, rotation)[0]
    assert mapped[0] < mapped[2] and mapped[1] < mapped[3]
    assert np.isclose((mapped[2] - mapped[0]) * (mapped[3] - mapped[1]), w * h * 4, rtol=1e-2)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_ffmpegs_own_autorotation_turns_the_same_way(tmp_path: Path, rotation: int) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    path = make_clip(tmp_path / "turned.mp4", Clip(rotation_deg=rotation, n_frames=1, options={"crf": "5"}))
    width, height = (64, 96) if rotation % 180 else (96, 64)
    command = [ffmpeg, "-v", "error", "-i", str(path), "-pix_fmt", "bgr24", "-f", "rawvideo", "-"]
    shown = subprocess.run(command, check=True, capture_output=True).stdout
    index = probe(path)
    ((_, frame),) = decode_range(path, index, 0, index.end_pts)
    ours = bgr_upright(frame, width, height, index.stream.rotation_deg).astype(int)
    theirs = np.frombuffer(shown, np.uint8).reshape(height, width, 3)
    assert np.abs(ours - theirs).mean() < 4
