from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.config import RegionConfig, TimeSpan, VideoRegions
from anonflow.mask.keep import KeepShape, kept_cells
from anonflow.mask.regions import Canvas, RegionPlan, coded_points, regions_for, unmatched
from anonflow.mask.shapes import MaskShape, covered_cells
from anonflow.video.planes import boxes_to_coded

CANVAS = Canvas(64, 48, 1, 1, 0)
CORNER = RegionConfig(box=(0.75, 0.0, 1.0, 0.25))
TRIANGLE = RegionConfig(polygon=((4.5, 4.5), (40.0, 10.0), (20.0, 30.0)), units="px")

shares = st.floats(0, 1)
canvases = st.builds(
    Canvas,
    st.integers(1, 80),
    st.integers(1, 80),
    st.integers(0, 2),
    st.integers(0, 2),
    st.sampled_from([0, 90, -90, 180, -180]),
)


@st.composite
def regions(draw: st.DrawFn) -> RegionConfig:
    """Boxes and polygons, in shares or in pixels, also over the border."""
    units = draw(st.sampled_from(["share", "px"]))
    value = shares if units == "share" else st.floats(-20, 100)
    if draw(st.booleans()):
        x, y = (sorted(draw(st.lists(value, min_size=2, max_size=2, unique=True))) for _ in range(2))
        return RegionConfig(box=(x[0], y[0], x[1], y[1]), units=units)
    points = draw(st.lists(st.tuples(value, value), min_size=3, max_size=6, unique=True))
    return RegionConfig(polygon=tuple(points), units=units)


def plan(canvas: Any = CANVAS, **parts: Any) -> RegionPlan:
    return RegionPlan.of([VideoRegions("*", **{name: tuple(values) for name, values in parts.items()})], canvas)


