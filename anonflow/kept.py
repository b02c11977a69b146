"""Detections, tracks and frame facts that a run kept on request (`keep.detections=true`), as flat Parquet tables.

FOLDER/retention.json                   what this is, and when it is to be deleted
FOLDER/detections/<id>.parquet          a row per box, down to the detectors' low floor scores
FOLDER/tracks/<id>.parquet              a row per point of a track; pictures have none
FOLDER/frames/<id>.parquet              a row per frame: when it is shown, its size, brightness, cuts

`<id>` is a video's id, or that of an album of pictures; `video_id` is in every row. Boxes are in px of the coded
picture, before its rotation. Any of DuckDB, Spark and pandas reads `FOLDER/detections/*.parquet` as one table.
The tables are exact: mask plans that are made from them equal those of the run (see `anonflow.track.whole`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from anonflow.storage import canonical_json, written_whole
from anonflow.types import Detections, FrameFacts, IntArray, Origin, Tracks

NOTE_NAME = "retention.json"
_WORD = pa.dictionary(pa.int16(), pa.string())
_ID = ("video_id", pa.dictionary(pa.int32(), pa.string()))
_BOX = [(name, pa.float32()) for name in ("x1", "y1", "x2", "y2")]
_PLACE = [_ID, ("frame", pa.int64()), ("time_s", pa.float64())]

DETECTIONS = pa.schema(
    [*_PLACE, *_BOX, ("score", pa.float32()), ("label", _WORD), ("model", _WORD), ("floor", pa.float32())]
)
"""`model`: ids of the models that give the label, `+` between them. `floor`: the score below which is nothing."""
TRACKS = pa.schema(
    [*_PLACE, ("track_id", pa.int64()), *_BOX, ("score", pa.float32()), ("label", _WORD), ("origin", _WORD)]
)
FRAMES = pa.schema(
    [
        *_PLACE,
        ("pts", pa.int64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("luma", pa.float32()),
        ("cut", pa.bool_()),
    ]
)
TABLES = {"detections": DETECTIONS, "tracks": TRACKS, "frames": FRAMES}
_NOTE = b"anonflow"


@dataclass(frozen=True)
class Labels:
    """What label codes mean: by code, the label's name, its models and their lowest floor score."""

    names: tuple[str, ...]
    models: tuple[str, ...]
    floors: tuple[float, ...]

    def column(self, words: tuple[str, ...], codes: NDArray[np.int16]) -> pa.Array:
        """A dictionary-encoded column."""
        return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int16()), pa.array(words, pa.string()))


@dataclass(frozen=True)
class Shown:
    """When frames are shown, and how large they are. `pts` (n,) in units of `time_base` seconds; sizes in px."""

    pts: IntArray
    time_base: Fraction
    end_pts: int
    width: int
    height: int
    rotation_deg: int

    def times_s(self, frames: IntArray) -> NDArray[np.float64]:
        """Seconds since the first frame."""
        return np.asarray((self.pts[frames] - self.pts[0]) * float(self.time_base), np.float64)

    def to_json(self) -> dict[str, Any]:
        """All but the timestamps."""
        return {"time_base": str(self.time_base), "end_pts": self.end_pts, "rotation_deg": self.rotation_deg}


@dataclass(frozen=True, eq=False)
class Kept:
    """What was kept of one video or picture; a picture has one frame, at 0, and no tracks."""

    video_id: str
    shown: Shown
    labels: tuple[str, ...]
    detections: Detections
    facts: FrameFacts
    tracks: Tracks


def detections_table(video_id: str, found: Detections, shown: Shown, labels: Labels) -> pa.Table:
    """Detections as they are kept."""
    floors = np.array(labels.floors, np.float32)[found.labels]
    models = labels.column(labels.models, found.labels)
    words = [found.scores, labels.column(labels.names, found.labels), models, floors]
    return _table(DETECTIONS, video_id, found.frames, shown, [*found.xyxy.T, *words])


def tracks_table(video_id: str, tracks: Tracks, shown: Shown, labels: Labels) -> pa.Table:
    """Tracks as they are kept; their origins are the names of `Origin`."""
    origins = labels.column(tuple(o.name.lower() for o in Origin), tracks.origins.astype(np.int16))
    label = labels.column(labels.names, tracks.labels)
    columns = [tracks.track_ids, *tracks.xyxy.T, tracks.scores, label, origins]
    return _table(TRACKS, video_id, tracks.frames, shown, columns)


