"""detect: one decode of a chunk feeds every detector; the chunk is then tracked alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from anonflow.config import DetectorConfig
from anonflow.detect.base import Detector, fit
from anonflow.detect.checked import require_boxes
from anonflow.detect.combined import open_detector
from anonflow.detect.models import ModelStore
from anonflow.errors import AnonflowError, DeviceLostError
from anonflow.evidence.digest import rows_digest
from anonflow.pipeline.context import FrameMeter, RunContext
from anonflow.pipeline.guard import end_worker, make_result
from anonflow.pipeline.latency import Histogram, Timed
from anonflow.pipeline.looks import SourceLooks
from anonflow.pipeline.outcomes import after_attempt, has_ended, quarantine
from anonflow.pipeline.rows import Row
from anonflow.pipeline.timing import Stopwatch
from anonflow.storage import StoragePath, write_bytes
from anonflow.tables import read_index, read_rows, write_rows
from anonflow.track.configured import grading, timeline, tracker_params
from anonflow.track.grade import grade
from anonflow.track.seam import ChunkTracks, Way, track_chunk
from anonflow.types import Boxes, Chunk, Detections, FrameFacts, FrameIndex, Picture
from anonflow.video.brightness import mean_luma
from anonflow.video.decode import decode_range
from anonflow.video.planes import bgr_upright, boxes_to_coded
from anonflow.video.shots import ShotDetector


@dataclass(frozen=True)
class Eye:
    """A detector with the part of its configuration that is about pictures."""

    detector: Detector
    config: DetectorConfig
    n_labels: int

    def look(self, pictures: Sequence[Picture]) -> list[Boxes]:
        """What the detector finds in `pictures`, known to be boxes in them.

        A device that fails is lost to its process for good, so this worker ends and another begins.
        """
        try:
            return require_boxes(self.detector.detect(pictures), pictures, self.n_labels)
        except DeviceLostError as error:
            end_worker(str(error))


def latencies(eyes: Sequence[Eye]) -> dict[str, Histogram]:
    """How long each model took since the last time this was asked."""
    return {eye.config.model.id: eye.detector.take() for eye in eyes if isinstance(eye.detector, Timed)}


class Detect:
    """Holds the models of one actor; each call makes the detections and tracks of one chunk."""

    def __init__(self, context: RunContext) -> None:
        """Take the run; models are loaded with the first chunk, where a failure has an input to be told of."""
        self._context = context

    def __call__(self, row: Row) -> Row:
        """Make the row's detections and tracks unless they exist; the row itself goes on as it is."""
        try:
            if row.outcome or has_ended(row, self._context):
                return row
            tracks = self._context.paths.tracks(row.video_id, row.chunk)
            error = make_result(self._context, tracks, row.uri, lambda: self._make(row, tracks))
            return after_attempt(row, "detect", tracks, error, self._context)
        except AnonflowError as error:
            return quarantine(row, "detect", error, self._context)

    @cached_property
    def eyes(self) -> list[Eye]:
        """The detectors, loaded when they are first asked for."""
        config = self._context.config
        store = ModelStore(self._context.model_cache, [Path(folder) for folder in config.runtime.model_dirs])
        return [
            Eye(
                Timed(open_detector(d, store.load, config.labels, config.runtime.provider)),
                d,
                len(config.labels),
            )
            for d in config.detector.values()
        ]

    def _make(self, row: Row, target: StoragePath) -> None:
        paths = self._context.paths
        index, chunks = read_index(paths.index(row.video_id))
        chunk, source = chunks[row.chunk], self._context.source(row.uri)
        detections_path = paths.detections(row.video_id, row.chunk)
        if not detections_path.exists():
            watch = Stopwatch()
            with FrameMeter(self._context.progress, "detect") as meter:
                found, facts = detect_chunk(source, index, chunk, self.eyes, meter)
            providers = sorted({eye.detector.provider for eye in self.eyes})
            write_rows(paths.facts(row.video_id, row.chunk), facts)
            owned = rows_digest(found.between(chunk.start_frame, chunk.stop_frame))
            note = {"providers": providers, "run": self._context.paths.run_id, "owned": owned, **watch.read()}
            note["latency"] = latencies(self.eyes)
            write_rows(detections_path, found, note)
        found = read_rows(Detections, detections_path)
        facts = read_rows(FrameFacts, paths.facts(row.video_id, row.chunk))
        write_bytes(target, self._track(source, index, chunk, found, facts).to_bytes())

    def _track(
        self, path: StoragePath, index: FrameIndex, chunk: Chunk, found: Detections, facts: FrameFacts
    ) -> ChunkTracks:
        config, stream = self._context.config, index.stream
        seen = grade(found, facts, grading(config), stream.width, stream.height)
        looks = SourceLooks(path, index, found.between) if config.tracker.appearance else None
        way = Way(timeline(index, facts), tracker_params(config.tracker), looks)
        return track_chunk(seen, chunk.lead_frame, chunk.start_frame, chunk.stop_frame, way)


