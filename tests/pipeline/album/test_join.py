from __future__ import annotations

import json
import os
from typing import Any

import pytest

from anonflow.pipeline.album.join import join_album
from anonflow.pipeline.album.mask import mask_album
from anonflow.pipeline.album.stages import Detect
from anonflow.pipeline.album.stitch import stitch_album
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Outcome, Row
from anonflow.types import Status
from tests.pictures import camera, encoded, scene
from tests.pipeline.album.gallery import add, album_of
from tests.pipeline.worlds import FixedDetector, World, outcome_of, published_files


@pytest.fixture
def masked(world: World, detector: FixedDetector) -> tuple[Row, RunContext]:
    for name in ("a.jpg", "b.jpg"):
        add(world, name, encoded(scene(), "JPEG", exif=camera(6)))
    context = world.context()
    row = album_of(world, context)
    Detect(context)(row)
    stitch_album(row, context)
    mask_album(row, context)
    return row, context


def joined(row: Row, context: RunContext) -> dict[str, Outcome]:
    return {made.relative_path: outcome_of(made) for made in join_album(row, context)}


def test_each_picture_has_its_own_outcome_marker_and_checks(masked: Any) -> None:
    row, context = masked
    outcomes = joined(row, context)
    assert {name: o.status for name, o in outcomes.items()} == dict.fromkeys(("a.jpg", "b.jpg"), Status.PUBLISHED)
    outcome = outcomes["a.jpg"]
    assert context.paths.done(outcome.video_id).exists() and outcome.kind == "picture"
    checks = outcome.details["checks"]
    assert checks["equal"] == 9 and list(checks["changed by policy"]) == ["metadata"]
    assert "SECRET" not in json.dumps(outcome.to_json()), "names of metadata, never values"


def test_a_result_that_is_not_the_source_with_masks_is_not_published(world: World, masked: Any) -> None:
    row, context = masked
    context.paths.masked_picture(row.video_id, 0).write_bytes(encoded(scene().rotate(2), "JPEG", exif=camera(6)))
    outcomes = joined(row, context)
    assert outcomes["a.jpg"].reason == "fidelity" and "outside the masks" in outcomes["a.jpg"].message
    assert published_files(world.output) == ["b.jpg"]


def test_an_unmasked_copy_with_its_metadata_is_never_published(world: World, masked: Any) -> None:
    row, context = masked
    source = world.root / "in" / "a.jpg"
    context.paths.masked_picture(row.video_id, 0).write_bytes(source.read_bytes())
    assert joined(row, context)["a.jpg"].reason == "fidelity"


def test_a_source_that_changed_meanwhile_is_not_published(world: World, masked: Any) -> None:
    row, context = masked
    os.utime(world.root / "in" / "b.jpg", ns=(1, 1))
    outcomes = joined(row, context)
    assert outcomes["b.jpg"].reason == "source_changed" and published_files(world.output) == ["a.jpg"]


def test_a_result_never_takes_the_place_of_its_source(world: World, masked: Any) -> None:
    row, context = masked
    world.output.mkdir(exist_ok=True)
    (world.output / "a.jpg").symlink_to(world.root / "in" / "a.jpg")
    before = (world.root / "in" / "a.jpg").read_bytes()
    assert joined(row, context)["a.jpg"].reason == "source"
    assert (world.root / "in" / "a.jpg").read_bytes() == before


def test_a_task_that_is_run_again_says_the_same(masked: Any) -> None:
    row, context = masked
    first = joined(row, context)
    assert joined(row, context) == first


def test_a_task_that_was_killed_after_marking_finds_the_mark(masked: Any) -> None:
    row, context = masked
    first = joined(row, context)
    context.paths.ended(first["a.jpg"].video_id).unlink()
    again = context.paths
    assert again.done(first["a.jpg"].video_id).exists()
    Detect(context)(row)
    stitch_album(row, context)
    mask_album(row, context)
    assert joined(row, context)["a.jpg"] == first["a.jpg"]


def test_nothing_partial_is_left(world: World, masked: Any) -> None:
    row, context = masked
    context.paths.masked_picture(row.video_id, 0).unlink()
    assert joined(row, context)["a.jpg"].status is Status.QUARANTINED
    assert list(context.paths.partial.glob("*")) == []


def test_no_result_leaves_the_output_through_a_link(world: World, detector: FixedDetector) -> None:
    add(world, "sub/a.jpg", encoded(scene(), "JPEG"))
    elsewhere = world.root / "elsewhere"
    elsewhere.mkdir()
    world.output.mkdir(exist_ok=True)
    (world.output / "sub").symlink_to(elsewhere)
    context = world.context()
    row = album_of(world, context)
    Detect(context)(row)
    stitch_album(row, context)
    mask_album(row, context)
    (outcome,) = joined(row, context).values()
    assert outcome.reason == "source" and "link" in outcome.message
    assert list(elsewhere.iterdir()) == []


def test_a_link_in_the_place_of_the_result_is_replaced(world: World, masked: Any) -> None:
    row, context = masked
    elsewhere = world.root / "elsewhere"
    elsewhere.write_bytes(b"")
    world.output.mkdir(exist_ok=True)
    (world.output / "a.jpg").symlink_to(elsewhere)
    assert joined(row, context)["a.jpg"].status is Status.PUBLISHED
    assert elsewhere.read_bytes() == b"" and not (world.output / "a.jpg").is_symlink()
