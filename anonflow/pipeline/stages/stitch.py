"""stitch: when a video's last chunk is tracked, its tracks become one, and the one becomes the mask plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from anonflow.errors import AnonflowError
from anonflow.pipeline.byhand import hidden_frames, region_plan
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.copies import Copies
from anonflow.pipeline.destination import Destination
from anonflow.pipeline.fanin import closes_video, first_failure
from anonflow.pipeline.guard import make_result
from anonflow.pipeline.looks import SourceLooks
from anonflow.pipeline.outcomes import quarantine, read_ending
from anonflow.pipeline.rows import Row
from anonflow.pipeline.timing import Stopwatch
from anonflow.tables import read_index, read_rows, write_rows
from anonflow.track.configured import grading, margins, operators, timeline, tracker_params
from anonflow.track.grade import grade
from anonflow.track.operators import TrackFacts, View
from anonflow.track.reverse import prolong_backwards, unclaimed_by
from anonflow.track.seam import ChunkTracks, StitchStats, Way
from anonflow.track.seam import stitch as stitch_chunks
from anonflow.track.stabilise import mask_plan, stabilise
from anonflow.types import Chunk, Detections, FrameFacts, MaskPlan, Observations, Tracks
from anonflow.video.copying import find_groups
from anonflow.video.quality import choose_crf


def stitch(row: Row, context: RunContext) -> list[Row]:
    """Nothing for all rows of a video but one; for that one, a row for each chunk to mask, or the video's end."""
    if row.outcome:
        return [row]
    paths = context.paths
    try:
        if not closes_video(paths, "stitch", paths.tracks, row):
            return []
    except AnonflowError as error:
        return [quarantine(row, "stitch", error, context)]
    ending = read_ending(row, context)
    if ending is not None and ending.stage == "stitch":
        return [row.ended(ending.outcome)]
    failure = None if ending else _stitch_video(row, context)
    if failure is not None:
        return [quarantine(row, "stitch", failure, context)]
    return [replace(row, chunk=chunk) for chunk in range(row.n_chunks)]


def _stitch_video(row: Row, context: RunContext) -> AnonflowError | None:
    """Write the video's mask plan; give the error if a chunk failed or the plan cannot be made."""
    if error := first_failure(context.paths, context.paths.tracks, row):
        return error
    target = context.paths.mask_plan(row.video_id)
    return make_result(context, target, row.uri, lambda: _write_plan(row, context), row.n_chunks)


def _write_plan(row: Row, context: RunContext) -> None:
    watch = Stopwatch()
    config, video = context.config, ChunkedVideo(row, context)
    tracks, seams = video.tracks()
    plan = MaskPlan.concat(video.mask_plans(tracks))
    copies = video.copies(plan)
    note = {
        "objects": _objects(tracks, config.labels),
        "shots": int(video.timeline.cuts.sum()) + 1,
        "seams": {
            "n": seams.n_seams,
            "guessed_right": seams.n_right_guesses,
            "replayed_frames": sum(seams.replayed_frames),
        },
        "crf": video.crf(copies),
        "copies": copies.to_json(),
        **watch.read(),
    }
    write_rows(context.paths.mask_plan(row.video_id), plan, note)


class ChunkedVideo:
    """What the detect stage left of a video: read chunk by chunk, so that only tracks are held whole."""

    def __init__(self, row: Row, context: RunContext) -> None:
        """Read the video's frames and facts."""
        self._row, self._config, self._paths = row, context.config, context.paths
        self._index, self._chunks = read_index(context.paths.index(row.video_id))
        facts = FrameFacts.concat(
            self._facts(chunk).between(chunk.start_frame, chunk.stop_frame) for chunk in self._chunks
        )
        self.timeline = timeline(self._index, facts)

    def tracks(self) -> tuple[Tracks, StitchStats]:
        """The tracks of the whole video, weak beginnings included."""
        config, chunks = self._config, self._chunks
        files = [self._paths.tracks(self._row.video_id, chunk.index) for chunk in chunks]
        alone = [ChunkTracks.from_bytes(file.read_bytes()) for file in files]
        looks = None
        if config.tracker.appearance:
            looks = SourceLooks(Path(self._row.uri), self._index, self._detections_between)
        way = Way(self.timeline, tracker_params(config.tracker), looks)
        tracks, seams = stitch_chunks(alone, lambda position: self._seen(chunks[position]), way)
        reverse = config.stabilise.reverse
        if reverse.enabled:
            parts = [tracks.between(chunk.start_frame, chunk.stop_frame) for chunk in chunks]
            unclaimed = Observations.concat(
                unclaimed_by(part, self._seen(chunk)) for part, chunk in zip(parts, chunks, strict=True)
            )
            tracks = prolong_backwards(tracks, unclaimed, self.timeline, reverse.buffer_s, reverse.match_iou)
        return tracks, seams

    def mask_plans(self, tracks: Tracks) -> Iterator[MaskPlan]:
        """What to hide, for one chunk after the other."""
        stream, steps = self._index.stream, operators(self._config)
        view = View(self.timeline, stream.width, stream.height, TrackFacts.of(tracks, self.timeline))
        for chunk in self._chunks:
            hidden = stabilise(tracks, steps, view, chunk.start_frame, chunk.stop_frame)
            yield mask_plan(hidden, margins(self._config), stream.width, stream.height)

    def crf(self, copies: Copies) -> float | None:
        """The quality that all chunks are encoded with; None, too, if nothing is."""
        if copies.n_frames == self._index.n_frames:
            return None
        return choose_crf(Path(self._row.uri), self._index, self._config.video)

    def copies(self, plan: MaskPlan) -> Copies:
        """Which frames need no encoder."""
        index, video, source = self._index, self._config.video, Path(self._row.uri)
        if not video.copy_clean:
            return Copies.none(index, "video.copy_clean=false")
        to = Destination.of(self._config, self._row, index)
        groups = find_groups(source, index, to.encoding.family, to.container)
        regions = region_plan(self._config, self._row.relative_path, index)
        return Copies.of(groups, hidden_frames(plan, regions, index), index)

    def _facts(self, chunk: Chunk) -> FrameFacts:
        return read_rows(FrameFacts, self._paths.facts(self._row.video_id, chunk.index))

    def _detections(self, chunk: Chunk) -> Detections:
        """The detections that the chunk owns."""
        found = read_rows(Detections, self._paths.detections(self._row.video_id, chunk.index))
        return found.between(chunk.start_frame, chunk.stop_frame)

    def _detections_between(self, start_frame: int, stop_frame: int) -> Detections:
        touched = [c for c in self._chunks if c.start_frame < stop_frame and start_frame < c.stop_frame]
        return Detections.concat(self._detections(chunk) for chunk in touched).between(start_frame, stop_frame)

    def _seen(self, chunk: Chunk) -> Observations:
        """What the tracker sees in the frames that the chunk owns."""
        stream = self._index.stream
        return grade(
            self._detections(chunk), self._facts(chunk), grading(self._config), stream.width, stream.height
        )


def _objects(tracks: Tracks, labels: tuple[str, ...]) -> dict[str, int]:
    """Number of tracks by label; how many, not where."""
    return {label: len(np.unique(tracks.track_ids[tracks.labels == code])) for code, label in enumerate(labels)}
