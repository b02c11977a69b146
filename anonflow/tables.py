"""The Arrow schemas of what is written to disk, and the way there and back.

A file may carry one JSON value (times, the execution provider) in its schema's metadata.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.storage import canonical_json, written_whole
from anonflow.types import AudioStream, Chunk, Detections, FrameFacts, FrameIndex, MaskPlan, StreamFormat, Tracks

BOX = pa.list_(pa.float32(), 4)

DETECTIONS = pa.schema([("frames", pa.int64()), ("xyxy", BOX), ("scores", pa.float32()), ("labels", pa.int16())])
TRACKS = pa.schema(
    [
        ("frames", pa.int64()),
        ("track_ids", pa.int64()),
        ("xyxy", BOX),
        ("scores", pa.float32()),
        ("labels", pa.int16()),
        ("origins", pa.uint8()),
    ]
)
FRAME_FACTS = pa.schema([("frames", pa.int64()), ("luma", pa.float32()), ("cuts", pa.bool_())])
MASK_PLAN = pa.schema([("frames", pa.int64()), ("xyxy", BOX), ("labels", pa.int16())])

LEDGER = pa.schema(
    [
        ("uri", pa.string()),
        ("relative_path", pa.string()),
        ("video_id", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("message", pa.string()),
        ("output_uri", pa.string()),
        ("source_bytes", pa.int64()),
        ("source_sha256", pa.string()),
        ("output_bytes", pa.int64()),
        ("output_sha256", pa.string()),
        ("frames", pa.int64()),
        ("duration_s", pa.float64()),
        ("fingerprint", pa.string()),
        ("kind", pa.string()),
        ("finished_at", pa.timestamp("ms", tz="UTC")),
        ("chain_head", pa.string()),
    ]
)
MASK_DIGESTS = pa.schema(
    [
        ("uri", pa.string()),
        ("video_id", pa.string()),
        ("frame", pa.int64()),
        ("pts", pa.int64()),
        ("digest", pa.string()),
    ]
)

Rows = TypeVar("Rows", Detections, FrameFacts, Tracks, MaskPlan)
_SCHEMAS: dict[type, pa.Schema] = {
    Detections: DETECTIONS,
    FrameFacts: FRAME_FACTS,
    Tracks: TRACKS,
    MaskPlan: MASK_PLAN,
}
_NOTE = b"anonflow"


def to_table(rows: Detections | FrameFacts | Tracks | MaskPlan) -> pa.Table:
    """Arrow table of a struct of arrays."""
    schema = _SCHEMAS[type(rows)]
    return pa.table([_column(getattr(rows, f.name), schema.field(f.name).type) for f in fields(rows)], schema)


def from_table(kind: type[Rows], table: pa.Table) -> Rows:
    """The struct of arrays that `to_table` was given."""
    return kind(**{f.name: _array(table.column(f.name)) for f in fields(kind)})


def write_rows(path: Path, rows: Detections | FrameFacts | Tracks | MaskPlan, note: Any = None) -> None:
    """Write rows as one Parquet file, whole, with `note` (anything JSON can hold) beside them."""
    table = to_table(rows).replace_schema_metadata({_NOTE: canonical_json(note)})
    with written_whole(path) as partial:
        pq.write_table(table, partial)


def read_rows(kind: type[Rows], path: Path) -> Rows:
    """Rows that `write_rows` wrote."""
    return from_table(kind, pq.read_table(path))


def read_note(path: Path) -> Any:
    """The note that `write_rows` wrote beside the rows."""
    return json.loads(pq.read_schema(path).metadata[_NOTE])


def _column(values: np.ndarray[Any, Any], kind: pa.DataType) -> pa.Array:
    if kind == BOX:
        flat = pa.array(np.ascontiguousarray(values, np.float32).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, 4)
    return pa.array(values, type=kind)


def _array(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    if column.type == BOX:
        flat = column.combine_chunks().flatten()
        return np.array(flat, np.float32).reshape(-1, 4)
    return np.array(column.combine_chunks().to_numpy(zero_copy_only=False))


def write_index(path: Path, index: FrameIndex, chunks: tuple[Chunk, ...], times: dict[str, float]) -> None:
    """Write a frame index (a row per frame) with the chunks planned on it and the time that planning took."""
    table = pa.table({"pts": index.pts, "keyframe": index.keyframe, "decode_rank": index.decode_rank})
    damaged = np.zeros(index.n_frames, np.bool_)
    damaged[index.damaged] = True
    table = table.append_column("damaged", pa.array(damaged))
    if len(index.byte_positions):
        table = table.append_column("byte_positions", pa.array(index.byte_positions))
    note = {
        "container": index.container,
        "stream_index": index.stream_index,
        "time_base": str(index.time_base),
        "end_pts": index.end_pts,
        "stream": asdict(index.stream),
        "audio": [asdict(stream) for stream in index.audio],
        "removed_streams": index.removed_streams,
        "shift_pts": index.shift_pts,
        "chunks": [asdict(chunk) for chunk in chunks],
        "times": times,
    }
    with written_whole(path) as partial:
        pq.write_table(table.replace_schema_metadata({_NOTE: canonical_json(note)}), partial)


def read_index(path: Path) -> tuple[FrameIndex, tuple[Chunk, ...]]:
    """The frame index and chunks that `write_index` wrote."""
    table, note = pq.read_table(path), read_note(path)
    ratio = note["stream"]["sample_aspect_ratio"]
    stream: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in note["stream"].items()
    }
    stream["sample_aspect_ratio"] = None if ratio is None else Fraction(ratio)
    index = FrameIndex(
        container=note["container"],
        stream_index=note["stream_index"],
        time_base=Fraction(note["time_base"]),
        pts=_array(table["pts"]),
        keyframe=_array(table["keyframe"]),
        decode_rank=_array(table["decode_rank"]),
        end_pts=note["end_pts"],
        stream=StreamFormat(**stream),
        audio=tuple(AudioStream(**audio) for audio in note["audio"]),
        removed_streams=tuple(note["removed_streams"]),
        shift_pts=note["shift_pts"],
        damaged=np.flatnonzero(_array(table["damaged"])).astype(np.int64),
        byte_positions=_array(table["byte_positions"])
        if "byte_positions" in table.column_names
        else np.zeros(0, np.int64),
    )
    return index, tuple(Chunk(**chunk) for chunk in note["chunks"])
