"""join and publish: a video's segments become one file, which gets its name only after it was checked."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.errors import AnonflowError, FidelityError, SourceError
from anonflow.pipeline.collisions import output_path, require_inside
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.fanin import closes_video, first_failure
from anonflow.pipeline.guard import make_result
from anonflow.pipeline.outcomes import end_source, quarantine, read_done, read_ending, write_done
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.stages.plan import check_source
from anonflow.pipeline.timing import Stopwatch, total
from anonflow.storage import file_sha256, move_into_place, naming_storage_errors, write_json, written_whole
from anonflow.tables import read_index, read_note
from anonflow.types import Check, FrameIndex, Status, Verdict
from anonflow.video.contract import inspect
from anonflow.video.join import join as join_segments
from anonflow.video.target import choose_container


def join(row: Row, context: RunContext) -> list[Row]:
    """Nothing for all rows of a video but one; for that one, the row with the video's outcome."""
    if row.outcome:
        return [row]
    try:
        if not closes_video(context.paths, "join", context.paths.segment, row):
            return []
    except AnonflowError as error:
        return [quarantine(row, "join", error, context)]
    if ending := read_ending(row, context):
        return [row.ended(ending.outcome)]
    published = context.paths.published(row.video_id)
    failure = make_result(context, published, row.uri, lambda: _publish(row, published, context))
    if failure is not None:
        return [quarantine(row, "join", failure, context)]
    outcome = Outcome.from_json(json.loads(published.read_text()))
    return [end_source(row, "join", outcome, context)]


def _publish(row: Row, published: Path, context: RunContext) -> None:
    """Join, check, rename, mark as done. A task that was killed after marking finds the mark."""
    if error := first_failure(context.paths, context.paths.segment, row):
        raise error
    done = read_done(row, context)
    if done is not None and done.run_id == context.paths.run_id:
        outcome = done.outcome
    else:
        joined = _join_and_check(row, context)
        _collect_digests(row, context)
        outcome = joined.outcome(row, context)
        write_done(row, outcome, joined.target.stat().st_mtime_ns, context)
    write_json(published, outcome.to_json())


@dataclass(frozen=True)
class _Joined:
    """A published file and what was found on the way to it."""

    index: FrameIndex
    target: Path
    sha256: str
    source_sha256: str
    checks: tuple[Check, ...]
    join_times: dict[str, float]

    def outcome(self, row: Row, context: RunContext) -> Outcome:
        plan = read_note(context.paths.mask_plan(row.video_id))
        return Outcome(
            uri=row.uri,
            video_id=row.video_id,
            status=Status.PUBLISHED,
            source_bytes=row.size_bytes,
            fingerprint=context.paths.keys.masks,
            output_uri=str(self.target),
            output_bytes=self.target.stat().st_size,
            output_sha256=self.sha256,
            source_sha256=self.source_sha256,
            frames=self.index.n_frames,
            duration_s=self.index.duration_s,
            details={
                "objects": plan["objects"],
                "shots": plan["shots"],
                "seams": plan["seams"],
                "chunks": row.n_chunks,
                "container": {"source": self.index.container, "output": self.target.suffix.lstrip(".")},
                "removed_streams": list(self.index.removed_streams),
                "hidden_damaged_frames": len(self.index.damaged),
                "checks": [asdict(check) for check in self.checks],
                **_work_done(row, context, plan, self.join_times),
            },
        )


def _join_and_check(row: Row, context: RunContext) -> _Joined:
    watch = Stopwatch()
    paths, source = context.paths, Path(row.uri)
    index, _ = read_index(paths.index(row.video_id))
    container = choose_container(index, source.suffix)
    target = output_path(paths.output, row.relative_path, container)
    require_inside(target, paths.output, row.uri)
    partial = paths.partial / f"{row.video_id}.{secrets.token_hex(4)}{container}"
    try:
        with naming_storage_errors(target):
            partial.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            join_segments(
                [paths.segment(row.video_id, i) for i in range(row.n_chunks)], source, index, partial, container
            )
            checks = inspect(source, index, partial)
            _require_fidelity(row, checks)
            check_source(row.source)
            _require_other_file(source, target)
            source_sha256, sha256 = file_sha256(source), file_sha256(partial)
            move_into_place(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return _Joined(index, target, sha256, source_sha256, checks, watch.read())


def _require_other_file(source: Path, target: Path) -> None:
    if target.exists() and target.samefile(source):
        raise SourceError(f"{source}: the result would overwrite it through a link. Choose another output.")


def _require_fidelity(row: Row, checks: tuple[Check, ...]) -> None:
    broken = [f"{check.name} ({check.detail})" for check in checks if check.verdict is Verdict.BROKEN]
    if broken:
        raise FidelityError(
            f"{row.uri}: the result is not the source with masks in it: {'; '.join(broken)}. "
            "It was not published; please report it with the source's format."
        )


def _collect_digests(row: Row, context: RunContext) -> None:
    if not context.config.debug.mask_digests:
        return
    parts = [pq.read_table(context.paths.digests(row.video_id, i)) for i in range(row.n_chunks)]
    with written_whole(context.paths.video_digests(row.video_id)) as partial:
        pq.write_table(pa.concat_tables(parts), partial)


def _work_done(row: Row, context: RunContext, plan: dict[str, Any], join_times: dict[str, float]) -> dict[str, Any]:
    """Frames masked, time by stage and the execution providers that were used, from the notes of the results."""
    paths, chunks = context.paths, range(row.n_chunks)
    detections = [read_note(paths.detections(row.video_id, i)) for i in chunks]
    segments = [json.loads(paths.note(paths.segment(row.video_id, i)).read_text()) for i in chunks]
    return {
        "masked_frames": sum(note["masked_frames"] for note in segments),
        "providers": sorted({provider for note in detections for provider in note["providers"]}),
        "stage_seconds": {
            "plan": read_note(paths.index(row.video_id))["times"],
            "detect": total(detections),
            "stitch": total([plan]),
            "mask": total(segments),
            "join": join_times,
        },
    }
