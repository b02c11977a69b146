"""join and publish: a video's segments become one file, which gets its name only after it was checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.errors import AnonflowError, FidelityError, SourceError, UnsupportedFormatError
from anonflow.evidence.chain import Record
from anonflow.pipeline.carried import carried
from anonflow.pipeline.chains import published_chain
from anonflow.pipeline.collisions import output_path, require_inside
from anonflow.pipeline.context import RunContext, SilentProgress
from anonflow.pipeline.copies import Copies, read_copies, refuse_copies
from anonflow.pipeline.destination import Destination
from anonflow.pipeline.fanin import closes_video, first_failure
from anonflow.pipeline.guard import make_result
from anonflow.pipeline.keeping import keep_video
from anonflow.pipeline.outcomes import (
    end_source,
    quarantine,
    read_done,
    read_ending,
    withdrawn_on_failure,
    write_done,
)
from anonflow.pipeline.provenance import video_facts
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.stages.mask import make_segment
from anonflow.pipeline.stages.plan import check_source
from anonflow.pipeline.timing import Stopwatch, total
from anonflow.storage import (
    StoragePath,
    arrow_source,
    file_sha256,
    move_into_place,
    naming_source_errors,
    same_file,
    staged,
    version_of,
    write_json,
    written_whole,
)
from anonflow.tables import read_index, read_note
from anonflow.types import Check, FrameIndex, Status, Verdict
from anonflow.video.contract import inspect
from anonflow.video.contract.copied import compare_copied
from anonflow.video.contract.quality import compare_quality
from anonflow.video.join import join as join_segments
from anonflow.video.psnr import Fidelity


def join(row: Row, context: RunContext) -> list[Row]:
    """Nothing for all rows of a video but one; for that one, the row with the video's outcome."""
    if row.outcome:
        return [row]
    try:
        if not closes_video(context.paths, "join", context.paths.segment, row):
            return []
        if ending := read_ending(row, context):
            return [row.ended(ending.outcome)]
        published = context.paths.published(row.video_id)
        failure = make_result(context, published, row.uri, lambda: _publish(row, published, context), row.n_chunks)
        if failure is not None:
            return [quarantine(row, "join", failure, context)]
        outcome = Outcome.from_json(json.loads(published.read_text()))
    except AnonflowError as error:
        return [quarantine(row, "join", error, context)]
    return [end_source(row, "join", outcome, context)]


def _publish(row: Row, published: StoragePath, context: RunContext) -> None:
    """Join, check, rename, mark as done. A task that was killed after marking finds the mark."""
    if error := first_failure(context.paths, context.paths.segment, row):
        raise error
    done = read_done(row, context)
    if done is not None and done.run_id == context.paths.run_id:
        outcome = done.outcome
        write_json(published, outcome.to_json())
        return
    joined = _join_and_check(row, context)
    with withdrawn_on_failure(joined.target, row, context):
        _collect_digests(row, context)
        keep_video(row, context)
        outcome = joined.outcome(row, context)
        write_done(row, outcome, version_of(joined.target), context)
        write_json(published, outcome.to_json())


@dataclass(frozen=True)
class _Quality:
    """What the chunks were encoded with, and how much of the picture outside the masks they kept."""

    crf: tuple[float, ...]
    fidelity: Fidelity
    wanted_db: float | None

    def to_json(self) -> dict[str, Any]:
        """For the report; with a range of crf if some chunks needed a better one."""
        kept = [None if db is None else round(db, 2) for db in (self.fidelity.mean_db, self.fidelity.worst_db)]
        return {"crf": list(self.crf), "psnr_db": {"mean": kept[0], "min": kept[1], "target": self.wanted_db}}


@dataclass(frozen=True)
class _Joined:
    """A published file and what was found on the way to it."""

    index: FrameIndex
    target: StoragePath
    n_bytes: int
    sha256: str
    source_sha256: str
    checks: tuple[Check, ...]
    quality: _Quality
    destination: Destination
    copies: Copies
    join_times: dict[str, float]

    def outcome(self, row: Row, context: RunContext) -> Outcome:
        plan = read_note(context.paths.mask_plan(row.video_id))
        return Outcome(
            uri=row.uri,
            relative_path=row.relative_path,
            video_id=row.video_id,
            status=Status.PUBLISHED,
            source_bytes=row.size_bytes,
            fingerprint=context.paths.keys.masks,
            output_uri=str(self.target),
            output_bytes=self.n_bytes,
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
                **carried(self.index, self.destination.selection),
                "video": {
                    "codec": self.destination.encoding.family,
                    "encoder": self.destination.encoding.encoder,
                    "preset": self.destination.encoding.preset,
                    **self.quality.to_json(),
                    "copied_frames": self.copies.n_frames,
                    "not_copied_because": self.copies.refusal,
                    "rate_ratio": round(self.n_bytes / max(1, row.size_bytes), 4),
                },
                "hidden_damaged_frames": len(self.index.damaged),
                "checks": [asdict(check) for check in self.checks],
                **_work_done(row, context, plan, self.join_times),
            },
            chain=self.chain(row, context),
        )

    def chain(self, row: Row, context: RunContext) -> list[Record]:
        segments, n_copied = _segments(row, context, self.copies), self.copies.n_frames
        made = video_facts(row, context, segments, self.checks, self.index.n_frames, n_copied)
        output = {"bytes": self.target.stat().st_size, "sha256": self.sha256}
        source = {"bytes": row.size_bytes, "sha256": self.source_sha256}
        return published_chain(row.video_id, source, {**made, "output": output}, context.paths.run_id)


