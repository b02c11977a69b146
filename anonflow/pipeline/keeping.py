"""Keeping detections, tracks and frame facts of what a run publishes, if asked to, with a note on deletion."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from anonflow import kept
from anonflow.config import AnonymizeConfig
from anonflow.kept import Labels, Shown
from anonflow.pipeline.album.detect import Found
from anonflow.pipeline.album.members import Member
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.paths import Paths
from anonflow.pipeline.rows import Row
from anonflow.storage import make_private_folder, write_json
from anonflow.tables import read_index, read_rows, write_rows
from anonflow.track.configured import by_label
from anonflow.types import Detections, FrameFacts, FrameIndex, Tracks

_WHY = (
    "Where and when faces and licence plates are seen says where and when people were, and with the source videos "
    "at hand it leads straight to them: these tables are personal data. They are for those who measure and tune "
    "detection, for as long as that takes. Delete this folder by the date given."
)


def begin_keeping(config: AnonymizeConfig, paths: Paths) -> None:
    """Before anything is kept: a private folder, and the note that says what it is and when it must go."""
    if not config.keep.detections:
        return
    for name in ("", *kept.TABLES):
        make_private_folder(paths.kept / name)
    now = datetime.now(UTC)
    note = {
        "holds": "boxes, scores and tracks of faces and licence plates per frame; brightness and cuts; no pictures",
        "personal_data": _WHY,
        "run_id": paths.run_id,
        "kept_since": now.isoformat(timespec="seconds"),
        "retention_days": config.keep.retention_days,
        "delete_after": (now + timedelta(days=config.keep.retention_days)).date().isoformat(),
        "tables": {
            name: {column.name: str(column.type) for column in schema} for name, schema in kept.TABLES.items()
        },
        "units": "x1, y1, x2, y2: px of the coded picture, before rotation; time_s: seconds since the first frame",
    }
    write_json(paths.kept / kept.NOTE_NAME, note)


def note_tracks(row: Row, context: RunContext, tracks: Tracks) -> None:
    """Set the tracks of a video aside, which are known in one stage and kept in another."""
    if context.config.keep.detections:
        write_rows(context.paths.kept_tracks(row.video_id), tracks)


def keep_video(row: Row, context: RunContext) -> None:
    """Keep what was found in a video, chunk by chunk; done twice, it is the same."""
    if not context.config.keep.detections:
        return
    paths, video_id, labels = context.paths, row.video_id, _labels(context.config)
    index, chunks = read_index(paths.index(video_id))
    shown = _shown(index)
    note = {"labels": labels.names, **shown.to_json()}
    with (
        kept.written(paths.kept, "detections", video_id, note) as detections,
        kept.written(paths.kept, "tracks", video_id, note) as tracks_out,
        kept.written(paths.kept, "frames", video_id, note) as frames,
    ):
        tracks = read_rows(Tracks, paths.kept_tracks(video_id))
        for chunk in chunks:
            owned = (chunk.start_frame, chunk.stop_frame)
            found = read_rows(Detections, paths.detections(video_id, chunk.index)).between(*owned)
            facts = read_rows(FrameFacts, paths.facts(video_id, chunk.index)).between(*owned)
            detections.write_table(kept.detections_table(video_id, found, shown, labels))
            tracks_out.write_table(kept.tracks_table(video_id, tracks.between(*owned), shown, labels))
            frames.write_table(kept.frames_table(video_id, facts, shown))


def keep_pictures(row: Row, context: RunContext, found: Found, members: Sequence[Member]) -> None:
    """Keep what was found in the pictures of an album that reached its end; the first attempt knows all of them."""
    target = context.paths.kept
    if not context.config.keep.detections or (target / "frames" / f"{row.video_id}.parquet").exists():
        return
    labels = _labels(context.config)
    note: dict[str, Any] = {"labels": labels.names, **_still(0, 0).to_json()}
    with (
        kept.written(target, "detections", row.video_id, note) as detections,
        kept.written(target, "frames", row.video_id, note) as frames,
    ):
        for member in members:
            place, video_id = member.position, member.source.video_id
            shown = _still(*found.sizes[str(place)])
            boxes, facts = (part.between(place, place + 1) for part in (found.detections, found.facts))
            detections.write_table(kept.detections_table(video_id, _at_zero(boxes), shown, labels))
            frames.write_table(kept.frames_table(video_id, _at_zero(facts), shown))


def _at_zero(rows: Any) -> Any:
    columns = {name: column for name, column in rows.__dict__.items() if name != "frames"}
    return type(rows)(frames=np.zeros(len(rows), np.int64), **columns)


def _shown(index: FrameIndex) -> Shown:
    stream = index.stream
    return Shown(index.pts, index.time_base, index.end_pts, stream.width, stream.height, stream.rotation_deg)


def _still(width: int, height: int) -> Shown:
    return Shown(np.zeros(1, np.int64), Fraction(1), 1, width, height, 0)


def _labels(config: AnonymizeConfig) -> Labels:
    models = tuple(
        "+".join(sorted(d.model.id for d in config.detector.values() if label in d.model.classes.values()))
        for label in config.labels
    )
    floors = tuple(float(floor) for floor in by_label(config, lambda detector: detector.floor))
    return Labels(config.labels, models, floors)
