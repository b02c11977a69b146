from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from anonflow.pipeline import settled as module
from anonflow.pipeline.album.members import units
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.outcomes import write_done
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.settled import settle
from anonflow.storage import version_of
from anonflow.types import Source, Status
from tests.pipeline.worlds import World


def sources(world: World, *names: str) -> list[Source]:
    return [Source(str(world.root / "in" / name), name, f"id-{name}", 10, 1) for name in names]


def publish(source: Source, context: RunContext) -> Path:
    """As an earlier run did."""
    output = context.paths.output / source.relative_path
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(b"masked")
    outcome = Outcome(
        source.uri, source.video_id, Status.PUBLISHED, 10, "fp", output_uri=str(output), output_bytes=6, frames=3
    )
    earlier = replace(context, paths=replace(context.paths, run_id="earlier"))
    write_done(Row.of(source), outcome, version_of(output), earlier)
    return output


def settle_all(given: Sequence[Source], context: RunContext) -> dict[str, list[Status]]:
    """Statuses by the names of the unit's sources, in order."""
    made = settle(list(units(given, context)), context)
    return {"+".join(source.relative_path for source in unit): [o.status for o in found] for unit, found in made}


def test_what_is_done_is_taken_out_and_the_rest_keeps_its_order(world: World) -> None:
    context, given = world.context(), sources(world, "a.mp4", "b.mp4", "c.mp4", "d.mp4")
    for source in given[1:3]:
        publish(source, context)
    assert list(settle_all(given, context).items()) == [
        ("a.mp4", []),
        ("b.mp4", [Status.UNCHANGED]),
        ("c.mp4", [Status.UNCHANGED]),
        ("d.mp4", []),
    ]


def test_an_output_that_is_not_as_it_was_written_is_made_again(world: World) -> None:
    context, given = world.context(), sources(world, "gone.mp4", "touched.mp4", "same.mp4")
    gone, touched, _ = (publish(source, context) for source in given)
    gone.unlink()
    touched.write_bytes(b"edited")
    assert settle_all(given, context) == {"gone.mp4": [], "touched.mp4": [], "same.mp4": [Status.UNCHANGED]}


def test_a_marker_that_cannot_be_read_settles_nothing(world: World) -> None:
    context, given = world.context(), sources(world, "a.mp4")
    publish(given[0], context)
    context.paths.done("id-a.mp4").write_text("{")
    assert settle_all(given, context) == {"a.mp4": []}


def test_an_album_is_settled_whole_or_not_at_all(world: World) -> None:
    """It keeps its members, by which its work is found again; those that are done its plan stage takes out."""
    world = replace(world, config=replace(world.config, picture=replace(world.config.picture, album_size=2)))
    context, given = world.context(), sources(world, "a.jpg", "b.jpg", "c.jpg", "d.jpg")
    for source in given[:3]:
        publish(source, context)
    assert settle_all(given, context) == {"a.jpg+b.jpg": [Status.UNCHANGED] * 2, "c.jpg+d.jpg": []}


def test_one_listing_and_no_look_at_what_is_new(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    context = world.context()
    old, new = sources(world, *(f"{n}.mp4" for n in range(50))), sources(world, *(f"new{n}.mp4" for n in range(50)))
    for source in old:
        publish(source, context)
    looked, listed = [], []
    real, real_listing = module.published_before, Path.iterdir

    def look(row: Row, context: RunContext) -> Outcome | None:
        looked.append(row.video_id)
        return real(row, context)

    def listing(path: Path) -> object:
        listed.append(path)
        return real_listing(path)

    monkeypatch.setattr(module, "published_before", look)
    monkeypatch.setattr(Path, "iterdir", listing)
    found = settle_all([*old, *new], context)
    assert sum(bool(statuses) for statuses in found.values()) == 50
    assert sorted(looked) == sorted(source.video_id for source in old) and len(listed) == 1


def test_outcomes_come_before_all_markers_are_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    context, given = world.context(), sources(world, *(f"{n}.mp4" for n in range(30)))
    for source in given:
        publish(source, context)
    read: list[str] = []
    real = module.published_before
    monkeypatch.setattr(module, "_AT_ONCE", 4)
    monkeypatch.setattr(module, "published_before", lambda row, c: read.append(row.uri) or real(row, c))
    first = next(settle(list(units(given, context)), context))
    assert first[0] == (given[0],) and len(read) <= 4
