from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anonflow.assure.ledger import Reading, chains, ledger_rows
from anonflow.evidence.chain import chained, head
from anonflow.pipeline.proof import row_sha256
from tests.assure.records import run_of, unchanged_run
from tests.pipeline.worlds import World


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return run_of(World.make(tmp_path), "run1")


def found(run: Path) -> set[tuple[str, str]]:
    return {(finding.name, finding.check.name) for finding in Reading(run).findings()}


def rewrite(run: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Write the ledger anew, as somebody would who can."""
    table = pq.read_table(run / "ledger.parquet")
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema), run / "ledger.parquet")


def test_what_was_written_is_what_is_read(run: Path) -> None:
    reading = Reading(run)
    assert list(reading.findings()) == []
    assert (reading.root.root, reading.root.leaves) == (
        json.loads((run / "root.json").read_text())["ledger_root"],
        4,
    )
    kinds = {chain.video_id: [record["kind"] for record in chain.records] for chain in chains(run)}
    assert kinds["id-a.mp4"] == ["source", "configuration", "plan", "output", "outcome", "ledger"]
    assert kinds["id-d.mp4"] == ["source", "outcome", "ledger"]


COLUMNS = ["uri", "relative_path", "status", "reason", "message", "output_uri", "source_sha256", "output_sha256"]


@pytest.mark.parametrize("column", [*COLUMNS, "fingerprint", "kind", "chain_head"])
def test_any_changed_column_is_found_by_name(run: Path, column: str) -> None:
    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows[1][column] = rows[1][column] + "x"
        return rows

    before = Reading(run)
    list(before.findings())
    rewrite(run, change)
    after = Reading(run)
    names = {finding.name for finding in after.findings()}
    assert names == {"b.mp4x" if column == "relative_path" else "b.mp4"}
    assert after.root != before.root


@pytest.mark.parametrize("column", ["source_bytes", "output_bytes", "frames", "duration_s"])
def test_any_changed_number_is_found(run: Path, column: str) -> None:
    rewrite(run, lambda rows: [rows[0] | {column: rows[0][column] + 1}, *rows[1:]])
    assert ("a.mp4", "ledger row") in found(run)


def test_a_removed_row_is_found(run: Path) -> None:
    rewrite(run, lambda rows: [rows[0], *rows[2:]])
    assert found(run) == {("id-b.mp4", "ledger row")}
    rewrite(run, lambda rows: rows[:-1])
    assert found(run) == {("id-b.mp4", "ledger row"), ("id-d.mp4", "ledger row")}


def test_an_added_row_is_found(run: Path) -> None:
    extra = {"uri": "/in/b1.mp4", "relative_path": "b1.mp4", "video_id": "id-b1"}
    rewrite(run, lambda rows: [*rows[:2], rows[1] | extra, *rows[2:]])
    assert ("b1.mp4", "ledger row") in found(run)
    assert not {name for name, _ in found(run)} & {"a.mp4", "c.mp4", "d.mp4"}


def test_a_doubled_row_is_found(run: Path) -> None:
    rewrite(run, lambda rows: [*rows[:2], *rows[1:]])
    assert found(run) == {("b.mp4", "ledger row")}


def test_rows_that_changed_places_are_found(run: Path) -> None:
    rewrite(run, lambda rows: [rows[1], rows[0], *rows[2:]])
    assert {name for name, _ in found(run)} == {"a.mp4", "b.mp4"}


def lines(run: Path) -> list[bytes]:
    return (run / "chains.jsonl").read_bytes().splitlines(keepends=True)


def test_any_flipped_byte_of_the_chains_is_found(run: Path) -> None:
    """A record's form is exact, so no byte is without meaning."""
    whole = (run / "chains.jsonl").read_bytes()
    unnoticed = []
    ends = [place for place, byte in enumerate(whole) if byte == ord("\n")]
    for place in [*range(0, len(whole), 41), *ends[::3], ends[-1]]:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        (run / "chains.jsonl").write_bytes(flipped)
        if not found(run):
            unnoticed.append(place)
    assert unnoticed == []


@pytest.mark.parametrize("n", [0, 3, 6, 8, -1])
def test_a_removed_record_is_found(run: Path, n: int) -> None:
    kept = lines(run)
    del kept[n]
    (run / "chains.jsonl").write_bytes(b"".join(kept))
    assert found(run)


def test_a_chain_that_was_removed_or_moved_is_found(run: Path) -> None:
    whole = lines(run)
    (run / "chains.jsonl").write_bytes(b"".join(whole[6:]))
    assert found(run) == {("a.mp4", "ledger row")}
    (run / "chains.jsonl").write_bytes(b"".join(whole[6:12] + whole[:6] + whole[12:]))
    assert {("a.mp4", "chain"), ("b.mp4", "chain")} <= found(run)


def test_a_chain_that_was_made_anew_with_its_row_contradicts_the_row(run: Path) -> None:
    """Somebody who rebuilds both must also make them agree; whether they do is looked at, too."""

    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows[0]["output_sha256"] = "0" * 64
        chain = next(chains(run)).records[:-1]
        whole = chained("id-a.mp4", [{"kind": "ledger", "row_sha256": row_sha256(rows[0])}], chain)
        rows[0]["chain_head"] = head(whole)
        rest = lines(run)[6:]
        made = [json.dumps(r, sort_keys=True, separators=(",", ":")).encode() + b"\n" for r in whole]
        (run / "chains.jsonl").write_bytes(b"".join(made + rest))
        return rows

    rewrite(run, change)
    assert found(run) == {("a.mp4", "chain")}


def test_an_unchanged_source_goes_on_from_the_chain_that_the_other_run_holds(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    first = run_of(world, "run1", "a")
    (chain,) = chains(unchanged_run(world, "run2", "run1"))
    (published,) = chains(first)
    assert [record["kind"] for record in chain.records] == ["unchanged", "ledger"]
    assert chain.records[0]["run_id"] == "run1"
    assert chain.records[0]["previous"] == head(published.records[:-1])
    assert found(tmp_path / "out" / "_anonflow" / "run2") == set()


def test_a_run_that_was_killed_holds_no_chains_so_the_next_has_them_whole(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    run = unchanged_run(world, "run2", "killed")
    (chain,) = chains(run)
    assert chain.records[0]["kind"] == "source" and len(chain.records) == 7
    assert found(run) == set()


def test_rows_come_in_pieces(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonflow.assure.ledger._ROWS_AT_ONCE", 1)
    assert [row["relative_path"] for row in ledger_rows(run)] == ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]
