from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from anonflow.errors import ConfigError
from anonflow.evidence.signing import read_public_key, read_signing_key, signs
from anonflow.pipeline.proof import Root
from anonflow.pipeline.run import _signing_key
from anonflow.pipeline.seal import Sealed, is_sealed, last_sealed, seal, statements
from tests.evidence.keys import key_pair
from tests.pipeline.worlds import World, configuration


def sealed(control: Path, run_id: str) -> Sealed:
    run = control / run_id
    run.mkdir(parents=True)
    for name in ("ledger.parquet", "report.json"):
        (run / name).write_text(f"{name} of {run_id}")
    return seal(run, run_id, Root("0" * 64, 3), last_sealed(control), None)


def test_each_run_follows_the_one_before(tmp_path: Path) -> None:
    made = [sealed(tmp_path, f"run{n}") for n in range(3)]
    assert [s.previous for s in statements(tmp_path)] == [None, *made[:2]]
    assert last_sealed(tmp_path) == made[2]
    content = (tmp_path / "run1" / "root.json").read_bytes()
    assert made[1].sha256 == hashlib.sha256(content).hexdigest()
    value = json.loads(content)
    assert value["report_sha256"] == hashlib.sha256(b"report.json of run1").hexdigest()
    assert (value["ledger_root"], value["ledger_rows"]) == ("0" * 64, 3)


def test_the_clock_may_have_gone_back(tmp_path: Path) -> None:
    later, earlier = sealed(tmp_path, "2030"), sealed(tmp_path, "2020")
    assert last_sealed(tmp_path) == earlier
    assert [s.previous for s in statements(tmp_path)] == [later, None]


def test_a_run_that_died_before_it_moved_the_pointer_is_followed(tmp_path: Path) -> None:
    sealed(tmp_path, "run1")
    pointer = (tmp_path / "head.json").read_bytes()
    second = sealed(tmp_path, "run2")
    (tmp_path / "head.json").write_bytes(pointer)
    assert last_sealed(tmp_path) == second
    (tmp_path / "head.json").unlink()
    assert last_sealed(tmp_path) == second


def test_what_is_no_finished_run_is_passed_over(tmp_path: Path) -> None:
    assert last_sealed(tmp_path / "gone") is None
    (tmp_path / "killed").mkdir()
    (tmp_path / "lock").touch()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "root.json").write_text("[1")
    assert last_sealed(tmp_path) is None and not is_sealed(tmp_path, "killed")
    sealed(tmp_path, "run1")
    assert is_sealed(tmp_path, "run1")


def test_the_signature_is_over_the_statement_as_it_lies_there(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    run = tmp_path / "run"
    run.mkdir()
    for name in ("ledger.parquet", "report.json"):
        (run / name).touch()
    seal(run, "run", Root("0" * 64, 0), None, read_signing_key(private))
    signature = json.loads((run / "signature.json").read_bytes())
    assert signs(signature, (run / "root.json").read_bytes(), read_public_key(public))


def test_a_key_is_refused_before_anything_starts(world: World, tmp_path: Path) -> None:
    private, _ = key_pair(tmp_path)
    private.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        _signing_key(configuration(f"runtime.signing_key={private}"))
    assert _signing_key(world.config) is None
