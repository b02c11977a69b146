from __future__ import annotations

import json
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from anonflow.tables import (
    DETECTIONS,
    MASK_PLAN,
    TRACKS,
    from_table,
    read_index,
    read_note,
    read_rows,
    to_table,
    write_index,
    write_rows,
)
from anonflow.types import AudioStream, Chunk, Detections, FrameIndex, MaskPlan, StreamFormat, Tracks

KINDS = (Detections, Tracks, MaskPlan)
REUSED_FOLDER = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
INT64 = st.integers(-(2**63), 2**63 - 1)


@st.composite
def rows(draw: Any, kind: Any) -> Any:
    n = draw(st.integers(0, 12))
    empty = kind.empty()
    columns = {}
    for f in fields(kind):
        column = getattr(empty, f.name)
        columns[f.name] = draw(hnp.arrays(column.dtype, (n, *column.shape[1:])))
    return kind(**columns)


def same(one: Any, other: Any) -> Any:
    return all(
        np.array_equal(
            getattr(one, f.name), getattr(other, f.name), equal_nan=getattr(one, f.name).dtype.kind == "f"
        )
        and getattr(one, f.name).dtype == getattr(other, f.name).dtype
        and getattr(one, f.name).shape == getattr(other, f.name).shape
        for f in fields(one)
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(data=st.data())
def test_rows_come_back_as_they_were(kind: Any, data: st.DataObject) -> None:
    given_rows = data.draw(rows(kind))
    assert same(from_table(kind, to_table(given_rows)), given_rows)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), note=st.dictionaries(TEXT, st.integers() | TEXT))
@REUSED_FOLDER
def test_files_come_back_as_they_were_with_their_note(
    kind: Any, data: st.DataObject, note: Any, tmp_path: Path
) -> None:
    given_rows, path = data.draw(rows(kind)), tmp_path / "rows.parquet"
    write_rows(path, given_rows, note)
    assert same(read_rows(kind, path), given_rows)
    assert read_note(path) == note


@settings(deadline=None)
@given(data=st.data(), cut=st.integers(0, 12))
def test_a_table_of_several_pieces_is_read_in_order(data: st.DataObject, cut: Any) -> None:
    given_rows = data.draw(rows(Tracks))
    table = to_table(given_rows)
    pieces = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    assert same(from_table(Tracks, pieces), given_rows)


def test_no_rows_keep_their_types(tmp_path: Path) -> None:
    for kind in KINDS:
        write_rows(tmp_path / "empty.parquet", kind.empty())
        assert same(read_rows(kind, tmp_path / "empty.parquet"), kind.empty())


def test_the_schemas_are_those_that_other_tools_read(tmp_path: Path) -> None:
    for kind, schema in zip(KINDS, (DETECTIONS, TRACKS, MASK_PLAN), strict=True):
        write_rows(tmp_path / "rows.parquet", kind.empty())
        assert pq.read_schema(tmp_path / "rows.parquet").remove_metadata().equals(schema)


def test_columns_that_were_read_can_be_written_to(tmp_path: Path) -> None:
    write_rows(
        tmp_path / "rows.parquet", MaskPlan(np.arange(2), np.ones((2, 4), np.float32), np.zeros(2, np.int16))
    )
    read = read_rows(MaskPlan, tmp_path / "rows.parquet")
    read.xyxy[:] = 0
    read.frames[:] = 7


FRACTIONS = st.fractions(min_value=Fraction(1, 10**9), max_value=1000, max_denominator=10**9)
STREAMS = st.builds(
    StreamFormat,
    codec=TEXT,
    pixel_format=TEXT,
    width=st.integers(1, 9999),
    height=st.integers(1, 9999),
    sample_aspect_ratio=st.none() | FRACTIONS,
    rotation_deg=st.sampled_from([-180, -90, 0, 90, 180]),
    color_range=st.integers(0, 2),
    color_primaries=st.integers(0, 22),
    color_transfer=st.integers(0, 18),
    color_matrix=st.integers(0, 14),
)
CHUNKS = st.builds(Chunk, st.integers(0, 99), INT64, INT64, INT64, INT64, INT64, INT64)


@st.composite
def indexes(draw: Any) -> Any:
    pts = np.array(sorted(draw(st.sets(st.integers(-(2**60), 2**60), min_size=1, max_size=12))), np.int64)
    n = len(pts)
    return FrameIndex(
        container=draw(TEXT),
        stream_index=draw(st.integers(0, 9)),
        time_base=draw(FRACTIONS),
        pts=pts,
        keyframe=draw(hnp.arrays(np.bool_, n)),
        decode_rank=np.array(draw(st.permutations(range(n))), np.int64),
        end_pts=draw(INT64),
        stream=draw(STREAMS),
        audio=tuple(draw(st.lists(st.builds(AudioStream, st.integers(0, 9), TEXT, st.integers(0)), max_size=3))),
        removed_streams=tuple(draw(st.lists(TEXT, max_size=3))),
        damaged=np.flatnonzero(draw(hnp.arrays(np.bool_, n))).astype(np.int64),
        byte_positions=draw(st.sampled_from([np.zeros(0, np.int64), np.arange(n, dtype=np.int64) - 1])),
    )


@given(index=indexes(), chunks=st.lists(CHUNKS, max_size=3).map(tuple))
@REUSED_FOLDER
def test_an_index_comes_back_as_it_was_with_its_chunks(index: Any, chunks: Any, tmp_path: Path) -> None:
    path = tmp_path / "index.parquet"
    write_index(path, index, chunks, {"wall_s": 0.25})
    read, read_chunks = read_index(path)
    assert read_chunks == chunks
    for f in fields(FrameIndex):
        one, other = getattr(index, f.name), getattr(read, f.name)
        if isinstance(one, np.ndarray):
            assert np.array_equal(one, other) and one.dtype == other.dtype
        else:
            assert one == other and type(one) is type(other)


def test_a_note_is_plain_json_in_the_schema(tmp_path: Path) -> None:
    """Other tools can read it too."""
    write_rows(tmp_path / "rows.parquet", MaskPlan.empty(), {"a": 1})
    assert json.loads(pq.read_schema(tmp_path / "rows.parquet").metadata[b"anonflow"]) == {"a": 1}


def test_a_failed_write_leaves_no_table(tmp_path: Path) -> None:
    broken = MaskPlan(np.arange(3), np.ones((2, 4), np.float32), np.zeros(3, np.int16))
    with pytest.raises(ValueError):
        write_rows(tmp_path / "rows.parquet", broken)
    assert list(tmp_path.iterdir()) == []