def detect_chunk(
    path: StoragePath, index: FrameIndex, chunk: Chunk, eyes: list[Eye], meter: FrameMeter
) -> tuple[Detections, FrameFacts]:
    """Detections of a chunk and its overlap, in pixels of the coded picture, and the facts of all its frames.

    Nothing is looked for in frames that are hidden whole; they are black here, too, which is no cut.

    Whether the first frame of the overlap is a cut cannot be known, and does not matter to anybody.
    """
    batches = [_EyeBatch(eye, index) for eye in eyes]
    shots, luma, cuts = ShotDetector(), [], []
    damaged = set(index.damaged.tolist())
    numbers = range(chunk.lead_frame, chunk.stop_frame)
    for number, (_, frame) in zip(numbers, decode_range(path, index, chunk.lead_pts, chunk.stop_pts), strict=True):
        luma.append(mean_luma(frame))
        cuts.append(shots.add(frame))
        pictures: dict[tuple[int, int], Picture] = {}
        for batch in batches if number not in damaged else ():
            if batch.size not in pictures:
                pictures[batch.size] = bgr_upright(frame, *batch.size, index.stream.rotation_deg)
            batch.add(number, pictures[batch.size])
        if number >= chunk.start_frame:
            meter.tick()
    facts = FrameFacts(np.array(numbers), np.array(luma, np.float32), np.array(cuts, np.bool_))
    return _in_frame_order([part for batch in batches for part in batch.finish()]), facts


class _EyeBatch:
    """Collects one detector's pictures and maps what it finds back to the coded picture."""

    def __init__(self, eye: Eye, index: FrameIndex) -> None:
        self._eye, self._index = eye, index
        stream = index.stream
        upright = (stream.width, stream.height) if stream.rotation_deg % 180 == 0 else (stream.height, stream.width)
        self.size = fit(*upright, eye.config.long_side_px, eye.config.max_upscale)
        self._numbers: list[int] = []
        self._pictures: list[Picture] = []
        self._found: list[Detections] = []

    def add(self, number: int, picture: Picture) -> None:
        """Take frame `number`; run the detector when the batch is full."""
        self._numbers.append(number)
        self._pictures.append(picture)
        if len(self._pictures) == self._eye.config.batch_size:
            self._run()

    def finish(self) -> list[Detections]:
        """Everything found, the last incomplete batch included."""
        if self._pictures:
            self._run()
        return self._found

    def _run(self) -> None:
        for number, boxes in zip(self._numbers, self._eye.look(self._pictures), strict=True):
            self._found.append(self._in_coded_picture(number, boxes))
        self._numbers.clear()
        self._pictures.clear()

    def _in_coded_picture(self, number: int, boxes: Boxes) -> Detections:
        stream = self._index.stream
        xyxy = boxes_to_coded(boxes.xyxy, self.size, (stream.width, stream.height), stream.rotation_deg)
        return Detections(np.full(len(boxes), number, np.int64), xyxy, boxes.scores, boxes.classes)


def _in_frame_order(parts: list[Detections]) -> Detections:
    """One table sorted by frame; within a frame by label, then as the detector gave them."""
    found = Detections.concat(parts)
    return found[np.lexsort((found.labels, found.frames))]
