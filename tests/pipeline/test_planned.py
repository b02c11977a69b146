"""The real stages up to the masks; on real clips and pictures, with a detector that sees what the test wants."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from anonflow.evaluate.replay import replayed
from anonflow.evaluate.sight import Sight
from anonflow.evaluate.truth import Scene, Truth
from anonflow.pipeline import planned as module
from anonflow.pipeline.album.members import first_row, units
from anonflow.pipeline.album.stages import Detect, plan, stitch
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.planned import Planned, plan_masks
from anonflow.pipeline.rows import Outcome, Row
from anonflow.types import Boxes, Picture, Source
from tests.media import Clip
from tests.pictures import camera, encoded, scene
from tests.pipeline.album.gallery import add
from tests.pipeline.worlds import FixedDetector, World, use_detector


class Wandering(FixedDetector):
    """Boxes and scores that follow from the picture: some strong, some weak, some missing."""

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        self.calls += len(pictures)
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: Picture) -> Boxes:
        rng = np.random.default_rng(int(picture.astype(np.int64).sum()) % 2**32)
        corner = rng.uniform(0, 30, (3, 2))
        scores = np.sort(rng.uniform(0.06, 0.6, 3))[::-1]
        xyxy = np.concatenate((corner, corner + rng.uniform(15, 25, (3, 2))), axis=1)
        return Boxes(xyxy.astype(np.float32), scores.astype(np.float32), np.zeros(3, np.int16))


@pytest.fixture(autouse=True)
def _without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_computed", in_this_process)


def in_this_process(context: RunContext, sources: tuple[Source, ...], _: Console) -> Iterator[Row]:
    first = [first_row(unit, context) for unit in units(sources, context)]
    rows = [made for row in first for made in plan(row, context)]
    detect = Detect(context)
    rows = [made for row in rows for made in detect(row)]
    seen: set[str] = set()
    for row in [made for one in rows for made in stitch(one, context)]:
        if row.video_id not in seen:
            seen.add(row.video_id)
            yield row


def made(world: World, *files: Path) -> dict[str, Planned | Outcome]:
    """By file name."""
    found: dict[str, Planned | Outcome] = {}
    for one in plan_masks(world.config, files, Console(file=io.StringIO())):
        uri = one.uri if isinstance(one, Outcome) else one.source.uri
        found[Path(uri).name] = one
    return found


def as_scene(of: Sight) -> Scene:
    none = np.zeros(0, np.int64)
    truth = Truth(
        frames=none,
        object_ids=none,
        xyxy=np.zeros((0, 4), np.float32),
        labels=none.astype(np.int16),
        visible=none.astype(np.float32),
        times_s=of.times_s,
        end_s=of.end_s or 1.0,
        width=of.width,
        height=of.height,
    )
    shots = np.cumsum(of.facts.cuts).astype(np.int32)
    return Scene(of.item_id, truth, of.detections, shots, of.facts.luma, ("face",), of.clock)


def test_plans_are_those_of_a_run_and_can_be_replayed_from_detections(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Box by box: a sweep over kept detections is exact."""
    use_detector(monkeypatch, Wandering())
    files = [world.clip(), world.clip("turned.mp4", Clip(rotation_deg=90)), add(world, "still.jpg")]
    got = made(world, *files)
    assert set(got) == {"clip.mp4", "turned.mp4", "still.jpg"}
    for one in got.values():
        assert isinstance(one, Planned) and len(one.sight.plan) and len(one.sight.detections)
        again = replayed(as_scene(one.sight), world.config, is_video=one.sight.is_video)
        assert again.equals(one.sight.plan)
    video = got["clip.mp4"]
    assert isinstance(video, Planned)
    fewer = replace(world.config.detector["face"], threshold=0.55)
    other = replayed(as_scene(video.sight), replace(world.config, detector={"face": fewer}), is_video=True)
    assert not other.equals(video.sight.plan)


def test_boxes_of_the_shown_picture_are_found_in_the_stored_one(world: World, detector: FixedDetector) -> None:
    files = [
        world.clip("turned.mp4", Clip(rotation_deg=90)),
        add(world, "turned.jpg", encoded(scene(), "JPEG", exif=camera(6))),
    ]
    for one in made(world, *files).values():
        assert isinstance(one, Planned) and one.sight.shown == (one.sight.height, one.sight.width)
        # What the detector saw, in px of a picture enlarged to twice its size, lies where the detections are.
        seen = np.array(detector.boxes, np.float32) / 2
        np.testing.assert_allclose(one.sight.to_stored(seen), one.sight.detections.xyxy[:1], atol=0.01)


def test_what_cannot_be_read_is_an_outcome_and_nothing_is_left_behind(
    world: World, detector: FixedDetector
) -> None:
    broken = world.root / "in" / "broken.mp4"
    broken.write_text("no video")
    damaged = add(world, "broken.jpg", b"no picture")
    got = made(world, world.clip(), broken, damaged)
    ends = {name: one.reason for name, one in got.items() if isinstance(one, Outcome)}
    assert ends == {"broken.mp4": "not_a_video", "broken.jpg": "not_a_picture"}
    assert [path for path in world.output.rglob("*") if path.is_file()] == []


def test_kept_work_makes_detections_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other thresholds, the same detections: no model is asked again."""
    seer = use_detector(monkeypatch, Wandering())
    runtime = replace(world.config.runtime, work_dir=str(world.root / "kept"))
    kept = World(world.root, replace(world.config, runtime=runtime))
    files = [world.clip(), add(world, "still.jpg")]
    first = made(kept, *files)
    calls = seer.calls
    fewer = replace(kept.config.detector["face"], threshold=0.5)
    second = made(World(world.root, replace(kept.config, detector={"face": fewer})), *files)
    assert seer.calls == calls > 0
    for name, one in second.items():
        before: Any = first[name]
        assert isinstance(one, Planned) and one.sight.detections.equals(before.sight.detections)
        assert len(one.sight.plan) < len(before.sight.plan) or name == "still.jpg"


def test_times_are_told_once(world: World, detector: FixedDetector) -> None:
    got = made(world, world.clip(), add(world, "a.jpg"), add(world, "b.jpg"))
    video = got["clip.mp4"]
    assert isinstance(video, Planned) and set(video.seconds) == {"plan", "detect", "stitch"}
    assert len(video.seconds["detect"]) == 4 and sum(video.latency["retinaface-mnet025"].values()) >= 40
    pictures: list[Any] = [got["a.jpg"], got["b.jpg"]]
    assert sorted(len(p.seconds) for p in pictures) == [0, 2]
    assert sum(sum(h.values()) for p in pictures for h in p.latency.values()) == 2
