"""mask: a chunk is decoded again, its shapes are painted into the decoder's planes, and the result is encoded.

Regions that somebody drew have the last word here: they are painted after, and over, all that was detected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.mask.paint import mask_digest, paint
from anonflow.mask.regions import RegionPlan
from anonflow.mask.shapes import mask_shapes
from anonflow.pipeline.byhand import region_plan, shown_s
from anonflow.pipeline.context import FrameMeter, RunContext, SilentProgress
from anonflow.pipeline.copies import Copies, read_copies
from anonflow.pipeline.guard import make_result
from anonflow.pipeline.outcomes import after_attempt, has_ended
from anonflow.pipeline.rows import Row
from anonflow.pipeline.timing import Stopwatch
from anonflow.storage import file_sha256, write_json, written_whole
from anonflow.tables import MASK_DIGESTS, read_index, read_note, read_rows
from anonflow.types import Chunk, FrameIndex, MaskPlan
from anonflow.video.copying import Run, encoded_between, within
from anonflow.video.decode import decode_range
from anonflow.video.encode import SegmentWriter
from anonflow.video.encoders import choose_encoding
from anonflow.video.planes import plane_set
from anonflow.video.psnr import Fidelity, Samples
from anonflow.video.quality import better_crf

_MAX_ENCODES = 3


def mask(row: Row, context: RunContext) -> Row:
    """Make the row's segment unless it exists; the row itself goes on as it is."""
    if row.outcome or has_ended(row, context):
        return row
    segment = context.paths.segment(row.video_id, row.chunk)
    error = make_result(context, segment, row.uri, lambda: make_segment(row, segment, context))
    return after_attempt(row, "mask", segment, error, context)


def make_segment(row: Row, segment: Path, context: RunContext) -> None:
    """Write the row's segment, and the note beside it."""
    watch = Stopwatch()
    index, chunks = read_index(context.paths.index(row.video_id))
    chunk = chunks[row.chunk]
    plan_path = context.paths.mask_plan(row.video_id)
    plan = read_rows(MaskPlan, plan_path).between(chunk.start_frame, chunk.stop_frame)
    regions = region_plan(context.config, row.relative_path, index)
    work = Work(Path(row.uri), index, chunk, plan, regions, read_copies(row, context))
    with written_whole(segment) as partial:
        masked = _mask_well(work, partial, context, read_note(plan_path)["crf"])
        if context.config.debug.mask_digests:
            _write_digests(row, index, chunk, masked.digests, context)
        note = {
            "masked_frames": masked.n_frames,
            "copied_frames": work.n_copied,
            "crf": masked.crf,
            "fidelity": asdict(masked.fidelity),
            "sha256": file_sha256(partial),
        }
        write_json(context.paths.note(segment), {**note, **watch.read()})


@dataclass(frozen=True, eq=False)
class Work:
    """A chunk, what to hide in it, and which of its frames are copied from the source instead of encoded."""

    source: Path
    index: FrameIndex
    chunk: Chunk
    plan: MaskPlan
    regions: RegionPlan
    copies: Copies

    @property
    def n_copied(self) -> int:
        """Number of the chunk's frames that are copied."""
        return self.chunk.n_frames - sum(run.n_frames for run in self.encoded)

    @property
    def encoded(self) -> list[Run]:
        """The chunk's frames that are not."""
        return encoded_between(self.copies.runs, self.chunk.start_frame, self.chunk.stop_frame)

    @property
    def damaged(self) -> frozenset[int]:
        """Display indices of the chunk's frames that are hidden whole; none of them is copied."""
        first, stop = np.searchsorted(self.index.damaged, (self.chunk.start_frame, self.chunk.stop_frame))
        return frozenset(self.index.damaged[first:stop].tolist())

    def frames(self, run: Run) -> Iterator[tuple[int, int, Any]]:
        """Display index, timestamp and frame of a part of the chunk, as `decode_range` gives them."""
        pts, stop = self.index.pts, run.stop_frame
        stop_pts = int(pts[stop]) if stop < self.chunk.stop_frame else self.chunk.stop_pts
        decoded = decode_range(self.source, self.index, int(pts[run.start_frame]), stop_pts)
        for number, (frame_pts, frame) in zip(range(run.start_frame, stop), decoded, strict=True):
            yield number, frame_pts, frame