def frames_table(video_id: str, facts: FrameFacts, shown: Shown) -> pa.Table:
    """Frame facts as they are kept."""
    sizes = [np.full(len(facts), side, np.int32) for side in (shown.width, shown.height)]
    return _table(FRAMES, video_id, facts.frames, shown, [shown.pts[facts.frames], *sizes, facts.luma, facts.cuts])


@contextmanager
def written(folder: Path, table: str, name: str, note: Mapping[str, Any]) -> Iterator[pq.ParquetWriter]:
    """Write a file of `table` for its owner alone, part by part; `note` is kept beside the rows."""
    schema = TABLES[table].with_metadata({_NOTE: canonical_json(note)})
    with written_whole(folder / table / f"{name}.parquet") as partial:
        partial.touch(mode=0o600)
        with pq.ParquetWriter(partial, schema) as out:
            yield out


def read_kept(folder: Path) -> Iterator[Kept]:
    """Everything that a run kept, video by video, in the order of the ids."""
    for path in sorted((folder / "frames").glob("*.parquet"), key=lambda p: p.name):
        yield from _read_file(folder, path.name)


def read_video(folder: Path, video_id: str) -> Kept:
    """What was kept of a video. Raises FileNotFoundError."""
    (kept,) = _read_file(folder, f"{video_id}.parquet")
    return kept


def _read_file(folder: Path, name: str) -> Iterator[Kept]:
    frames, found = (_read(folder / table / name) for table in ("frames", "detections"))
    tracks_path = folder / "tracks" / name
    tracks = _read(tracks_path) if tracks_path.exists() else TRACKS.empty_table()
    note = json.loads(frames.schema.metadata[_NOTE])
    labels = tuple(note["labels"])
    for video_id in pc.unique(frames["video_id"].cast(pa.string())).to_pylist():
        own, its_found, its_tracks = (_of(video_id, table) for table in (frames, found, tracks))
        columns = {c: own[c].to_numpy() for c in ("pts", "frame", "width", "height", "luma", "cut")}
        time_base, end_pts, rotation = Fraction(note["time_base"]), note["end_pts"], note["rotation_deg"]
        width, height = int(columns["width"][0]), int(columns["height"][0])
        shown = Shown(columns["pts"], time_base, end_pts, width, height, rotation)
        facts = FrameFacts(columns["frame"], columns["luma"], columns["cut"])
        yield Kept(video_id, shown, labels, _detections(its_found, labels), facts, _tracks(its_tracks, labels))


def _read(path: Path) -> pa.Table:
    with path.open("rb") as file:
        return pq.read_table(file)


def _of(video_id: str, table: pa.Table) -> pa.Table:
    return table.filter(pc.equal(table["video_id"].cast(pa.string()), video_id))


def _detections(table: pa.Table, labels: tuple[str, ...]) -> Detections:
    codes = _codes(table["label"], labels).astype(np.int16)
    return Detections(table["frame"].to_numpy(), _xyxy(table), table["score"].to_numpy(), codes)


def _tracks(table: pa.Table, labels: tuple[str, ...]) -> Tracks:
    origins = _codes(table["origin"], tuple(o.name.lower() for o in Origin)).astype(np.uint8)
    codes = _codes(table["label"], labels).astype(np.int16)
    frames, ids, scores = (table[name].to_numpy() for name in ("frame", "track_id", "score"))
    return Tracks(frames, ids, _xyxy(table), scores, codes, origins)


def _xyxy(table: pa.Table) -> NDArray[np.float32]:
    return np.stack([table[name].to_numpy() for name in ("x1", "y1", "x2", "y2")], axis=-1).astype(np.float32)


def _codes(column: pa.ChunkedArray, words: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array(pc.index_in(column.cast(pa.string()), pa.array(words, pa.string())).to_numpy(), np.int64)


def _table(schema: pa.Schema, video_id: str, frames: IntArray, shown: Shown, columns: Iterable[Any]) -> pa.Table:
    codes = pa.array(np.zeros(len(frames), np.int32))
    ids = pa.DictionaryArray.from_arrays(codes, pa.array([video_id], pa.string()))
    return pa.table([ids, frames, shown.times_s(frames), *columns], schema=schema)
