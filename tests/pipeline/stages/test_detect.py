from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from anonflow.errors import DetectorOutputError, DeviceLostError
from anonflow.pipeline.context import FrameMeter, SilentProgress
from anonflow.pipeline.outcomes import has_ended, quarantine
from anonflow.pipeline.stages import detect as detect_stage
from anonflow.pipeline.stages.detect import Detect, Eye, detect_chunk
from anonflow.pipeline.stages.plan import plan
from anonflow.tables import read_index, read_note, read_rows
from anonflow.types import Boxes, Detections, Status
from tests.media import Clip
from tests.pipeline.worlds import FixedDetector, World, published_files, tracked


def test_every_frame_of_a_chunk_and_its_overlap_is_seen_once(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    for row in tracked(world.row(), context):
        _, chunks = read_index(context.paths.index(row.video_id))
        chunk = chunks[row.chunk]
        found = read_rows(Detections, context.paths.detections(row.video_id, row.chunk))
        assert found.frames.tolist() == list(range(chunk.lead_frame, chunk.stop_frame))
        assert context.paths.tracks(row.video_id, row.chunk).exists()
        assert read_note(context.paths.detections(row.video_id, row.chunk))["providers"] == ["cpu"]


def test_boxes_are_in_pixels_of_the_coded_picture(world: World, detector: FixedDetector) -> None:
    """The detector sees the upright picture, twice as large at most."""
    world.clip(clip=Clip(rotation_deg=90))
    context = world.context()
    row = tracked(world.row(), context)[0]
    found = read_rows(Detections, context.paths.detections(row.video_id, 0))
    # Upright 64x96, enlarged by 2: x 10..40, y 8..40 is x 5..20, y 4..20 there; turned back into 96x64.
    np.testing.assert_allclose(found.xyxy[0], [96 - 20, 5, 96 - 4, 20], atol=0.01)


def test_detecting_again_does_nothing(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    rows = tracked(world.row(), context)
    calls = detector.calls
    assert [Detect(context)(row) for row in rows] == rows
    assert detector.calls == calls


def test_another_threshold_uses_the_detections_that_are_there(world: World, detector: FixedDetector) -> None:
    from dataclasses import replace

    world.clip()
    tracked(world.row(), world.context())
    calls = detector.calls
    face = replace(world.config.detector["face"], threshold=0.6)
    other = replace(world, config=replace(world.config, detector={"face": face}))
    tracked(other.row(), other.context("run2"))
    assert detector.calls == calls


def test_a_failing_detector_is_a_failure_of_the_chunk(world: World, detector: FixedDetector) -> None:
    detector.failure = DetectorOutputError("the network returned NaN")
    world.clip()
    context = world.context()
    rows = tracked(world.row(), context)
    assert not any(row.outcome for row in rows), "the fan-in ends the source"
    for row in rows:
        record = json.loads(context.paths.failure(context.paths.tracks(row.video_id, row.chunk)).read_text())
        assert record["reason"] == "detector_output"


@pytest.mark.parametrize("box", [(np.nan, 8.0, 30.0, 40.0), (5000.0, 8.0, 5030.0, 40.0), (30.0, 8.0, 10.0, 40.0)])
def test_what_is_no_box_is_a_failure_of_the_chunk_and_never_a_missing_mask(
    world: World, detector: FixedDetector, box: tuple[float, float, float, float]
) -> None:
    detector.boxes = (box,)
    world.clip()
    outcome = world.outcome()
    assert (outcome.status, outcome.reason) == (Status.QUARANTINED, "detector_output")
    assert not published_files(world.output)


def test_a_device_that_failed_ends_its_worker(
    world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    class WorkerEndedError(BaseException):
        """In the place of the end of this process."""

    def end(why: str) -> None:
        raise WorkerEndedError(why)

    monkeypatch.setattr(detect_stage, "end_worker", end)
    detector.failure = DeviceLostError("CUDA failure 700")
    world.clip()
    context = world.context()
    row = plan(world.row(), context)[0]
    with pytest.raises(WorkerEndedError, match="CUDA failure 700"):
        Detect(context)(row)
    assert context.paths.attempts(context.paths.tracks(row.video_id, row.chunk)).exists(), "it counts"


def test_nothing_is_detected_for_a_source_that_has_ended(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    row = plan(world.row(), context)[0]
    ended = quarantine(row, "detect", DetectorOutputError("x"), context)
    assert Detect(context)(ended) == ended
    assert has_ended(row, context) and Detect(context)(row) == row
    assert detector.calls == 0


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_batching_changes_nothing_but_the_calls(world: World, batch_size: int) -> None:
    from dataclasses import replace

    class Moving(FixedDetector):
        """Tells pictures apart."""

        def detect(self, pictures: Any) -> Any:
            self.calls += 1
            boxes = [np.array([[1, 1, 2 + p[..., 0].mean() / 8, 30]], np.float32) for p in pictures]
            return [Boxes(b, np.ones(1, np.float32), np.zeros(1, np.int16)) for b in boxes]

    path = world.clip()
    context, row = world.context(), world.row()
    plan(row, context)
    index, chunks = read_index(context.paths.index(row.video_id))
    config = world.config.detector["face"]

    def found(size: Any) -> Any:
        eyes = [Eye(Moving(), replace(config, batch_size=size), n_labels=1)] * 2
        return detect_chunk(path, index, chunks[1], eyes, FrameMeter(SilentProgress(), "detect"))[0]

    assert found(batch_size).equals(found(2))
    assert (np.diff(found(batch_size).frames) >= 0).all()
