from __future__ import annotations

import numpy as np
import pytest

from anonflow.config import RegionConfig, VideoRegions
from anonflow.errors import InternalError
from anonflow.picture.base import PictureInfo
from anonflow.picture.hiding import Grid
from anonflow.pipeline.album.hiding import AlbumPlan
from anonflow.pipeline.album.members import Member
from anonflow.types import MaskPlan, PlaneSet, Source
from tests.pipeline.album.gallery import with_config
from tests.pipeline.worlds import World

MEMBER = Member(3, Source("/in/a.jpg", "a.jpg", "id", 1, 1))
INFO = PictureInfo("JPEG", Grid(64, 48, 1, 1), 1, "", "", b"", "", ())


def plan(*boxes: tuple[float, float, float, float], position: int = 3) -> AlbumPlan:
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    rows = MaskPlan(np.full(len(xyxy), position, np.int64), xyxy, np.zeros(len(xyxy), np.int16))
    return AlbumPlan(rows, {str(position): {"face": len(xyxy)}}, {})


def test_hidden_is_what_painting_changes(world: World) -> None:
    hiding = plan((9.5, 10, 20, 20.2)).hiding(MEMBER, INFO, world.context())
    luma, blue, red = (
        np.full((48, 64), 200, np.uint8),
        np.full((24, 32), 9, np.uint8),
        np.full((24, 32), 9, np.uint8),
    )
    hiding.paint(PlaneSet((luma, blue, red), 1, 1, 8, full_range=True))
    np.testing.assert_array_equal(luma == 0, hiding.hidden)
    np.testing.assert_array_equal((blue == 128).repeat(2, 0).repeat(2, 1), hiding.hidden)
    assert hiding.boxes == ((8, 10, 20, 22),)


def test_only_its_own_rows_count(world: World) -> None:
    other = plan((0, 0, 9, 9), position=2)
    both = AlbumPlan(other.plan, {"2": {}, "3": {}}, {})
    assert both.hiding(MEMBER, INFO, world.context()).is_empty


def test_what_was_not_planned_is_an_error(world: World) -> None:
    with pytest.raises(InternalError, match="nothing was planned"):
        plan(position=2).hiding(MEMBER, INFO, world.context())


def test_regions_have_the_last_word(world: World) -> None:
    keep = VideoRegions("*.jpg", keep=(RegionConfig(box=(0.0, 0.0, 0.5, 1.0)),))
    hide = VideoRegions("a*", hide=(RegionConfig(box=(0, 0, 4, 4), units="px"),))
    context = with_config(world, regions=[keep, hide]).context()
    hiding = plan((20, 10, 44, 20)).hiding(MEMBER, INFO, context)
    assert np.argwhere(hiding.hidden).min(axis=0).tolist() == [0, 0]
    assert not hiding.hidden[10:20, 20:32].any() and hiding.hidden[10:20, 32:44].all()
    assert hiding.hidden.sum() == 16 + 12 * 10
