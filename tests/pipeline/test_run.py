"""What must be refused before anything starts. Whole runs are in tests/e2e."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from anonflow.assure.ledger import chains
from anonflow.assure.runs import check_order, check_run
from anonflow.config import RegionConfig, VideoRegions
from anonflow.errors import ConfigError, ModelError, SourceMissingError
from anonflow.evidence.signing import read_public_key
from anonflow.pipeline import prepare
from anonflow.pipeline import run as run_module
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.lease import held
from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.record import recorded
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.run import _quarantine_lost, anonymize
from anonflow.pipeline.seal import statements
from anonflow.pipeline.sources import list_sources
from anonflow.pipeline.telling import Telling
from anonflow.types import Status
from tests.evidence.keys import key_pair
from tests.pipeline.worlds import FixedDetector, World, run_all

CONSOLE = Console(file=io.StringIO())


@pytest.fixture(autouse=True)
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may start."""
    monkeypatch.setattr(run_module, "connected", None)


def with_runtime(world: World, **values: Any) -> Any:
    return replace(world.config, runtime=replace(world.config.runtime, **values))


def test_an_input_without_videos_is_refused(world: World) -> None:
    with pytest.raises(ConfigError, match="no files there"):
        anonymize(world.config, CONSOLE)


def test_an_output_that_is_a_file_is_refused(world: World) -> None:
    world.clip()
    world.output.write_text("mine")
    with pytest.raises(ConfigError, match="output="):
        anonymize(world.config, CONSOLE)
    assert world.output.read_text() == "mine"


def test_an_output_that_would_overwrite_the_input_is_refused(world: World) -> None:
    before = world.clip().read_bytes()
    with pytest.raises(ConfigError, match="overwrite"):
        anonymize(replace(world.config, output=world.config.input), CONSOLE)
    assert (world.root / "in" / "clip.mp4").read_bytes() == before


def without_model(world: World) -> Any:
    """A configuration whose model cannot be had."""
    face = world.config.detector["face"]
    model = replace(face.model, uri="file:/nowhere/face.onnx", sha256="0" * 64)
    config = with_runtime(world, model_cache=str(world.root / "m"))
    return replace(config, detector={"face": replace(face, model=model)})


def test_a_model_that_cannot_be_had_is_refused(world: World) -> None:
    world.clip()
    with pytest.raises(ModelError, match="model_dirs"):
        anonymize(without_model(world), CONSOLE)


def test_two_runs_do_not_write_to_one_output(world: World) -> None:
    world.clip()
    lease = world.output / "_anonflow" / "lease"
    with held([lease], "other", 30), pytest.raises(ConfigError, match="Another run"):
        anonymize(world.config, CONSOLE)


def test_two_runs_do_not_share_a_work_folder(world: World) -> None:
    world.clip()
    work = world.root / "work"
    with held([work / "lease"], "other", 30), pytest.raises(ConfigError, match="Another run"):
        anonymize(with_runtime(world, work_dir=str(work)), CONSOLE)


def test_a_refused_run_leaves_the_unfinished_files_of_a_running_one_alone(world: World) -> None:
    world.clip()
    partial = world.output / "_anonflow" / "partial"
    partial.mkdir(parents=True)
    (partial / "x.mp4").touch()
    with held([world.output / "_anonflow" / "lease"], "other", 30), pytest.raises(ConfigError):
        anonymize(world.config, CONSOLE)
    assert not list(world.output.glob("_anonflow/*/run.json")), "a refused run is none"
    assert (partial / "x.mp4").exists()


def test_a_refused_input_leaves_no_output_folder(world: World) -> None:
    """A typing error in the input must not litter."""
    with pytest.raises(ConfigError):
        anonymize(replace(world.config, input=str(world.root / "in" / "*.mp4")), CONSOLE)
    assert not [path for path in world.output.rglob("*") if path.is_file()]


def test_a_pattern_that_matches_no_input_is_told_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it wanted hidden is not hidden; so a slip in it must not go unnoticed."""
    world.clip("cam1/a.mp4")
    hide = (RegionConfig(box=(0.0, 0.0, 1.0, 0.1)),)
    regions = [VideoRegions("cam1/*", hide=hide), VideoRegions("cam1/*.MP4", hide=hide)]
    told = []
    monkeypatch.setattr(prepare.log, "warning", lambda message, *values, **_: told.append(message % values))
    with pytest.raises(ModelError):
        anonymize(replace(without_model(world), regions=regions), CONSOLE)
    assert len(told) == 1 and "cam1/*.MP4" in told[0]


def test_a_source_that_nobody_ended_ends_in_quarantine(world: World) -> None:
    """Its chunks' results were removed while others were still at work, so no chunk ever closed it."""
    world.clip("a.mp4")
    world.clip("b.mp4")
    context = world.context()
    listing = list_sources(world.config.input, world.output, world.config.source)
    ledger = Ledger(context.paths.run)
    ledger.add(Outcome.quarantined(listing.sources[0], "fp", SourceMissingError("gone")))
    with recorded(context.paths.run, "run1", {}) as record:
        _quarantine_lost(context, listing, ledger, Telling(record, ledger, 2, 0.0))
    ledger.reconcile(listing.sources)
    assert [(o.status, o.reason) for o in ledger.by_uri()] == [
        (Status.QUARANTINED, "missing"),
        (Status.QUARANTINED, "work_lost"),
    ]
    assert "b.mp4" in ledger.quarantined[1].message


def test_what_holds_names_or_boxes_is_for_its_owner_alone(world: World) -> None:
    paths = world.context().paths
    Ledger(paths.run)
    assert paths.run.stat().st_mode & 0o777 == 0o700
    assert (paths.run / "ledger.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_finished_run_is_sealed_and_follows_the_one_before(
    world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(context: RunContext, listing: Any, ledger: Any, *_: object) -> None:
        for outcome in run_all([Row.of(s) for s in listing.sources], context):
            ledger.add(outcome)

    monkeypatch.setattr(run_module, "_compute", compute)
    monkeypatch.setattr(run_module, "check_models", lambda *_: None)
    world.clip()
    private, public = key_pair(world.root)
    config = with_runtime(world, signing_key=str(private))
    runs = [anonymize(config, CONSOLE).ledger.parent for _ in range(2)]
    for run in runs:
        assert list(check_run(run, read_public_key(public))) == []
    control = world.output / "_anonflow"
    assert list(check_order(control)) == []
    # Both may have begun in one second, so their names do not tell which was first.
    previous = {s.sealed.run_id: s.previous.run_id if s.previous else "" for s in statements(control)}
    assert previous == {runs[0].name: "", runs[1].name: runs[0].name}
    assert [chain.records[0]["kind"] for run in runs for chain in chains(run)] == ["source", "unchanged"]
    assert str(private) not in (runs[0] / "report.json").read_text()
