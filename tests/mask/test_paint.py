from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.config import MaskStyle
from anonflow.mask.keep import KeepShape, kept_cells
from anonflow.mask.paint import mask_digest, paint
from anonflow.mask.shapes import MaskShape, covered_cells, mask_shapes
from anonflow.types import PlaneSet
from tests.mask.frames import (
    BLUR,
    PIXELATE,
    SOLID,
    STYLES,
    SUBSAMPLINGS,
    Layout,
    boxes,
    layouts,
    plan_of,
    touched_pixels,
)


def copies(frame: PlaneSet) -> Any:
    return [plane.copy() for plane in frame.planes]


def hidden_luma(frame: PlaneSet, shapes: Any) -> Any:
    """Which luma samples the shapes hide, by the definition of a shape."""
    hidden = np.zeros((frame.height, frame.width), bool)
    for shape in shapes:
        cells = covered_cells(shape, frame.chroma_shift_x, frame.chroma_shift_y)
        cells = cells.repeat(1 << frame.chroma_shift_y, 0).repeat(1 << frame.chroma_shift_x, 1)
        region = hidden[shape.y1 : shape.y2, shape.x1 : shape.x2]
        region |= cells[: region.shape[0], : region.shape[1]]
    return hidden


def hidden_in(plane: Any, hidden: Any, frame: PlaneSet) -> Any:
    """The same for any plane: a chroma sample is hidden when a luma sample under it is."""
    if plane.shape == hidden.shape:
        return hidden
    cell_y, cell_x = 1 << frame.chroma_shift_y, 1 << frame.chroma_shift_x
    padded = np.zeros((plane.shape[0] * cell_y, plane.shape[1] * cell_x), bool)
    padded[: hidden.shape[0], : hidden.shape[1]] = hidden
    return padded.reshape(plane.shape[0], cell_y, plane.shape[1], cell_x).any(axis=(1, 3))


@given(layouts(), st.lists(st.tuples(boxes(), st.integers(0, 2), st.booleans()), max_size=4))
@settings(deadline=None, max_examples=80)
def test_samples_outside_the_shapes_stay_identical_to_the_bit(layout: Layout, rows: Any) -> None:
    frame = layout.frame()
    styles = [replace(style, shape=outline) for style in STYLES for outline in ("box", "ellipse")]
    plan = plan_of([box for box, _, _ in rows], [2 * style + round for _, style, round in rows])
    before, shapes = copies(frame), mask_shapes(plan, styles, frame)
    paint(frame, shapes)
    hidden = hidden_luma(frame, shapes)
    for old, new in zip(before, frame.planes, strict=True):
        outside = ~hidden_in(new, hidden, frame)
        assert np.array_equal(old[outside], new[outside])


@given(layouts(), boxes())
@settings(deadline=None, max_examples=80)
def test_solid_fills_every_sample_of_the_box_luma_and_chroma(layout: Layout, box: Any) -> None:
    frame = layout.frame()
    paint(frame, mask_shapes(plan_of([box]), [SOLID], frame))
    touched = touched_pixels(frame, box)
    if touched is None:
        return
    black = 0 if layout.full_range else 16 << (layout.bit_depth - 8)
    assert (frame.planes[0][touched] == black).all()
    for plane in frame.planes[1:]:
        rows = slice(touched[0].start >> frame.chroma_shift_y, -(-touched[0].stop >> frame.chroma_shift_y))
        columns = slice(touched[1].start >> frame.chroma_shift_x, -(-touched[1].stop >> frame.chroma_shift_x))
        assert (plane[rows, columns] == 128 << (layout.bit_depth - 8)).all()