def shown(canvas: Canvas, pixels: Any) -> Any:
    """Pixels of the coded picture as they are shown: `rot90` turns counter-clockwise, as display rotation does."""
    return np.rot90(pixels, canvas.rotation_deg // 90)


def hidden(canvas: Canvas, shapes: Any) -> Any:
    """Which luma pixels of the coded picture are hidden."""
    pixels = np.zeros((canvas.height, canvas.width), bool)
    for shape in shapes:
        cells = covered_cells(shape, canvas.shift_x, canvas.shift_y)
        cells = cells.repeat(1 << canvas.shift_y, 0).repeat(1 << canvas.shift_x, 1)
        part = pixels[shape.y1 : shape.y2, shape.x1 : shape.x2]
        part |= cells[: part.shape[0], : part.shape[1]]
    return pixels


def kept(canvas: Canvas, shapes: Any) -> Any:
    """Which luma pixels of the coded picture are kept."""
    cells = kept_cells(shapes, canvas.width, canvas.height, canvas.shift_x, canvas.shift_y)
    cells = cells.repeat(1 << canvas.shift_y, 0).repeat(1 << canvas.shift_x, 1)
    return cells[: canvas.height, : canvas.width]


def pixel_corners(region: RegionConfig, height: int, width: int) -> Any:
    """The region's corners in pixels of the picture as it is shown."""
    return np.array(region.corners) * ((width, height) if region.units == "share" else (1, 1))


def is_within(x: Any, y: Any, region: RegionConfig, corners: Any) -> Any:
    """Whether points lie in the region; of a polygon by the even-odd rule."""
    if region.box is not None:
        (x1, y1), (x2, y2) = corners
        return (x1 < x) & (x < x2) & (y1 < y) & (y < y2)
    inside = np.zeros(np.broadcast_shapes(x.shape, y.shape), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 != y2:
            with np.errstate(over="ignore"):
                crossing = x1 + (y - y1) / (y2 - y1) * (x2 - x1)
            inside ^= ((y1 > y) != (y2 > y)) & (x < crossing)
    return inside


def samples(side: int) -> Any:
    """Nine points a pixel, none on a line between pixels."""
    return np.arange(side * 3) / 3 + 1 / 6 + 1e-4


@given(canvases, regions())
@settings(deadline=None, max_examples=120)
def test_every_pixel_that_a_region_reaches_into_is_hidden_and_only_whole_ones_are_kept(
    canvas: Canvas, region: RegionConfig
) -> None:
    """By points of the picture as it is shown, whatever its rotation and subsampling."""
    at = plan(canvas, hide=[region], keep=[region]).at(0.0, 0.0)
    is_hidden, is_kept = (shown(canvas, p) for p in (hidden(canvas, at.hide), kept(canvas, at.keep)))
    height, width = is_hidden.shape
    corners = pixel_corners(region, height, width)
    inside = is_within(samples(width)[None], samples(height)[:, None], region, corners)
    pixels = inside.reshape(height, 3, width, 3)
    assert is_hidden[pixels.any(axis=(1, 3))].all()
    assert pixels.all(axis=(1, 3))[is_kept].all()


@given(canvases.filter(lambda c: c.width > 8 and c.height > 8), shares, shares, shares, shares)
@settings(deadline=None)
def test_regions_are_mapped_as_detections_are(canvas: Canvas, a: float, b: float, c: float, d: float) -> None:
    (x1, x2), (y1, y2) = sorted((a, b)), sorted((c, d))
    if x1 == x2 or y1 == y2:
        return
    size = (canvas.width, canvas.height)
    upright = size[::-1] if canvas.rotation_deg % 180 else size
    box = np.array([[x1, y1, x2, y2]], np.float32) * np.array([*upright, *upright], np.float32)
    wanted = boxes_to_coded(box, upright, size, canvas.rotation_deg)[0]
    points = np.array(coded_points(RegionConfig(box=(x1, y1, x2, y2)), canvas))
    assert np.allclose([*points.min(axis=0), *points.max(axis=0)], wanted, atol=1e-3)


@pytest.mark.parametrize(
    ("rotation_deg", "box"),
    [(0, (48, 0, 64, 12)), (90, (48, 36, 64, 48)), (180, (0, 36, 16, 48)), (-90, (0, 0, 16, 12))],
)
def test_the_upper_right_corner_of_the_shown_picture_is_another_of_the_coded_one(
    rotation_deg: Any, box: Any
) -> None:
    (shape,) = plan(replace(CANVAS, rotation_deg=rotation_deg), hide=[CORNER]).at(0.0, 0.0).hide
    assert (shape.x1, shape.y1, shape.x2, shape.y2) == box


def test_a_region_in_pixels_and_one_in_shares_are_the_same() -> None:
    pixels = RegionConfig(box=(48.0, 0.0, 64.0, 12.0), units="px")
    assert plan(hide=[CORNER], keep=[CORNER]).at(0, 0) == plan(hide=[pixels], keep=[pixels]).at(0, 0)


def test_hidden_regions_are_filled_whatever_the_masks_are() -> None:
    box, polygon = plan(hide=[CORNER, TRIANGLE]).at(0.0, 0.0).hide
    assert box == MaskShape("solid", "box", 48, 0, 64, 12, 0)
    assert polygon == MaskShape("solid", "polygon", 4, 4, 40, 30, 0, TRIANGLE.polygon)


def test_hiding_rounds_outward_and_keeping_inward() -> None:
    region = RegionConfig(box=(9.5, 10.5, 21.0, 25.5), units="px")
    at = plan(hide=[region], keep=[region]).at(0.0, 0.0)
    assert at.hide == (MaskShape("solid", "box", 8, 10, 22, 26, 0),)
    assert at.keep == (KeepShape(10, 12, 20, 24),)


def test_what_lies_beside_the_picture_or_is_less_than_a_cell_to_keep_is_no_shape() -> None:
    beside = RegionConfig(box=(64.0, 0.0, 90.0, 20.0), units="px")
    tiny = RegionConfig(box=(3.0, 3.0, 4.0, 4.0), units="px")
    at = plan(hide=[beside, tiny], keep=[beside, tiny]).at(0.0, 0.0)
    assert at.hide == (MaskShape("solid", "box", 2, 2, 4, 4, 0),) and at.keep == ()


@pytest.mark.parametrize(("time_s", "count"), [(0.0, 0), (2.4999, 0), (2.5, 1), (9.99, 1), (10.0, 0)])
def test_a_span_holds_its_beginning_and_not_its_end(time_s: float, count: int) -> None:
    timed = replace(CORNER, from_s=2.5, to_s=10.0)
    at = plan(hide=[timed], keep=[timed]).at(time_s, time_s)
    assert (len(at.hide), len(at.keep), at.is_processed) == (count, count, True)


def test_outside_of_the_times_to_process_nothing_is_hidden_or_kept() -> None:
    made = plan(hide=[CORNER], keep=[CORNER], process=[TimeSpan(1.0, 2.0), TimeSpan(5.0)])
    assert [made.at(t, t).is_processed for t in (0.0, 0.999, 1.0, 1.9, 2.0, 4.9, 5.0, 1e6)] == [
        *(False, False, True, True, False, False, True, True)
    ]
    assert made.at(0.5, 0.5).hide == () and made.at(0.5, 0.5).keep == ()
    assert len(made.at(1.5, 1.5).hide) == len(made.at(1.5, 1.5).keep) == 1


def test_entries_add_up() -> None:
    entries = [
        VideoRegions("*", hide=(CORNER,)),
        VideoRegions("*", hide=(TRIANGLE,), keep=(CORNER,), process=(TimeSpan(0.0, 1.0),)),
        VideoRegions("*", process=(TimeSpan(3.0, 4.0),)),
    ]
    made = RegionPlan.of(entries, CANVAS)
    assert len(made.hide) == 2 and len(made.keep) == 1
    assert [made.at(t, t).is_processed for t in (0.5, 2.0, 3.5)] == [True, False, True]


def test_without_regions_everything_is_processed() -> None:
    at = RegionPlan.of([], CANVAS).at(12.0, 12.0)
    assert at.is_processed and at.hide == () and at.keep == ()


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*", True),
        ("cam1/*.mp4", True),
        ("cam1/night/a.mp4", True),
        ("cam[12]/*", True),
        ("cam?/*", True),
        ("*.MP4", False),
        ("a.mp4", False),
        ("cam1", False),
        ("cam2/*", False),
    ],
)
def test_a_pattern_is_of_the_whole_path_below_the_input(pattern: str, matches: Any) -> None:
    entry = VideoRegions(pattern, hide=(CORNER,))
    assert regions_for([entry], "cam1/night/a.mp4") == ((entry,) if matches else ())
    assert unmatched([entry, entry], ["x.mkv", "cam1/night/a.mp4"]) == (() if matches else (pattern,))


