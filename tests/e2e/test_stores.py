"""Whole runs with everything in an object store: undisturbed, killed and run again, with faults, with a pause."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.inline import anonymized
from tests.runs import SMALL, Run, anonflow, gone, start, wait_until
from tests.stores import Bucket, Proxy, proxied

pytestmark = pytest.mark.timeout(900)
ARGUMENTS = [*SMALL, "chunk.length_s=0.4", "chunk.overlap_frames=5"]


@pytest.fixture(scope="module")
def expected(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a run on local folders makes of the sample."""
    output = tmp_path_factory.mktemp("local")
    anonymized(sample, output, *ARGUMENTS)
    return (output / sample.name).read_bytes()


def places(bucket: Bucket, sample: Path) -> list[str]:
    bucket.put("in/sub/clip.mp4", sample)
    name = bucket.name
    where = [f"input=s3://{name}/in", f"output=s3://{name}/out", f"runtime.work_dir=s3://{name}/work"]
    return [*where, *bucket.arguments(), *ARGUMENTS]


def require_published(bucket: Bucket, expected: bytes, printed: str) -> None:
    assert bucket.get("out/sub/clip.mp4") == expected, printed
    left = [key for key in bucket.keys("work") + bucket.keys("out/_anonflow") if "/done/" not in key]
    assert {key.rpartition("/")[2] for key in left} >= {"ledger.parquet", "report.json"}
    unwanted = [key for key in left if key.startswith("work/") or "probe" in key or "partial" in key]
    assert not [key for key in unwanted if not key.startswith("work/lease/")], left
    ledger = max(key for key in left if key.endswith("ledger.parquet"))
    rows = pq.read_table(io.BytesIO(bucket.get(ledger))).to_pylist()
    assert [(row["status"], row["relative_path"]) for row in rows] == [("published", "sub/clip.mp4")]


@pytest.mark.slow
def test_a_run_over_a_store_is_that_over_folders(bucket: Bucket, sample: Path, expected: bytes) -> None:
    arguments = places(bucket, sample)
    code, printed = anonflow("anonymize", *arguments)
    assert code == 0, printed
    require_published(bucket, expected, printed)
    code, printed = anonflow("anonymize", *arguments)
    assert code == 0 and "unchanged" in printed, printed
    report = json.loads(bucket.get(max(k for k in bucket.keys("out/_anonflow") if k.endswith("report.json"))))
    assert bucket.name not in json.dumps(report) and "127.0.0.1" not in json.dumps(report)
    require_commands(bucket)


def require_commands(bucket: Bucket) -> None:
    """What is done with a finished output is done with one in a store."""
    output = f"s3://{bucket.name}/out"
    reached = [argument.replace("runtime.", "", 1) for argument in bucket.arguments()]
    for command, wanted in (("status", "finished"), ("retry", "Nothing is in quarantine"), ("verify", "holds")):
        code, printed = anonflow(command, output, *reached)
        assert code == 0 and wanted in printed, printed
    policy = [argument for argument in ARGUMENTS if argument.startswith("video.")]
    for name in ("", "/sub/clip.mp4"):
        code, printed = anonflow("verify", f"s3://{bucket.name}/in{name}", f"{output}{name}", *reached, *policy)
        assert code == 0 and "timestamps" in printed, printed
    bucket.put("work/tracks/left.npz", b"x")
    code, printed = anonflow("clean", output, *reached)
    assert code == 0 and "1 files" in printed and not bucket.keys("work/tracks"), printed
    bucket.put("out/sub/clip.mp4", bucket.get("out/sub/clip.mp4") + b"x")
    code, printed = anonflow("verify", output, *reached)
    assert code == 3 and "output as published" in printed, printed


@pytest.mark.slow
def test_a_driver_that_is_killed_is_resumed(bucket: Bucket, sample: Path, expected: bytes) -> None:
    arguments = places(bucket, sample)
    run = _begun(bucket, arguments)
    run.process.kill()
    run.finish()
    assert gone(run), "processes outlive the driver"
    assert not bucket.keys("out/sub")
    finished = {key for key in bucket.keys("work/tracks") if key.endswith(".npz")}
    assert finished
    code, printed = anonflow("anonymize", *arguments)
    assert code == 0, printed
    assert bucket.get("out/sub/clip.mp4") == expected


@pytest.mark.slow
def test_errors_of_the_store_change_nothing(bucket: Bucket, sample: Path, expected: bytes) -> None:
    with proxied(bucket.endpoint, error_share=0.03, reset_share=0.03, latency_s=0.005) as proxy:
        arguments = places(Bucket(bucket.name, proxy.endpoint), sample)
        code, printed = anonflow("anonymize", *arguments)
        assert code == 0, printed
        assert proxy.faults > 20
    require_published(bucket, expected, printed)


@pytest.mark.slow
def test_a_store_that_stops_for_some_seconds_delays_the_run(bucket: Bucket, sample: Path, expected: bytes) -> None:
    with proxied(bucket.endpoint) as proxy:
        arguments = places(Bucket(bucket.name, proxy.endpoint), sample)
        run = _begun(bucket, arguments)
        _pause(proxy, 8)
        code, printed = run.finish()
        assert code == 0, printed
        assert proxy.faults > 3
    require_published(bucket, expected, printed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    ["output=s3://no-such-bucket-anywhere/x", "input=s3://no-such-bucket-anywhere/x", "output=http://127.0.0.1/x"],
)
def test_what_cannot_work_is_said_before_anything_starts(bucket: Bucket, sample: Path, wrong: str) -> None:
    arguments = [a for a in places(bucket, sample) if not a.startswith(wrong.partition("=")[0])]
    code, printed = anonflow("anonymize", *arguments, wrong)
    assert code == 2 and wrong.partition("=")[2] in printed.replace("\n", ""), printed
    assert "Traceback" not in printed and not bucket.keys("out/_anonflow/done")


def _begun(bucket: Bucket, arguments: list[str]) -> Run:
    """A run of which at least one chunk is tracked."""
    run = start("anonymize", *arguments)
    wait_until(lambda: [key for key in bucket.keys("work/tracks") if key.endswith(".npz")], run)
    return run


def _pause(proxy: Proxy, seconds: float) -> None:
    proxy.stop()
    threading.Timer(seconds, proxy.go_on).start()
