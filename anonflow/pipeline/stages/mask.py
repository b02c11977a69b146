"""mask: a chunk is decoded again, its shapes are painted into the decoder's planes, and the result is encoded.

Regions that somebody drew have the last word here: they are painted after, and over, all that was detected.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.mask.paint import mask_digest, paint
from anonflow.mask.regions import Canvas, RegionPlan, regions_for
from anonflow.mask.shapes import mask_shapes
from anonflow.pipeline.context import FrameMeter, RunContext, SilentProgress
from anonflow.pipeline.guard import make_result
from anonflow.pipeline.outcomes import after_attempt, has_ended
from anonflow.pipeline.rows import Row
from anonflow.pipeline.timing import Stopwatch
from anonflow.storage import write_json, written_whole
from anonflow.tables import MASK_DIGESTS, read_index, read_note, read_rows
from anonflow.types import Chunk, FrameIndex, MaskPlan
from anonflow.video.decode import decode_range
from anonflow.video.encode import SegmentWriter
from anonflow.video.encoders import choose_encoding
from anonflow.video.planes import chroma_shifts, plane_set
from anonflow.video.psnr import Fidelity, Samples
from anonflow.video.quality import better_crf

_MAX_ENCODES = 3


def mask(row: Row, context: RunContext) -> Row:
    """Make the row's segment unless it exists; the row itself goes on as it is."""
    if row.outcome or has_ended(row, context):
        return row
    segment = context.paths.segment(row.video_id, row.chunk)
    error = make_result(context, segment, row.uri, lambda: _make(row, segment, context))
    return after_attempt(row, "mask", segment, error, context)


def _make(row: Row, segment: Path, context: RunContext) -> None:
    watch = Stopwatch()
    index, chunks = read_index(context.paths.index(row.video_id))
    chunk = chunks[row.chunk]
    plan_path = context.paths.mask_plan(row.video_id)
    plan = read_rows(MaskPlan, plan_path).between(chunk.start_frame, chunk.stop_frame)
    plan_note = read_note(plan_path)
    with written_whole(segment) as partial:
        regions = RegionPlan.of(regions_for(context.config.regions, row.relative_path), _canvas(index))
        masked = _mask_well(Path(row.uri), index, chunk, plan, regions, partial, context, plan_note["crf"])
        if context.config.debug.mask_digests:
            _write_digests(row, index, chunk, masked.digests, context)
        note = {"masked_frames": masked.n_frames, "crf": masked.crf, "fidelity": asdict(masked.fidelity)}
        write_json(context.paths.note(segment), {**note, **watch.read()})


@dataclass(frozen=True)
class Masked:
    """What was done to a chunk: frames with anything hidden, each frame's mask digest if asked for, quality."""

    n_frames: int
    digests: list[str]
    crf: float | None
    fidelity: Fidelity


def _mask_well(
    source: Path,
    index: FrameIndex,
    chunk: Chunk,
    plan: MaskPlan,
    regions: RegionPlan,
    target: Path,
    context: RunContext,
    crf: float | None,
) -> Masked:
    """Mask the chunk; again at a better quality if less is kept than asked for, twice at most."""
    config = context.config.video
    encoding = choose_encoding(index.stream, config)
    for _ in range(_MAX_ENCODES):
        masked = mask_chunk(source, index, chunk, plan, regions, target, context, crf)
        kept_db = masked.fidelity.mean_db
        if crf is None or kept_db is None or (better := better_crf(crf, kept_db, config, encoding)) is None:
            break
        crf, context = better, replace(context, progress=SilentProgress())  # its frames are counted already
    return masked


def mask_chunk(
    source: Path,
    index: FrameIndex,
    chunk: Chunk,
    plan: MaskPlan,
    regions: RegionPlan,
    target: Path,
    context: RunContext,
    crf: float | None = None,
) -> Masked:
    """Write the chunk's owned frames, masked, to `target`; `crf` is for a configuration that leaves it open."""
    config = context.config
    styles = [config.mask[label] for label in config.labels]
    digests: list[str] = []
    n_masked = 0
    numbers = range(chunk.start_frame, chunk.stop_frame)
    frames = decode_range(source, index, chunk.start_pts, chunk.stop_pts)
    samples = Samples(chunk.n_frames)
    with SegmentWriter(target, index, config.video, crf) as writer, FrameMeter(context.progress, "mask") as meter:
        for number, (pts, frame) in zip(numbers, frames, strict=True):
            planes = plane_set(frame, writable=True)
            samples.before(number - chunk.start_frame, planes)
            by_hand = regions.at(*_shown_s(index, number))
            shapes = mask_shapes(plan.between(number, number + 1), styles, planes) if by_hand.is_processed else ()
            if config.debug.mask_digests:
                digests.append(mask_digest(planes, (*shapes, *by_hand.hide), by_hand.keep))
            paint(planes, shapes, by_hand.keep)
            paint(planes, by_hand.hide)
            n_masked += bool(shapes or by_hand.hide)
            samples.after(number - chunk.start_frame, planes)
            writer.write(pts, frame)
            meter.tick()
    return Masked(n_masked, digests, crf, samples.compare(target))


def _canvas(index: FrameIndex) -> Canvas:
    stream = index.stream
    return Canvas(stream.width, stream.height, *chroma_shifts(stream), stream.rotation_deg)


def _shown_s(index: FrameIndex, number: int) -> tuple[float, float]:
    """When a frame begins and ends, since the video's first; exact but for one rounding, so 0.1 is a file's 0.1."""
    end_pts = int(index.pts[number + 1]) if number + 1 < index.n_frames else index.end_pts
    begin, end = ((pts - int(index.pts[0])) * index.time_base for pts in (int(index.pts[number]), end_pts))
    return float(begin), float(end)


def _write_digests(row: Row, index: FrameIndex, chunk: Chunk, digests: list[str], context: RunContext) -> None:
    numbers = range(chunk.start_frame, chunk.stop_frame)
    table = pa.table(
        [
            [row.uri] * len(digests),
            [row.video_id] * len(digests),
            list(numbers),
            index.pts[chunk.start_frame : chunk.stop_frame],
            digests,
        ],
        schema=MASK_DIGESTS,
    )
    with written_whole(context.paths.digests(row.video_id, row.chunk)) as partial:
        pq.write_table(table, partial)