@dataclass(frozen=True)
class Masked:
    """What was done to a chunk: frames with anything hidden, each frame's mask digest if asked for, quality."""

    n_frames: int
    digests: list[str]
    crf: float | None
    """None also where no frame was encoded."""
    fidelity: Fidelity


def _mask_well(work: Work, target: Path, context: RunContext, crf: float | None) -> Masked:
    """Mask the chunk; again at a better quality if less is kept than asked for, twice at most."""
    config = context.config.video
    encoding = choose_encoding(work.index.stream, config)
    for _ in range(_MAX_ENCODES):
        masked = mask_chunk(work, target, context, crf)
        kept_db = masked.fidelity.mean_db
        if crf is None or kept_db is None or (better := better_crf(crf, kept_db, config, encoding)) is None:
            break
        crf, context = better, replace(context, progress=SilentProgress())  # its frames are counted already
    return masked


def mask_chunk(work: Work, target: Path, context: RunContext, crf: float | None = None) -> Masked:
    """Write the chunk's owned frames that are not copied, masked, to `target`; an empty file if all are.

    `crf` is for a configuration that leaves it open.
    """
    digests: dict[int, str] = {}
    if context.config.debug.mask_digests:
        digests = _digests_of_copied(work)
    with FrameMeter(context.progress, "mask") as meter:
        for _ in range(work.n_copied):
            meter.tick()
        if not work.encoded:
            target.touch()
            return Masked(0, [digests[n] for n in sorted(digests)], None, Fidelity(None, None, 0))
        n_masked, fidelity = _encode(work, target, context, crf, digests, meter)
    return Masked(n_masked, [digests[n] for n in sorted(digests)], crf, fidelity)


def _encode(
    work: Work, target: Path, context: RunContext, crf: float | None, digests: dict[int, str], meter: FrameMeter
) -> tuple[int, Fidelity]:
    """Number of frames with anything hidden, and how much of the rest was kept. Digests are added if asked for."""
    config = context.config
    styles = [config.mask[label] for label in config.labels]
    damaged = work.damaged
    n_masked, position, samples = 0, 0, Samples(work.chunk.n_frames - work.n_copied - len(damaged))
    with SegmentWriter(target, work.index, config.video, crf, work.copies.set_id) as writer:
        for run in work.encoded:
            for number, pts, frame in work.frames(run):
                planes = plane_set(frame, writable=True)
                if number not in damaged:
                    samples.before(planes)
                by_hand = work.regions.at(*shown_s(work.index, number))
                found = work.plan.between(number, number + 1) if by_hand.is_processed else MaskPlan.empty()
                shapes = mask_shapes(found, styles, planes)
                if config.debug.mask_digests:
                    digests[number] = mask_digest(planes, (*shapes, *by_hand.hide), by_hand.keep)
                paint(planes, shapes, by_hand.keep)
                paint(planes, by_hand.hide)
                n_masked += bool(shapes or by_hand.hide)
                if number not in damaged:
                    samples.after(position, planes)
                writer.write(pts, frame, starts_run=bool(work.copies.set_id) and number == run.start_frame)
                position += 1
                meter.tick()
    return n_masked, samples.compare(target)


def _digests_of_copied(work: Work) -> dict[int, str]:
    """Digests of the frames that are copied: nothing is hidden in them."""
    chunk = work.chunk
    copied = [run for run in within(work.copies.runs, chunk.start_frame, chunk.stop_frame) if run.is_copied]
    return {
        number: mask_digest(plane_set(frame), (), work.regions.at(*shown_s(work.index, number)).keep)
        for run in copied
        for number, _, frame in work.frames(run)
    }


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
