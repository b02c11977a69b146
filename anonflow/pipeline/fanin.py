"""Bringing a video's chunks together without a barrier across videos.

The chunks' results on disk are the truth. Whoever finds that all of them are there tries to create one file that
names itself; creating it can succeed only once, so exactly one chunk *closes* the video, and a task that is
run again gets the same answer. No process keeps state: nothing is lost when one dies.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from anonflow.errors import AnonflowError
from anonflow.pipeline.guard import recorded_failure
from anonflow.pipeline.paths import Paths
from anonflow.pipeline.rows import Row
from anonflow.storage import naming_storage_errors


def closes_video(paths: Paths, stage: str, result: Callable[[str, int], Path], row: Row) -> bool:
    """Whether the row's chunk, whose own result (or failure) is written, carries its video into `stage`.

    `result` names the result of a chunk: `paths.tracks` before `stitch`, `paths.segment` before `join`.
    """
    claim = paths.closed(stage, row.video_id)
    if not claim.exists() and not _all_there(paths, result, row):
        return False
    return _first_to_claim(claim, row.chunk) == row.chunk


def first_failure(paths: Paths, result: Callable[[str, int], Path], row: Row) -> AnonflowError | None:
    """Why the first chunk of the row's video that failed in this run did so; None if none did."""
    for chunk in range(row.n_chunks):
        if error := recorded_failure(paths.failure(result(row.video_id, chunk))):
            return error
    return None


def _all_there(paths: Paths, result: Callable[[str, int], Path], row: Row) -> bool:
    results = (result(row.video_id, chunk) for chunk in range(row.n_chunks))
    return all(path.exists() or paths.failure(path).exists() for path in results)


def _first_to_claim(path: Path, chunk: int) -> int:
    """Write `chunk` to `path` unless something is there already; give what is there.

    The hard link puts a complete file under the name, or fails if the name is taken (also on NFS).
    """
    claim = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with naming_storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        claim.write_text(json.dumps({"chunk": chunk}))
        try:
            os.link(claim, path)
        except FileExistsError:
            return int(json.loads(path.read_text())["chunk"])
        finally:
            claim.unlink()
    return chunk
