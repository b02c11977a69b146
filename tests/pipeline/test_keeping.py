from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from anonflow.evidence.digest import rows_digest
from anonflow.kept import read_kept, read_video
from anonflow.pipeline.keeping import begin_keeping
from anonflow.tables import read_rows
from anonflow.track.timeline import Timeline
from anonflow.track.whole import plan_whole, track_whole
from anonflow.types import MaskPlan
from tests.media import Clip
from tests.pipeline.album.gallery import SizeDetector, add, run
from tests.pipeline.worlds import FixedDetector, World, masked, run_all, use_detector


@pytest.fixture
def keeping(tmp_path: Path) -> World:
    return World.make(tmp_path, "keep.detections=true", "keep.retention_days=7")


def timeline_of(kept):
    shown = kept.shown
    return Timeline.of(shown.pts, shown.time_base, shown.end_pts, kept.facts.cuts)


class Flicker(FixedDetector):
    """Sees less, more and weaker from picture to picture, by what is in it."""

    def detect(self, pictures):
        found = super().detect(pictures)
        for boxes, picture in zip(found, pictures, strict=True):
            level = float(picture.mean())
            boxes.scores[:] = 0.05 + level % 1 * 0.9
            boxes.xyxy[:] += np.float32(level % 3)
        return found


def test_masks_planned_from_what_was_kept_equal_those_of_the_run(
    keeping: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that thresholds can be tried without looking at the videos again."""
    use_detector(monkeypatch, Flicker())
    keeping.clip(clip=Clip(n_frames=70, rotation_deg=90))
    context, row = keeping.context(), keeping.row()
    rows = masked(row, context)
    plan = read_rows(MaskPlan, context.paths.mask_plan(row.video_id))
    run_all(keeping.rows(), context)
    assert rows and len(plan) > 20
    kept = read_video(context.paths.kept, row.video_id)
    size = (kept.shown.width, kept.shown.height)
    timeline = timeline_of(kept)
    tracks = track_whole(kept.detections, kept.facts, timeline, keeping.config, *size)
    assert plan_whole(tracks, timeline, keeping.config, *size).equals(plan)
    assert plan_whole(kept.tracks, timeline, keeping.config, *size).equals(plan)


def test_what_was_kept_is_what_the_chain_says(keeping: World, detector: FixedDetector) -> None:
    keeping.clip()
    outcome = keeping.outcome()
    kept = read_video(keeping.context().paths.kept, outcome.video_id)
    records = {record["kind"]: record for record in outcome.chain}
    first, *more = records["detections"]["chunks"]
    assert rows_digest(kept.detections[: first["n"]]) == first
    assert rows_digest(kept.tracks)["sha256"] == records["tracks"]["sha256"]
    path = keeping.context().paths.kept / "detections" / f"{outcome.video_id}.parquet"
    assert pq.ParquetFile(path).num_row_groups == 1 + len(more) > 2, (
        "a row group for each chunk, so that it streams"
    )


def test_pictures_are_kept_by_album(keeping: World, monkeypatch: pytest.MonkeyPatch) -> None:
    use_detector(monkeypatch, SizeDetector())
    for name in ("a.jpg", "b.jpg"):
        add(keeping, name)
    outcomes = run(keeping)
    kept = {one.video_id: one for one in read_kept(keeping.context().paths.kept)}
    assert set(kept) == {outcome.video_id for outcome in outcomes.values()}
    for outcome in outcomes.values():
        records = {record["kind"]: record for record in outcome.chain}
        assert len(kept[outcome.video_id].detections) == records["detections"]["n"] == 1
    assert {path.stat().st_mode & 0o777 for path in keeping.context().paths.kept.rglob("*.parquet")} == {0o600}


def test_by_default_nothing_is_kept(world: World, detector: FixedDetector) -> None:
    world.clip()
    begin_keeping(world.config, world.context().paths)
    world.outcome()
    assert not world.context().paths.kept.exists()


def test_a_note_says_when_it_is_to_be_deleted(keeping: World) -> None:
    paths = keeping.context().paths
    begin_keeping(keeping.config, paths)
    note = json.loads((paths.kept / "retention.json").read_text())
    days = date.fromisoformat(note["delete_after"]) - date.fromisoformat(note["kept_since"][:10])
    assert days.days == note["retention_days"] == 7 and "personal data" in note["personal_data"]
    assert note["tables"]["detections"]["floor"] == "float"
    modes = {path.stat().st_mode & 0o777 for path in (paths.kept, *paths.kept.iterdir()) if path.is_dir()}
    assert modes == {0o700}


def test_what_was_done_without_keeping_is_done_again(world: World, detector: FixedDetector) -> None:
    world.clip()
    world.outcome()
    keep = replace(world, config=replace(world.config, keep=replace(world.config.keep, detections=True)))
    assert keep.outcome("run2").status == "published" and list(read_kept(keep.context("run2").paths.kept))
    assert keep.outcome("run3").status == "unchanged"


def test_a_quarantined_video_leaves_nothing(keeping: World, monkeypatch: pytest.MonkeyPatch) -> None:
    use_detector(monkeypatch, FixedDetector(failure=ValueError("no")))
    keeping.clip()
    assert keeping.outcome().status == "quarantined"
    assert list(read_kept(keeping.context().paths.kept)) == []
