from __future__ import annotations

import pytest

from anonflow.pipeline.album import mask as mask_module
from anonflow.pipeline.album.mask import mask_album
from anonflow.pipeline.album.stages import Detect
from anonflow.pipeline.album.stitch import stitch_album
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Row
from tests.pictures import shown
from tests.pipeline.album.gallery import add, album_of
from tests.pipeline.worlds import FixedDetector, World


def planned(world: World) -> tuple[Row, RunContext]:
    add(world, "a.jpg")
    add(world, "b.jpg")
    context = world.context()
    row = album_of(world, context)
    Detect(context)(row)
    stitch_album(row, context)
    return row, context


def test_masked_files_lie_in_the_work_folder_and_nowhere_else(world: World, detector: FixedDetector) -> None:
    row, context = planned(world)
    assert mask_album(row, context) == [row]
    for position in range(2):
        masked = context.paths.masked_picture(row.video_id, position).read_bytes()
        assert shown(masked)[8:16, 8:16].max() < 30
    assert not (world.output / "a.jpg").exists()


def test_what_is_there_is_not_made_again(
    world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, context = planned(world)
    mask_album(row, context)
    context.paths.masked_picture(row.video_id, 1).unlink()
    opened: list[int] = []

    def counted(*given: object) -> object:
        opened.append(1)
        return open_picture(*given)

    open_picture = mask_module.open_picture
    monkeypatch.setattr(mask_module, "open_picture", counted)
    mask_album(row, context)
    assert len(opened) == 1 and context.paths.masked_picture(row.video_id, 1).exists()