def _join_and_check(row: Row, context: RunContext) -> _Joined:
    watch = Stopwatch()
    paths, source = context.paths, context.source(row.uri)
    index, _ = read_index(paths.index(row.video_id))
    destination = Destination.of(context.config, row, index)
    container = destination.container
    target = output_path(paths.output, row.relative_path, container)
    require_inside(target, paths.output, row.uri)
    with staged(target, paths.partial, f"{row.video_id}{container}") as partial:
        copies = read_copies(row, context)
        checks = _make_whole(row, context, index, copies, partial)
        if copies.set_id and (broken := _broken(checks)):
            copies = refuse_copies(row, context, index, f"the copy was broken: {broken}")
            checks = _make_whole(row, context, index, copies, partial)
        require_fidelity(row, checks)
        with naming_source_errors(source):
            source_sha256 = file_sha256(source)
        sha256 = file_sha256(partial)
        check_source(row.source, context.config.runtime.access)
        require_other_file(source, target)
        n_bytes = partial.stat().st_size
        move_into_place(partial, target)
    quality = _quality(_segments(row, context, copies), context)
    return _Joined(
        index, target, n_bytes, sha256, source_sha256, checks, quality, destination, copies, watch.read()
    )


def _make_whole(
    row: Row, context: RunContext, index: FrameIndex, copies: Copies, partial: Path
) -> tuple[Check, ...]:
    """Join the segments, with what is copied between them, to `partial`, and check it."""
    source, destination = context.source(row.uri), Destination.of(context.config, row, index)
    segments = _segments(row, context, copies)
    try:
        join_segments(segments, source, index, partial, partial.suffix, destination.policy, copies.runs)
    except (FidelityError, UnsupportedFormatError) as error:
        if not copies.set_id:
            raise
        return (Check("joins", Verdict.BROKEN, type(error).__name__),)
    quality = _quality(segments, context)
    return (
        *inspect(source, index, partial, destination.policy, destination.encoding),
        compare_copied(source, index, partial, copies.runs, segments),
        compare_quality(quality.fidelity, quality.wanted_db, copies.n_frames, index.n_frames),
    )


def _segments(row: Row, context: RunContext, copies: Copies) -> list[StoragePath]:
    """The chunks' segments; if copies were taken back, of all frames, and masked now unless they exist."""
    paths, chunks = context.paths, range(row.n_chunks)
    if not copies.is_taken_back:
        return [paths.segment(row.video_id, chunk) for chunk in chunks]
    segments = [paths.whole_segment(row.video_id, chunk) for chunk in chunks]
    uncounted = replace(context, progress=SilentProgress())  # their frames are counted already
    for chunk, segment in enumerate(segments):
        if not segment.exists():
            make_segment(replace(row, chunk=chunk), segment, uncounted)
    return segments


def _quality(segments: Sequence[StoragePath], context: RunContext) -> _Quality:
    video = context.config.video
    notes = [json.loads(context.paths.note(segment).read_text()) for segment in segments]
    crf = sorted({note["crf"] for note in notes if note["crf"] is not None})
    is_open = video.crf is None and bool(crf)
    return _Quality(
        tuple(crf[:1] + crf[1:][-1:]),
        Fidelity.pooled(Fidelity(**note["fidelity"]) for note in notes),
        video.target_psnr_db if is_open else None,
    )


def require_other_file(source: StoragePath, target: StoragePath) -> None:
    """Raise unless a result may take the place of `target`: it must not be its own source, through links either."""
    if target.exists() and same_file(target, source):
        raise SourceError(f"{source}: the result would overwrite it through a link. Choose another output.")


def require_fidelity(row: Row, checks: tuple[Check, ...]) -> None:
    """Raise unless no point of the contract is broken."""
    if broken := _broken(checks):
        raise FidelityError(
            f"{row.uri}: the result is not the source with masks in it: {broken}. "
            "It was not published; please report it with the source's format."
        )


def _broken(checks: tuple[Check, ...]) -> str:
    return "; ".join(f"{check.name} ({check.detail})" for check in checks if check.verdict is Verdict.BROKEN)


def _collect_digests(row: Row, context: RunContext) -> None:
    if not context.config.debug.mask_digests:
        return
    parts = [pq.read_table(arrow_source(context.paths.digests(row.video_id, i))) for i in range(row.n_chunks)]
    with written_whole(context.paths.video_digests(row.video_id)) as partial:
        pq.write_table(pa.concat_tables(parts), partial)


def _work_done(row: Row, context: RunContext, plan: dict[str, Any], join_times: dict[str, float]) -> dict[str, Any]:
    """Frames masked, time by stage and the execution providers that were used, from the notes of the results."""
    paths, chunks = context.paths, range(row.n_chunks)
    detections = [read_note(paths.detections(row.video_id, i)) for i in chunks]
    segments = [json.loads(paths.note(paths.segment(row.video_id, i)).read_text()) for i in chunks]
    own = [note for note in detections if note["run"] == paths.run_id]
    return {
        "detected_chunks": len(own),
        "masked_frames": sum(note["masked_frames"] for note in segments),
        "providers": sorted({provider for note in detections for provider in note["providers"]}),
        "stage_seconds": {
            "plan": read_note(paths.index(row.video_id))["times"],
            "detect": total(own),
            "stitch": total([plan]),
            "mask": total(segments),
            "join": join_times,
        },
    }