@pytest.mark.parametrize("subsampling", sorted(SUBSAMPLINGS))
@pytest.mark.parametrize("style", [PIXELATE, BLUR], ids=["pixelate", "blur"])
@pytest.mark.parametrize("bit_depth", [8, 10])
def test_weak_operators_change_nearly_every_sample_within_its_range_of_values(
    subsampling: str, style: MaskStyle, bit_depth: int
) -> None:
    frame = Layout(63, 47, subsampling, bit_depth).frame()
    before = copies(frame)
    paint(frame, mask_shapes(plan_of([(5.5, 3.2, 50, 40)]), [style], frame))
    for old, new in zip(before, frame.planes, strict=True):
        rows = slice(6 * new.shape[0] // 47, 38 * new.shape[0] // 47)
        columns = slice(7 * new.shape[1] // 63, 48 * new.shape[1] // 63)
        assert (old[rows, columns] != new[rows, columns]).mean() > 0.9
        assert old.min() <= new.min() and new.max() <= old.max()


@given(st.integers(17, 90), st.integers(17, 90), st.integers(1, 5), st.sampled_from(["4:2:0", "4:4:4"]))
@settings(deadline=None, max_examples=50)
def test_a_mosaic_has_no_more_values_than_cells(width: int, height: int, cells: Any, subsampling: str) -> None:
    frame = Layout(width, height, subsampling).frame()
    style = replace(PIXELATE, cells=cells, min_cell_px=1)
    paint(frame, mask_shapes(plan_of([(0, 0, width, height)]), [style], frame))
    for plane in frame.planes:
        # A chroma plane's cells are rounded down to whole samples, which can make one more of them.
        assert len(np.unique(plane)) <= (cells + 1) ** 2
    assert len(np.unique(frame.planes[0])) <= cells**2


def test_a_coarse_mosaic_is_the_mean() -> None:
    frame = Layout(32, 32, "4:2:0").frame()
    mean = frame.planes[0].mean()
    paint(frame, mask_shapes(plan_of([(0, 0, 32, 32)]), [replace(PIXELATE, cells=1)], frame))
    assert np.abs(frame.planes[0].astype(float) - mean).max() <= 1


def test_blur_removes_the_detail_of_the_object() -> None:
    frame = Layout(128, 128, "4:2:0").frame()
    spread = frame.planes[0].std()
    paint(frame, mask_shapes(plan_of([(0, 0, 128, 128)]), [BLUR], frame))
    assert frame.planes[0].std() < spread / 10


def test_a_solid_mask_is_not_painted_over_by_a_weak_one() -> None:
    plan = plan_of([(0, 0, 40, 40), (20, 20, 60, 40), (10, 10, 50, 30)], [1, 0, 2])
    frame = Layout(64, 48, "4:2:0").frame()
    paint(frame, mask_shapes(plan, STYLES_BY_LABEL, frame))
    assert (frame.planes[0][20:40, 20:60] == 16).all()
    assert (frame.planes[1][10:20, 10:30] == 128).all()


STYLES_BY_LABEL = (SOLID, PIXELATE, BLUR)


@pytest.mark.parametrize("style", STYLES, ids=[style.operator for style in STYLES])
@pytest.mark.parametrize("shape", ["box", "ellipse"])
def test_alpha_is_opaque_where_a_mask_is_and_itself_elsewhere(style: MaskStyle, shape: str) -> None:
    frame = Layout(32, 32, "4:2:0", alpha=True).frame()
    before = [plane.copy() for plane in frame.planes]
    paint(frame, mask_shapes(plan_of([(4, 6, 20, 26)]), [replace(style, shape=shape, margin=0.0)], frame))
    opaque = frame.planes[3] == 255
    assert opaque[8:24, 8:16].all() and not opaque[:6].any() and not opaque[:, 20:].any()
    assert np.array_equal(frame.planes[3][~opaque], before[3][~opaque])
    assert not (frame.planes[0] != before[0])[~opaque].any()


def test_an_ellipse_hides_luma_and_chroma_of_the_same_places() -> None:
    frame = Layout(41, 33, "4:2:0").frame()
    paint(frame, mask_shapes(plan_of([(0, 0, 41, 33)]), [replace(SOLID, shape="ellipse")], frame))
    luma, chroma = frame.planes[0] == 16, frame.planes[1] == 128
    assert np.array_equal(luma, chroma.repeat(2, 0).repeat(2, 1)[:33, :41])
    assert luma.any() and not luma.all()


def test_painting_works_on_views_with_padding() -> None:
    wide = np.full((20, 64), 200, np.uint8)
    frame = Layout(30, 20, "grey").frame()
    frame = replace(frame, planes=(wide[:, :30],))
    for style in STYLES:
        paint(frame, mask_shapes(plan_of([(2, 2, 30, 18)]), [style], frame))
    assert (wide[:, 30:] == 200).all() and (wide[2:18, 2:30] == 16).any()


def kept_luma(frame: PlaneSet, keep: Any) -> Any:
    """Which luma samples are kept."""
    kept = kept_cells(keep, frame.width, frame.height, frame.chroma_shift_x, frame.chroma_shift_y)
    kept = kept.repeat(1 << frame.chroma_shift_y, 0).repeat(1 << frame.chroma_shift_x, 1)
    return kept[: frame.height, : frame.width]


def keep_shapes(frame: PlaneSet, cells: Any) -> Any:
    """Boxes to keep from cells `(column, row, columns, rows)`, cut to the picture."""
    found = []
    for column, row, columns, rows in cells:
        x1, y1 = column << frame.chroma_shift_x, row << frame.chroma_shift_y
        x2 = min(frame.width, (column + columns) << frame.chroma_shift_x)
        y2 = min(frame.height, (row + rows) << frame.chroma_shift_y)
        if x1 < x2 and y1 < y2:
            found.append(KeepShape(x1, y1, x2, y2))
    return tuple(found)


cells = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20))


