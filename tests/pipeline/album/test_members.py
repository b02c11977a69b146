from __future__ import annotations

from dataclasses import replace

from anonflow.pipeline.album.members import Member, album_row, first_row, members_of, units
from anonflow.pipeline.rows import from_table, to_table
from anonflow.types import Source
from tests.pipeline.album.gallery import with_config
from tests.pipeline.worlds import World


def sources(*names: str) -> list[Source]:
    return [Source(f"/in/{name}", name, f"id-{name}", 10, 1) for name in names]


def test_pictures_are_grouped_in_their_order_and_videos_go_alone(world: World) -> None:
    world = with_config(world, picture=replace(world.config.picture, album_size=2))
    context = world.context()
    given = sources("a.jpg", "b.mp4", "c.PNG", "d.webp", "e", "f.tiff", "g.bmp")
    rows = [first_row(unit, context) for unit in units(given, context)]
    videos = [row.uri for row in rows if not row.is_album]
    albums = [[m.source.relative_path for m in members_of(row, context)] for row in rows if row.is_album]
    assert videos == ["/in/b.mp4", "/in/e"]
    assert albums == [["a.jpg", "c.PNG"], ["d.webp", "f.tiff"], ["g.bmp"]]


def test_members_keep_their_place_and_version(world: World) -> None:
    context, given = world.context(), sources("a.jpg", "b\nc.jpg", "ü.jpg")
    row = album_row(given, context)
    assert members_of(row, context) == tuple(Member(n, source) for n, source in enumerate(given))
    assert (row.pictures, row.size_bytes, row.n_chunks) == (3, 30, 1) and "2 more pictures" in row.uri
    assert members_of(row, context)[1].row.source == given[1]


def test_the_same_pictures_are_the_same_album_and_others_another(world: World) -> None:
    context = world.context()
    ids = [album_row(sources(*names), context).video_id for names in (("a", "b"), ("a", "b"), ("a",), ("b", "a"))]
    assert ids[0] == ids[1] and len(set(ids)) == 3


def test_rows_stay_small_whatever_is_in_the_album(world: World) -> None:
    row = album_row(sources(*(f"{n}{'x' * 200}.jpg" for n in range(500))), world.context())
    table = to_table([row])
    assert from_table(table) == [row] and table.nbytes < 1000
