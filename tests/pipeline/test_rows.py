from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.errors import NoSpaceError
from anonflow.pipeline.rows import SCHEMA, Outcome, Row, from_table, to_table
from anonflow.types import Source, Status

TEXT = st.text(st.characters(codec="utf-8"))
INT64 = st.integers(-(2**63), 2**63 - 1)
INT32 = st.integers(-1, 2**31 - 1)
ROWS = st.builds(Row, TEXT, TEXT, TEXT, INT64, INT64, INT32, INT32, TEXT)
SOURCE = Source("/in/a.mp4", "a.mp4", "v", 1, 2)
OUTCOMES = st.builds(
    Outcome,
    uri=TEXT,
    video_id=TEXT,
    status=st.sampled_from(Status),
    source_bytes=INT64,
    fingerprint=TEXT,
    reason=TEXT,
    message=TEXT,
    frames=INT64,
    duration_s=st.floats(allow_nan=False),
    details=st.dictionaries(TEXT, st.lists(st.integers() | TEXT)),
)


@given(st.lists(ROWS, max_size=4))
@settings(deadline=None)
def test_rows_come_back_as_they_were(rows: Any) -> None:
    table = to_table(rows)
    assert table.schema.equals(SCHEMA)
    assert from_table(table) == rows


def test_rows_of_several_tables_join() -> None:
    rows = [Row.of(SOURCE), Row.of(SOURCE).ended(Outcome.quarantined(SOURCE, "fp", NoSpaceError("full")))]
    assert from_table(pa.concat_tables([to_table(rows[:1]), to_table([]), to_table(rows[1:])])) == rows


@given(OUTCOMES)
@settings(deadline=None)
def test_an_outcome_travels_in_its_row(outcome: Any) -> None:
    row = from_table(to_table([Row.of(SOURCE).ended(outcome)]))[0]
    assert Outcome.from_json(json.loads(row.outcome)) == outcome


def test_a_row_knows_its_source() -> None:
    assert Row.of(SOURCE).source == SOURCE
    assert Row.of(SOURCE).chunk == -1 and not Row.of(SOURCE).outcome


def test_a_quarantine_names_its_source_once() -> None:
    with_name = Outcome.quarantined(SOURCE, "fp", NoSpaceError("/in/a.mp4: full"))
    without = Outcome.quarantined(SOURCE, "fp", NoSpaceError("full"))
    assert with_name.message == without.message == "/in/a.mp4: full"
    assert without.reason == "no_space" and without.status is Status.QUARANTINED


def test_an_outcome_knows_when_it_ended() -> None:
    from datetime import UTC, datetime

    ended = datetime.fromisoformat(Outcome.quarantined(SOURCE, "fp", NoSpaceError("full")).finished_at)
    assert ended.tzinfo is not None and abs((datetime.now(UTC) - ended).total_seconds()) < 3600
