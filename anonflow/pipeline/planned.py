"""What the pipeline would hide, without hiding it: the real stages up to the mask plan, and what they left.

Nothing is encoded and nothing published. Evaluation judges what comes from here.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from anonflow.config import AnonymizeConfig
from anonflow.detect.models import ModelStore, default_cache_dir
from anonflow.errors import InternalError
from anonflow.evaluate.sight import Sight, sight_of_picture, sight_of_video
from anonflow.evaluate.truth import Clock
from anonflow.picture.still import open_picture, read_picture
from anonflow.pipeline import graph
from anonflow.pipeline.album.detect import Found, read_found
from anonflow.pipeline.album.members import Member, first_row, members_of, units
from anonflow.pipeline.cluster import connected
from anonflow.pipeline.context import RunContext, derive_keys
from anonflow.pipeline.latency import total
from anonflow.pipeline.monitor import Monitor, watched
from anonflow.pipeline.outcomes import has_ended
from anonflow.pipeline.paths import CONTROL_FOLDER, Paths
from anonflow.pipeline.progress import Snapshot, displayed
from anonflow.pipeline.resources import stage_resources
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.sources import list_sources, local_path
from anonflow.pipeline.stages.stitch import ChunkedVideo
from anonflow.pipeline.stall import until_still
from anonflow.pipeline.telling import Deaths
from anonflow.storage import make_private_folder, remove_tree, written_whole
from anonflow.tables import read_index, read_note, read_rows
from anonflow.types import Detections, FrameFacts, MaskPlan, Source

_POLL_S = 0.5
STAGES = ("plan", "detect", "stitch")


@dataclass(frozen=True, eq=False)
class Planned:
    """What is known of a source once its masks are planned.

    `seconds` by stage for each chunk: frames, wall and processor time; `latency` by model, see `latency`.
    """

    source: Source
    sight: Sight
    seconds: dict[str, list[dict[str, float]]]
    latency: dict[str, dict[str, int]]


def plan_masks(config: AnonymizeConfig, files: Sequence[Path], console: Console) -> Iterator[Planned | Outcome]:
    """The masks of all `files`, or the outcome of those that were quarantined; what is read is removed at the end.

    `config.input` does not count. With `runtime.work_dir`, results are kept there, so that detections are made
    once for all runs with the same detectors. Raises ConfigError when the configuration or a model is wrong.
    """
    with _workplace(config) as paths:
        sources = _listed(files, paths, config)
        cache = config.runtime.model_cache
        cache_dir = Path(local_path(cache)) if cache else default_cache_dir()
        store = ModelStore(cache_dir, [Path(local_path(folder)) for folder in config.runtime.model_dirs])
        for detector in config.detector.values():
            store.load(detector.model)
        context = RunContext(config, paths, cache_dir)
        rows = list(_computed(context, sources, console))
        for row in rows:
            yield from planned(row, context)


def sources_of(files: Sequence[Path], config: AnonymizeConfig) -> tuple[Source, ...]:
    """The files as sources, named as every run names them."""
    with _workplace(config) as paths:
        return _listed(files, paths, config)


def planned(row: Row, context: RunContext) -> Iterator[Planned | Outcome]:
    """What a row that left `stitch` stands for: a video, the pictures of an album, or an end."""
    if row.outcome:
        yield Outcome.from_json(json.loads(row.outcome))
    elif row.is_album:
        yield from _pictures(row, context)
    else:
        yield _video(row, context)


@contextmanager
def _workplace(config: AnonymizeConfig) -> Iterator[Paths]:
    output = Path(local_path(config.output))
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    kept = config.runtime.work_dir
    work = Path(local_path(kept)) if kept else output / CONTROL_FOLDER / f"planned-{run_id}"
    # Markers of what was published into `output` do not count here, and nothing is written beside them.
    paths = Paths(work, work, run_id, derive_keys(config))
    make_private_folder(work)
    try:
        yield paths
    finally:
        remove_tree(work / "runs" / run_id if kept else work)


def _listed(files: Sequence[Path], paths: Paths, config: AnonymizeConfig) -> tuple[Source, ...]:
    listing = paths.work / "runs" / paths.run_id / "files.parquet"
    with written_whole(listing) as partial_path:
        pq.write_table(pa.table({"uri": [str(path.absolute()) for path in files]}), partial_path)
    return list_sources(str(listing), paths.output, config.source).sources


def _computed(context: RunContext, sources: tuple[Source, ...], console: Console) -> Iterator[Row]:
    """The last row of each video and album."""
    runtime = context.config.runtime
    with connected(runtime):
        monitor = Monitor.start()
        resources = stage_resources(runtime, wants_gpu=runtime.provider != "cpu")
        bars = console.is_terminal if runtime.progress is None else runtime.progress
        deaths = Deaths()
        with displayed(console, bars=bars) as display:

            def show(counts: dict[str, int]) -> None:
                deaths.tell(counts)
                frames = [counts.get(name, 0) for name in ("planned", "detect")]
                done = counts.get("planned_videos", 0)
                display.show(Snapshot(len(sources), done, 0, frames[0], frames[1], 0))

            with watched(monitor, show, _POLL_S):
                told: set[str] = set()
                context = replace(context, progress=monitor)
                first = [first_row(unit, context) for unit in units(sources, context)]
                plans = graph.build_plans(first, context, resources)
                for row in until_still(graph.rows_of(plans), monitor.signs, runtime.longest_stall_s):
                    if row.video_id not in told:
                        told.add(row.video_id)
                        yield row


def _video(row: Row, context: RunContext) -> Planned:
    paths, video = context.paths, ChunkedVideo(row, context)
    index, chunks = read_index(paths.index(row.video_id))
    parts, facts, notes = [], [], []
    for chunk in chunks:
        path = paths.detections(row.video_id, chunk.index)
        parts.append(read_rows(Detections, path).between(chunk.start_frame, chunk.stop_frame))
        kept = read_rows(FrameFacts, paths.facts(row.video_id, chunk.index))
        facts.append(kept.between(chunk.start_frame, chunk.stop_frame))
        notes.append(read_note(path) | {"frames": chunk.stop_frame - chunk.lead_frame})
    plan_path, stream = paths.mask_plan(row.video_id), index.stream
    tracks, _ = video.tracks()
    whole = {"frames": index.n_frames}
    sight = sight_of_video(
        row.video_id,
        Clock(index.pts, index.time_base, index.end_pts),
        (stream.width, stream.height),
        stream.rotation_deg,
        Detections.concat(parts),
        FrameFacts.concat(facts),
        tracks,
        read_rows(MaskPlan, plan_path),
    )
    return Planned(
        source=row.source,
        sight=sight,
        seconds={
            "plan": [read_note(paths.index(row.video_id))["times"] | whole],
            "detect": [_times(note) for note in notes],
            "stitch": [_times(read_note(plan_path) | whole)],
        },
        latency=_latency(notes),
    )


def _pictures(row: Row, context: RunContext) -> Iterator[Planned]:
    """The pictures of an album that did not end before; its times are told once, with the first."""
    left = [member for member in members_of(row, context) if not has_ended(member.row, context)]
    if not left:
        return
    found, plan_path = read_found(row, context), context.paths.mask_plan(row.video_id)
    plan = read_rows(MaskPlan, plan_path)
    note = read_note(context.paths.detections(row.video_id, 0))
    frames = {"frames": len(left)}
    seconds = {"detect": [_times(note | frames)], "stitch": [_times(read_note(plan_path) | frames)]}
    latency = _latency([note])
    for member in left:
        yield _picture(member, found, plan, seconds, latency, context)
        seconds, latency = {}, {}


def _picture(
    member: Member,
    found: Found,
    plan: MaskPlan,
    seconds: dict[str, list[dict[str, float]]],
    latency: dict[str, dict[str, int]],
    context: RunContext,
) -> Planned:
    path, config = Path(member.source.uri), context.config.picture
    if str(member.position) not in found.sizes:
        raise InternalError(f"{member.source.uri}: no detector has looked at it. Run again.")
    info = open_picture(read_picture(path, config.max_bytes), config.max_pixels).info
    at = partial(_of_picture, position=member.position)
    sight = sight_of_picture(member.source.video_id, info, at(found.detections), at(found.facts), at(plan))
    return Planned(member.source, sight, seconds, latency)


def _of_picture(rows: Any, position: int) -> Any:
    """The rows of one picture of an album, as a video of one frame."""
    there = rows.between(position, position + 1)
    return replace(there, frames=np.zeros(len(there), np.int64))


def _times(note: dict[str, Any]) -> dict[str, float]:
    return {key: float(note[key]) for key in ("frames", "wall_s", "cpu_s")}


def _latency(notes: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """By model; results of runs that did not note it have none."""
    models = {model for note in notes for model in note.get("latency", {})}
    return {model: total(note.get("latency", {}).get(model, {}) for note in notes) for model in sorted(models)}
