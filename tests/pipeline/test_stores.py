"""All stages in one process, with input, output and work folder in an object store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anonflow.config import AnonymizeConfig
from anonflow.pipeline.album.members import first_row, units
from anonflow.pipeline.context import RunContext, derive_keys
from anonflow.pipeline.paths import Paths
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.sources import list_sources
from anonflow.pipeline.stages.detect import Detect
from anonflow.pipeline.stages.plan import plan
from anonflow.storage import located
from anonflow.types import Status
from tests.media import Clip, make_clip
from tests.pictures import encoded, scene
from tests.pipeline.album.gallery import run_rows
from tests.pipeline.worlds import SHORT_CHUNKS, FixedDetector, World, configuration, run_all
from tests.stores import Bucket, proxied


def config_of(bucket: Bucket, **runtime: Any) -> AnonymizeConfig:
    config = configuration(*SHORT_CHUNKS)
    options = {"s3": {"endpoint_url": bucket.endpoint, "config_kwargs": {"retries": {"max_attempts": 1}}}}
    changed = replace(config.runtime, storage_options=options, storage_retry_s=60, **runtime)
    root = f"s3://{bucket.name}"
    return replace(config, input=f"{root}/in", output=f"{root}/out", runtime=changed)


def context_of(config: AnonymizeConfig, run_id: str = "run1", work: str = "") -> RunContext:
    access = config.runtime.access
    output = located(config.output, access)
    where = located(work, access) if work else output / "_anonflow" / "work"
    return RunContext(config, Paths(output, where, run_id, derive_keys(config)), Path("models"))


def rows_of(config: AnonymizeConfig) -> list[Row]:
    access = config.runtime.access
    listing = list_sources(config.input, located(config.output, access), config.source, access)
    return [Row.of(source) for source in listing.sources]


def published(config: AnonymizeConfig, run_id: str = "run1", **where: str) -> Outcome:
    (outcome,) = run_all(rows_of(config), context_of(config, run_id, **where))
    return outcome


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", Clip(audio=("aac",)))


def test_results_are_those_of_local_folders(
    bucket: Bucket, world: World, clip: Path, detector: FixedDetector
) -> None:
    (world.root / "in" / "sub").mkdir()
    (world.root / "in" / "sub" / "clip.mp4").write_bytes(clip.read_bytes())
    local = world.outcome()
    assert local.status is Status.PUBLISHED
    bucket.put("in/sub/clip.mp4", clip)
    config = config_of(bucket)
    remote = published(config)
    assert remote.status is Status.PUBLISHED, remote.message
    assert remote.output_uri == f"s3://{bucket.name}/out/sub/clip.mp4"
    assert (remote.output_sha256, remote.source_sha256) == (local.output_sha256, local.source_sha256)
    assert bucket.get("out/sub/clip.mp4") == (world.output / "sub" / "clip.mp4").read_bytes()
    left = [key for key in bucket.keys("out/_anonflow/work") if "/runs/" not in key]
    assert left == [], "work is removed with its video"
    assert published(config, "run2").status is Status.UNCHANGED
    bucket.put("out/sub/clip.mp4", b"something else")
    assert published(config, "run3").status is Status.PUBLISHED


@pytest.mark.slow
def test_any_of_the_three_places_may_be_local(
    bucket: Bucket, tmp_path: Path, clip: Path, detector: FixedDetector
) -> None:
    bucket.put("in/clip.mp4", clip)
    config = config_of(bucket)
    work = str(tmp_path / "work")
    from_store = replace(config, output=str(tmp_path / "out"))
    assert published(from_store, work=work).status is Status.PUBLISHED
    to_store = replace(config, input=str(clip), output=f"s3://{bucket.name}/to")
    assert published(to_store, work=work).status is Status.PUBLISHED
    through_store = replace(config, input=str(clip), output=str(tmp_path / "other"))
    assert published(through_store, work=f"s3://{bucket.name}/work").status is Status.PUBLISHED
    results = {(tmp_path / folder / "clip.mp4").read_bytes() for folder in ("out", "other")}
    assert results == {bucket.get("to/clip.mp4")}


def test_a_chunk_reads_its_part_of_the_file(bucket: Bucket, tmp_path: Path, detector: FixedDetector) -> None:
    options = {"preset": "ultrafast", "g": "25", "crf": "4"}
    long = make_clip(tmp_path / "long.mp4", Clip(width=320, height=240, n_frames=500, options=options))
    size = long.stat().st_size
    bucket.put("in/long.mp4", long)
    with proxied(bucket.endpoint) as proxy:
        config = config_of(Bucket(bucket.name, proxy.endpoint), storage_block_kb=16, storage_cache_mb=1)
        context = context_of(config)
        rows = plan(rows_of(config)[0], context)
        assert len(rows) > 15
        proxy.read_bytes.clear()
        Detect(context)(rows[10])
        read = proxy.read_bytes["in/long.mp4"]
    assert 0 < read < 0.2 * size, f"{read} bytes of {size}"


@pytest.mark.slow
def test_faults_of_the_store_change_nothing(bucket: Bucket, clip: Path, detector: FixedDetector) -> None:
    bucket.put("in/clip.mp4", clip)
    undisturbed = published(config_of(bucket))
    with proxied(bucket.endpoint, error_share=0.1, reset_share=0.1) as proxy:
        config = replace(config_of(Bucket(bucket.name, proxy.endpoint)), output=f"s3://{bucket.name}/disturbed")
        disturbed = published(config)
        assert proxy.faults > 10
    assert disturbed.status is Status.PUBLISHED, disturbed.message
    assert disturbed.output_sha256 == undisturbed.output_sha256
    assert bucket.get("disturbed/clip.mp4") == bucket.get("out/clip.mp4")


def test_a_store_that_stays_away_is_quarantine_and_the_work_is_kept(
    bucket: Bucket, clip: Path, detector: FixedDetector
) -> None:
    bucket.put("in/clip.mp4", clip)
    with proxied(bucket.endpoint) as proxy:
        config = config_of(Bucket(bucket.name, proxy.endpoint))
        config = replace(config, runtime=replace(config.runtime, storage_retry_s=0.5))
        context, rows = context_of(config), rows_of(config)
        planned = plan(rows[0], context)
        proxy.stop()
        (ended,) = [Detect(context)(row) for row in planned[:1]]
        proxy.go_on()
    assert '"reason":"storage_unavailable"' in ended.outcome and '"quarantined"' in ended.outcome
    again = published(config_of(bucket), "run2")
    assert again.status is Status.PUBLISHED


@pytest.mark.parametrize("content", [b"", b"no video" * 100, None])
def test_bad_sources_are_named_as_local_ones_are(
    bucket: Bucket, clip: Path, detector: FixedDetector, content: Any
) -> None:
    bucket.put("in/clip.mp4", clip.read_bytes()[:-3000] if content is None else content)
    outcome = published(config_of(bucket))
    expected = {b"": "empty", None: "damaged"}.get(content, "not_a_video")
    assert (outcome.status, outcome.reason) == (Status.QUARANTINED, expected)
    assert "s3://" in outcome.message


@pytest.mark.parametrize("denied", [("GET in/", "HEAD in/"), ("GET in/",)])
def test_a_source_that_nobody_may_read_is_named_as_such(
    bucket: Bucket, clip: Path, detector: FixedDetector, denied: tuple[str, ...]
) -> None:
    """A key of encryption that is not granted shows only when content is asked for."""
    bucket.put("in/clip.mp4", clip)
    bucket.put("in/photo.jpg", encoded(scene(), "JPEG"))
    with proxied(bucket.endpoint, denied=denied) as proxy:
        config = config_of(Bucket(bucket.name, proxy.endpoint))
        access, context = config.runtime.access, context_of(config)
        sources = list_sources(config.input, located(config.output, access), config.source, access).sources
        outcomes = run_rows([first_row(unit, context) for unit in units(sources, context)], context)
    assert set(outcomes) == {"clip.mp4", "photo.jpg"}
    for name, outcome in outcomes.items():
        assert (outcome.status, outcome.reason) == (Status.QUARANTINED, "unreadable")
        assert f"in/{name}" in outcome.message and "denied" in outcome.message


@pytest.mark.parametrize("denied", ["PUT out/clip", "HEAD out/clip"])
def test_a_result_that_may_not_be_put_in_place_is_quarantine(
    bucket: Bucket, clip: Path, detector: FixedDetector, denied: str
) -> None:
    bucket.put("in/clip.mp4", clip)
    with proxied(bucket.endpoint, denied=(denied,)) as proxy:
        outcome = published(config_of(Bucket(bucket.name, proxy.endpoint)))
    assert (outcome.status, outcome.reason) == (Status.QUARANTINED, "no_write_permission")
    assert bucket.keys("out/clip") == []
    assert published(config_of(bucket), "run2").status is Status.PUBLISHED


def test_a_source_that_is_replaced_meanwhile_is_not_published(
    bucket: Bucket, clip: Path, tmp_path: Path, detector: FixedDetector
) -> None:
    bucket.put("in/clip.mp4", clip)
    config = config_of(bucket)
    rows = rows_of(config)
    bucket.put("in/clip.mp4", make_clip(tmp_path / "other.mp4", Clip(n_frames=41)))
    (outcome,) = run_all(rows, context_of(config))
    assert (outcome.status, outcome.reason) == (Status.QUARANTINED, "source_changed")
    bucket.client.delete_object(Bucket=bucket.name, Key="in/clip.mp4")
    (outcome,) = run_all(rows, context_of(config, "run2"))
    assert (outcome.status, outcome.reason) == (Status.QUARANTINED, "missing")


def test_pictures_too(bucket: Bucket, detector: FixedDetector) -> None:
    bucket.put("in/photo.jpg", encoded(scene(), "JPEG"))
    config = config_of(bucket)
    access = config.runtime.access
    context = context_of(config)
    sources = list_sources(config.input, located(config.output, access), config.source, access).sources
    outcome = run_rows([first_row(unit, context) for unit in units(sources, context)], context)["photo.jpg"]
    assert outcome.status is Status.PUBLISHED, outcome.message
    assert bucket.get("out/photo.jpg") != bucket.get("in/photo.jpg")
