"""Kept detections give the masks of the run that kept them, and of runs with other thresholds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonflow.errors import ConfigError
from anonflow.jobs.kept import kept_sights
from anonflow.pipeline import planned
from anonflow.pipeline.album.stages import Detect, join, mask, plan, stitch
from anonflow.pipeline.keeping import begin_keeping
from anonflow.pipeline.planned import Planned
from tests.media import Clip
from tests.pictures import camera, encoded, scene
from tests.pipeline.album.gallery import add, rows_of
from tests.pipeline.test_planned import Wandering, in_this_process, made
from tests.pipeline.worlds import FixedDetector, World, use_detector


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A world, its files, and the folder of what a run kept of them."""
    monkeypatch.setattr(planned, "_computed", in_this_process)
    use_detector(monkeypatch, Wandering())
    world = World.make(tmp_path, "keep.detections=true")
    files = [
        world.clip("turned.mp4", Clip(rotation_deg=90)),
        add(world, "turned.jpg", encoded(scene(), "JPEG", exif=camera(6))),
    ]
    context = world.context()
    begin_keeping(world.config, context.paths)
    rows = [one for row in rows_of(world, context) for one in plan(row, context)]
    detect = Detect(context)
    rows = [one for row in rows for one in detect(row)]
    rows = [one for row in rows for one in stitch(row, context)]
    masked = [mask(row, context) for row in rows]
    for row in [one for given in masked for one in (given if isinstance(given, list) else [given])]:
        join(row, context)
    return world, files, context.paths.kept


@pytest.mark.parametrize("threshold", [0.2, 0.5])
def test_plans_and_tracks_are_those_from_pixels(kept: Any, threshold: float) -> None:
    world, files, folder = kept
    config = replace(world.config, detector={"face": replace(world.config.detector["face"], threshold=threshold)})
    from_pixels = made(World(world.root, config), *files)
    for path, sight in kept_sights(files, folder, config):
        made_of_it = from_pixels[path.name]
        assert isinstance(made_of_it, Planned)
        one = made_of_it.sight
        assert sight.plan.equals(one.plan) and sight.tracks.equals(one.tracks)
        assert sight.detections.equals(one.detections) and sight.item_id == made_of_it.source.video_id
        assert (sight.width, sight.height, sight.shown, sight.end_s) == (
            one.width,
            one.height,
            one.shown,
            one.end_s,
        )
        np.testing.assert_array_equal(sight.times_s, one.times_s)
        box = np.array([[3, 5, 20, 30]], np.float32)
        np.testing.assert_array_equal(sight.to_stored(box), one.to_stored(box))


def test_what_does_not_fit_is_refused(kept: Any, tmp_path: Path) -> None:
    world, files, folder = kept
    face = world.config.detector["face"]

    def refused(said: str, config: Any = world.config, given: Any = files, where: Path = folder) -> None:
        with pytest.raises(ConfigError, match=said):
            list(kept_sights(given, where, config))

    refused("no kept detections are there", where=tmp_path / "nowhere")
    refused("nothing was kept of this version", given=[add(world, "new.jpg")])
    other = replace(face, model=replace(face.model, id="other"))
    refused("made by retinaface-mnet025, but this run has other", replace(world.config, detector={"face": other}))
    lower = replace(face, keep_threshold=0.01, floor=0.01)
    refused(r"score of 0\.05 only", replace(world.config, detector={"face": lower}))
    plate = replace(face, model=replace(face.model, classes={0: "plate"}))
    refused("did not look for 'plate'", replace(world.config, detector={"face": face, "plate": plate}))


def test_nothing_is_detected_again(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world, files, folder = kept
    seer = use_detector(monkeypatch, FixedDetector())
    assert len(list(kept_sights(files, folder, world.config))) == 2 and seer.calls == 0
