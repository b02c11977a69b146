from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anonflow.pipeline.album.detect import read_found
from anonflow.pipeline.album.stages import Detect
from anonflow.pipeline.album.stitch import stitch_album
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Row
from anonflow.tables import read_note, read_rows, write_rows
from anonflow.types import Detections, MaskPlan
from tests.pictures import encoded, scene
from tests.pipeline.album.gallery import add, album_of, with_config
from tests.pipeline.worlds import FixedDetector, World, outcome_of


def detected(world: World) -> tuple[Row, RunContext]:
    add(world, "a.png", encoded(scene(100, 60), "PNG"))
    add(world, "b.png", encoded(scene(100, 60), "PNG"))
    context = world.context()
    row = album_of(world, context)
    Detect(context)(row)
    return row, context


def with_scores(row: Row, context: RunContext, *scores: float) -> None:
    """Replace what was found in the first picture."""
    path = context.paths.detections(row.video_id, 0)
    n = len(scores)
    boxes = np.tile(np.array([[40, 20, 50, 30]], np.float32), (n, 1)) + np.arange(n, dtype=np.float32)[:, None]
    found = Detections(np.zeros(n, np.int64), boxes, np.array(scores, np.float32), np.zeros(n, np.int16))
    write_rows(path, found, read_note(path))


def planned(row: Row, context: RunContext) -> MaskPlan:
    assert stitch_album(row, context) == [row]
    return read_rows(MaskPlan, context.paths.mask_plan(row.video_id))


def test_what_would_start_a_track_is_hidden_with_its_margin(world: World, detector: FixedDetector) -> None:
    face = replace(world.config.detector["face"], threshold=0.5, keep_threshold=0.2)
    adaptive = replace(world.config.adaptive, enabled=False)
    world = with_config(world, detector={"face": face}, adaptive=adaptive)
    row, context = detected(world)
    with_scores(row, context, 0.9, 0.4, 0.5)
    plan = planned(row, context)
    margin = 10 * world.config.mask["face"].margin
    assert plan.frames.tolist() == [0, 0]
    np.testing.assert_allclose(plan.xyxy[0], [40 - margin, 20 - margin, 50 + margin, 30 + margin], atol=0.01)
    objects = read_note(context.paths.mask_plan(row.video_id))["objects"]
    assert objects == {"0": {"face": 2}, "1": {"face": 0}}, "pictures without anything are planned, too"


def test_sizes_labels_and_darkness_count_as_in_videos(world: World, detector: FixedDetector) -> None:
    small = replace(world.config.label["face"], min_side_px=11)
    hidden_world = with_config(world, label={**world.config.label, "face": small})
    row, context = detected(hidden_world)
    with_scores(row, context, 0.9)
    assert len(planned(row, context)) == 0
    shown = replace(world.config.label["face"], hide=False)
    row, context = detected(with_config(world, label={**world.config.label, "face": shown}))
    assert len(planned(row, context)) == 0


def test_a_box_at_the_edge_reaches_it(world: World, detector: FixedDetector) -> None:
    detector.boxes = ((2.0, 20.0, 42.0, 80.0),)
    row, context = detected(world)
    assert read_found(row, context).detections.xyxy[0, 0] == pytest.approx(1.0)
    assert planned(row, context).xyxy[0, 0] == 0


def test_a_picture_that_no_detector_has_seen_is_never_published(world: World, detector: FixedDetector) -> None:
    row, context = detected(world)
    path = context.paths.facts(row.video_id, 0)
    from anonflow.types import FrameFacts

    facts = read_rows(FrameFacts, path)
    write_rows(path, facts[facts.frames == 0])
    ended, going = stitch_album(row, context)
    assert (ended.relative_path, outcome_of(ended).reason) == ("b.png", "internal") and going == row