@given(
    layouts(),
    st.lists(st.tuples(boxes(), st.integers(0, 2), st.booleans()), min_size=1, max_size=3),
    st.lists(cells, min_size=1, max_size=3),
    st.booleans(),
)
@settings(deadline=None, max_examples=80)
def test_kept_samples_stay_identical_and_all_others_are_hidden_as_without(
    layout: Layout, rows: Any, to_keep: Any, with_polygon: bool
) -> None:
    frame, plain = layout.frame(), layout.frame()
    before = copies(frame)
    styles = [replace(style, shape=outline) for style in STYLES for outline in ("box", "ellipse")]
    plan = plan_of([box for box, _, _ in rows], [2 * style + round for _, style, round in rows])
    shapes, keep = mask_shapes(plan, styles, frame), keep_shapes(frame, to_keep)
    if with_polygon:
        keep += (KeepShape(0, 0, frame.width, frame.height, ((1.0, 2.0), (40.0, 5.0), (9.0, 44.0))),)
    paint(frame, shapes, keep)
    paint(plain, shapes)
    kept = kept_luma(frame, keep)
    only_solid = all(shape.operator == "solid" for shape in shapes)
    for old, new, without in zip(before, frame.planes, plain.planes, strict=True):
        is_kept = hidden_in(new, kept, frame)
        assert np.array_equal(new[is_kept], old[is_kept])
        # A weak mask may see what is kept below it; where it paints is the same.
        assert not only_solid or np.array_equal(new[~is_kept], without[~is_kept])


def test_what_is_hidden_whatever_is_kept_is_painted_without_it() -> None:
    frame = Layout(32, 32, "4:2:0").frame()
    keep = (KeepShape(0, 0, 32, 32),)
    paint(frame, [SHAPE], keep)
    assert not (frame.planes[0] == 16).any()
    paint(frame, [SHAPE])
    assert (frame.planes[0][2:10, 2:10] == 16).all() and (frame.planes[1][1:5, 1:5] == 128).all()


SHAPE = MaskShape("solid", "box", 2, 2, 10, 10, 0)


def test_the_digest_is_equal_for_equal_shapes_on_an_equal_picture() -> None:
    layout = Layout(32, 32, "4:2:0")
    assert mask_digest(layout.frame(1), (SHAPE,)) == mask_digest(layout.frame(1), (SHAPE,))


@pytest.mark.parametrize(
    "other",
    [
        (),
        (replace(SHAPE, x1=4),),
        (replace(SHAPE, operator="blur"),),
        (replace(SHAPE, outline="ellipse"),),
        (replace(SHAPE, strength_px=3),),
        (SHAPE, replace(SHAPE, y1=4)),
    ],
)
def test_the_digest_tells_other_shapes(other: Any) -> None:
    frame = Layout(32, 32, "4:2:0").frame()
    assert mask_digest(frame, (SHAPE,)) != mask_digest(frame, other)


def test_the_digest_cannot_be_found_from_coordinates_alone() -> None:
    """One sample more or less of the picture gives another digest for the same coordinates."""
    layout = Layout(32, 32, "4:2:0")
    frame, other = layout.frame(), layout.frame()
    other.planes[0][0, 0] += 1
    assert mask_digest(frame, (SHAPE,)) != mask_digest(other, (SHAPE,))


def test_the_digest_is_of_the_picture_before_painting() -> None:
    frame = Layout(32, 32, "4:2:0").frame()
    before = mask_digest(frame, (SHAPE,))
    paint(frame, (SHAPE,))
    assert mask_digest(frame, (SHAPE,)) != before


@pytest.mark.parametrize("keep", [(KeepShape(2, 2, 10, 10),), (KeepShape(2, 2, 10, 10, ((2.0, 2.0), (9.0, 3.0))),)])
def test_the_digest_tells_what_is_kept_from_what_is_not(keep: Any) -> None:
    frame = Layout(32, 32, "4:2:0").frame()
    assert (
        len({mask_digest(frame, (SHAPE,)), mask_digest(frame, (SHAPE,), keep), mask_digest(frame, (), keep)}) == 3
    )


def test_the_digest_tells_polygons_by_their_points() -> None:
    frame = Layout(32, 32, "4:2:0").frame()
    polygon = replace(SHAPE, outline="polygon", points=((2.0, 2.0), (10.0, 2.0), (2.0, 10.0)))
    other = replace(polygon, points=((2.0, 2.0), (10.0, 2.0), (2.0, 10.5)))
    assert mask_digest(frame, (polygon,)) != mask_digest(frame, (other,))


@pytest.mark.parametrize("subsampling", sorted(SUBSAMPLINGS))
def test_a_polygon_is_filled_in_luma_and_chroma_of_the_same_places(subsampling: str) -> None:
    frame = Layout(41, 33, subsampling).frame()
    points = ((-5.0, 9.0), (60.0, 8.5), (20.0, 40.0))
    paint(frame, [MaskShape("solid", "polygon", 0, 0, 41, 33, 0, points)])
    hidden = frame.planes[0] == 16
    assert hidden[20, 20] and not hidden[0, 0] and not hidden[32, 0]
    for plane in frame.planes[1:]:
        assert np.array_equal(plane == 128, hidden_in(plane, hidden, frame))
