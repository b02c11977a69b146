from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonflow.assure.runs import check_order, check_run
from anonflow.evidence.canonical import canonical_bytes
from anonflow.evidence.signing import read_public_key, read_signing_key
from tests.assure.records import run_of
from tests.evidence.keys import key_pair
from tests.pipeline.worlds import World

SHARED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.make(tmp_path)


def points(run: Path) -> set[str]:
    return {finding.check.name for finding in check_run(run, None)}


def order(world: World) -> list[tuple[str, str]]:
    return [(finding.name, finding.check.detail) for finding in check_order(world.output / "_anonflow")]


def test_a_run_that_holds(world: World) -> None:
    assert list(check_run(run_of(world, "run1"), None)) == []
    assert order(world) == []


@given(data=st.data())
@SHARED
@pytest.mark.parametrize("name", ["ledger.parquet", "report.json", "root.json"])
def test_any_flipped_bit_of_the_record_is_found(name: str, data: st.DataObject, tmp_path: Path) -> None:
    """The seal holds the SHA-256 of the files, so Parquet's bytes that are no content are among them."""
    run = tmp_path / "out" / "_anonflow" / "run1"
    if not run.exists():
        run_of(World.make(tmp_path), "run1")
    whole = (run / name).read_bytes()
    flipped = bytearray(whole)
    flipped[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (run / name).write_bytes(flipped)
    try:
        assert points(run) or list(check_order(run.parent))
    finally:
        (run / name).write_bytes(whole)


@pytest.mark.parametrize("name", ["ledger.parquet", "chains.jsonl", "report.json", "root.json"])
def test_a_removed_file_is_found(world: World, name: str) -> None:
    run = run_of(world, "run1")
    (run / name).unlink()
    assert points(run)


def test_a_report_that_names_another_model_is_found_even_if_it_is_sealed_anew(world: World) -> None:
    run = run_of(world, "run1")
    report = json.loads((run / "report.json").read_text())
    report["models"][0]["sha256"] = "0" * 64
    (run / "report.json").write_text(json.dumps(report))
    assert points(run) == {"report", "models"}


def test_a_report_that_shows_another_configuration_is_found(world: World) -> None:
    run = run_of(world, "run1")
    report = json.loads((run / "report.json").read_text())
    report["configuration"]["detector"]["face"]["threshold"] = 0.99
    (run / "report.json").write_text(json.dumps(report))
    assert points(run) == {"report", "configuration"}


def test_a_removed_run_is_found_wherever_it_stood(world: World) -> None:
    control = world.output / "_anonflow"
    for number in (1, 2, 3):
        run_of(world, f"run{number}", "a")
    assert order(world) == []
    for number, why in ((1, "run run2 follows it"), (2, "run run3 follows it"), (3, "it is the last run")):
        aside = control.with_name("aside")
        (control / f"run{number}").rename(aside)
        ((name, detail),) = order(world)
        assert name == f"run run{number}" and "removed" in detail and why in detail
        aside.rename(control / f"run{number}")


def test_a_changed_seal_is_found_by_the_run_after_it(world: World) -> None:
    for number in (1, 2):
        run_of(world, f"run{number}", "a")
    seal = world.output / "_anonflow" / "run1" / "root.json"
    seal.write_bytes(canonical_bytes(json.loads(seal.read_bytes()) | {"date": "2020-01-01"}))
    assert order(world) == [("run run1", "its root.json was changed: run run2 follows it")]


def test_two_runs_that_follow_the_same_are_found(world: World) -> None:
    control = world.output / "_anonflow"
    run_of(world, "run1", "a")
    head = (control / "head.json").read_bytes()
    run_of(world, "run2", "a")
    shutil.copytree(control / "run2", control / "aside")
    shutil.rmtree(control / "run2")
    (control / "head.json").write_bytes(head)
    run_of(world, "run3", "a")
    (control / "aside").rename(control / "run2")
    assert [name for name, _ in order(world)] == ["run run3"]


def test_a_pointer_that_is_gone_is_found(world: World) -> None:
    run_of(world, "run1", "a")
    (world.output / "_anonflow" / "head.json").unlink()
    assert [name for name, _ in order(world)] == ["runs"]


def spoilt(run: Path) -> dict[str, Callable[[], None]]:
    signature = json.loads((run / "signature.json").read_text())
    return {
        "it is not that of this key": lambda: (run / "signature.json").write_text(
            json.dumps(signature | {"signature": "AA" + signature["signature"][2:]})
        ),
        "cannot be read": lambda: (run / "signature.json").write_text("{"),
        "there is none": (run / "signature.json").unlink,
    }


def test_a_run_must_be_signed_if_a_key_is_given(world: World, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    key = read_public_key(public)
    run = run_of(world, "run1", key=read_signing_key(private))
    assert list(check_run(run, key)) == []
    for why, spoil in spoilt(run).items():
        spoil()
        (finding,) = check_run(run, key)
        assert finding.check.name == "signature" and why in finding.check.detail
    (tmp_path / "other").mkdir()
    signed_by_other = run_of(world, "run2", key=read_signing_key(key_pair(tmp_path / "other")[0]))
    assert [finding.check.name for finding in check_run(signed_by_other, key)] == ["signature"]


def test_who_rebuilds_everything_is_found_by_the_signature_alone(world: World, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    run = run_of(world, "run1", key=read_signing_key(private))
    signature = (run / "signature.json").read_bytes()
    shutil.rmtree(world.output / "_anonflow")
    run = run_of(world, "run1", "abc")
    (run / "signature.json").write_bytes(signature)
    assert list(check_run(run, None)) == [] and order(world) == []
    assert [finding.check.name for finding in check_run(run, read_public_key(public))] == ["signature"]


def test_the_private_key_is_nowhere(world: World, tmp_path: Path) -> None:
    private, _ = key_pair(tmp_path)
    run_of(world, "run1", key=read_signing_key(private))
    secret = private.read_text().splitlines()[1].encode()
    assert all(secret not in path.read_bytes() for path in world.output.rglob("*") if path.is_file())
