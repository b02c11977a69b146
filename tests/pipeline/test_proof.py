from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from typing import Any

from anonflow.evidence.chain import head
from anonflow.pipeline.chains import published_chain, unchanged_chain
from anonflow.pipeline.proof import Proof, leaf, row_sha256

PUBLISHED = published_chain("id", {"bytes": 1, "sha256": "1" * 64}, {"output": {"bytes": 2}}, "run1")


def row(**values: Any) -> dict[str, Any]:
    return {"uri": "/in/a", "video_id": "id", "duration_s": 2.0, "message": None, **values}


def proof(*finished: str) -> tuple[Proof, io.BytesIO]:
    file = io.BytesIO()
    return Proof(file, lambda run_id: run_id in finished), file


def test_each_line_is_a_record_whose_hash_is_that_of_the_line() -> None:
    made, file = proof()
    proved = made.add(row(), PUBLISHED)
    lines = file.getvalue().splitlines()
    assert len(lines) == len(PUBLISHED) + 1
    assert proved["chain_head"] == hashlib.sha256(lines[-1]).hexdigest()
    assert f'"row_sha256":"{row_sha256(proved)}"'.encode() in lines[-1]
    assert f'"previous":"{head(PUBLISHED)}"'.encode() in lines[-1]


def test_an_unchanged_source_is_a_reference_to_a_finished_run_else_the_whole_chain() -> None:
    for finished, n_lines in ((("run1",), 2), ((), len(PUBLISHED) + 2)):
        made, file = proof(*finished)
        made.add(row(), unchanged_chain("id", PUBLISHED))
        assert len(file.getvalue().splitlines()) == n_lines


def test_whether_a_run_finished_is_asked_once() -> None:
    asked: list[str] = []
    made = Proof(io.BytesIO(), lambda run_id: bool(asked.append(run_id)) or True)
    for _ in range(5):
        made.add(row(), unchanged_chain("id", PUBLISHED))
    assert asked == ["run1"]


def test_every_row_has_its_share_in_the_root() -> None:
    roots = set()
    for rows in ([], [row()], [row(), row(uri="/in/b")], [row(uri="/in/b"), row()], [row(frames=1)]):
        made, _ = proof()
        for one in rows:
            made.add(one, PUBLISHED)
        assert made.root().leaves == len(rows)
        roots.add(made.root().root)
    assert len(roots) == 5


def test_times_are_written_in_one_way() -> None:
    noon = datetime(2026, 1, 2, 12, 0, 0, 5000, tzinfo=UTC)
    assert leaf({"at": noon}) == b'{"at":"2026-01-02T12:00:00.005+00:00"}'
