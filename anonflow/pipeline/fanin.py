"""Bringing a video's chunks together without a barrier across videos.

The chunks' results on disk are the truth. Whoever finds that all of them are there tries to create one file that
names itself; creating it can succeed only once, so exactly one chunk *closes* the video, and a task that is
run again gets the same answer. No process keeps state: nothing is lost when one dies.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from anonflow.claims import all_there, claim
from anonflow.errors import AnonflowError
from anonflow.pipeline.guard import recorded_failure
from anonflow.pipeline.paths import Paths
from anonflow.pipeline.rows import Row
from anonflow.storage import StoragePath


def closes_video(paths: Paths, stage: str, result: Callable[[str, int], StoragePath], row: Row) -> bool:
    """Whether the row's chunk, whose own result (or failure) is written, carries its video into `stage`.

    `result` names the result of a chunk: `paths.tracks` before `stitch`, `paths.segment` before `join`.
    """
    closed = paths.closed(stage, row.video_id)
    if not closed.exists() and not _all_there(paths, result, row):
        return False
    mine = json.dumps({"chunk": row.chunk}).encode()
    return int(json.loads(claim(closed, mine))["chunk"]) == row.chunk


def first_failure(paths: Paths, result: Callable[[str, int], StoragePath], row: Row) -> AnonflowError | None:
    """Why the first chunk of the row's video that failed in this run did so; None if none did."""
    for chunk in range(row.n_chunks):
        if error := recorded_failure(paths.failure(result(row.video_id, chunk))):
            return error
    return None


def _all_there(paths: Paths, result: Callable[[str, int], StoragePath], row: Row) -> bool:
    results = (result(row.video_id, chunk) for chunk in range(row.n_chunks))
    return all_there((path, paths.failure(path)) for path in results)
