from __future__ import annotations

from anonflow.pipeline.album.plan import plan_album
from anonflow.pipeline.context import SilentProgress
from tests.pictures import encoded, scene
from tests.pipeline.album.gallery import add, album_of, going_on
from tests.pipeline.worlds import World, outcome_of


def test_what_can_be_told_without_decoding_is_told_now(world: World) -> None:
    add(world, "good.jpg")
    add(world, "png.jpg", encoded(scene(), "PNG"))
    add(world, "empty.jpg", b"")
    add(world, "text.jpg", b"text")
    (world.root / "in" / "link.jpg").symlink_to("nowhere")
    context = world.context()
    rows = plan_album(album_of(world, context), context)
    ended = {row.relative_path: outcome_of(row).reason for row in rows if row.outcome}
    assert ended == {"empty.jpg": "empty", "text.jpg": "not_a_picture", "link.jpg": "missing"}
    assert going_on(rows).pictures == 5


def test_a_picture_that_changed_since_it_was_listed_is_refused(world: World) -> None:
    add(world, "a.jpg")
    context = world.context()
    album = album_of(world, context)
    add(world, "a.jpg", encoded(scene(50, 50), "JPEG"))
    assert [outcome_of(row).reason for row in plan_album(album, context) if row.outcome] == ["source_changed"]


def test_planned_pictures_are_counted(world: World) -> None:
    from dataclasses import replace

    told: list[tuple[int, int]] = []

    class Counting(SilentProgress):
        def planned(self, frames: int, sources: int = 1, chunks: int = 1) -> None:
            told.append((frames, sources))

    add(world, "a.jpg")
    add(world, "b.jpg")
    add(world, "c.jpg", b"")
    context = replace(world.context(), progress=Counting())
    plan_album(album_of(world, context), context)
    assert told == [(2, 2)]
