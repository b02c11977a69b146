"""stitch: when a video's last chunk is tracked, its tracks become one, and the one becomes the mask plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from anonflow.errors import AnonflowError
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.fanin import closes_video, first_failure
from anonflow.pipeline.guard import make_result
from anonflow.pipeline.outcomes import quarantine, read_ending
from anonflow.pipeline.rows import Row
from anonflow.pipeline.timing import Stopwatch
from anonflow.pipeline.tracking import margins, thresholds, tracker_params
from anonflow.tables import read_index, read_rows, write_rows
from anonflow.track.seam import ChunkTracks
from anonflow.track.seam import stitch as stitch_chunks
from anonflow.track.stabilise import mask_plan, stabilise
from anonflow.types import Detections, Tracks


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
    return make_result(context, target, row.uri, lambda: _write_plan(row, context))


def _write_plan(row: Row, context: RunContext) -> None:
    watch = Stopwatch()
    paths, config = context.paths, context.config
    index, chunks = read_index(paths.index(row.video_id))
    owned = [
        read_rows(Detections, paths.detections(row.video_id, c.index)).between(c.start_frame, c.stop_frame)
        for c in chunks
    ]
    alone = [ChunkTracks.from_bytes(paths.tracks(row.video_id, c.index).read_bytes()) for c in chunks]
    tracks, seams = stitch_chunks(alone, owned.__getitem__, tracker_params(config, index))
    hidden = stabilise(
        tracks,
        Detections.concat(owned),
        config.stabilise,
        frame_interval_s=index.frame_interval_s,
        n_frames=index.n_frames,
        thresholds=thresholds(config).tolist(),
    )
    plan = mask_plan(hidden, margins(config), index.stream.width, index.stream.height)
    note = {
        "objects": _objects(tracks, config.labels),
        "masked_frames": len(np.unique(plan.frames)),
        "seams": {
            "n": seams.n_seams,
            "guessed_right": seams.n_right_guesses,
            "replayed_frames": sum(seams.replayed_frames),
        },
        **watch.read(),
    }
    write_rows(paths.mask_plan(row.video_id), plan, note)


def _objects(tracks: Tracks, labels: tuple[str, ...]) -> dict[str, int]:
    """Number of tracks by label; how many, not where."""
    return {label: len(np.unique(tracks.track_ids[tracks.labels == code])) for code, label in enumerate(labels)}