def test_a_frame_that_is_shown_partly_within_a_span_is_hidden_and_not_kept() -> None:
    timed = replace(CORNER, from_s=1.0, to_s=2.0)
    made = plan(hide=[timed], keep=[timed], process=[TimeSpan(0.5, 3.0)])
    spans = [(0.8, 1.0), (0.9, 1.1), (1.0, 1.2), (1.8, 2.0), (1.9, 2.1), (2.0, 2.2)]
    assert [len(made.at(*span).hide) for span in spans] == [0, 1, 1, 1, 1, 0]
    assert [len(made.at(*span).keep) for span in spans] == [0, 0, 1, 1, 0, 0]
    assert [made.at(*span).is_processed for span in ((0.3, 0.5), (0.4, 0.6), (2.9, 3.1), (3.0, 3.2))] == [
        False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("rotation_deg", [0, 90, 180, 270])
def test_a_mirrored_picture_has_its_left_on_the_right(rotation_deg: Any) -> None:
    """The upper left corner of the mirrored picture is the upper right one of that which is not."""
    other = replace(CORNER, box=(1 - CORNER.box[2], CORNER.box[1], 1 - CORNER.box[0], CORNER.box[3]))
    canvas = replace(CANVAS, rotation_deg=rotation_deg)
    (plain,) = plan(canvas, hide=[CORNER]).at(0.0, 0.0).hide
    (mirrored,) = plan(replace(canvas, is_mirrored=True), hide=[other]).at(0.0, 0.0).hide
    assert mirrored == plain
