"""What is redone when something changes: what depends on it, and nothing else. All stages, without Ray."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from anonflow.config import AnonymizeConfig
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Row
from anonflow.pipeline.sources import list_sources
from anonflow.types import Status
from tests.media import Clip
from tests.pipeline.worlds import FixedDetector, World, masked, run_all, use_detector

SAME, AGAIN = "same", "again"


@dataclass
class Begun:
    """A run that ended before anything was published, and what it left in the work folder."""

    world: World
    detector: FixedDetector
    made: dict[str, set[Path]]
    calls: int


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begun:
    world, detector = World.make(tmp_path), use_detector(monkeypatch, FixedDetector())
    world.clip("a.mp4")
    context = world.context("killed")
    for row in world.rows():
        masked(row, context)
    return Begun(world, detector, results(context), detector.calls)


def results(context: RunContext) -> dict[str, set[Path]]:
    """Files of the work folder by kind."""
    kinds = ("index", "detections", "tracks", "plan", "segments")
    return {kind: {path for path in (context.paths.work / kind).rglob("*") if path.is_file()} for kind in kinds}


def redone(begun: Begun, config: AnonymizeConfig) -> dict[str, str]:
    """By kind of result, whether another run with that configuration made it again."""
    world = replace(begun.world, config=config)
    context = world.context("second")
    for row in world.rows():
        masked(row, context)
    now = results(context)
    return {kind: AGAIN if now[kind] - begun.made[kind] else SAME for kind in now}


def with_face(config: AnonymizeConfig, **values: object) -> AnonymizeConfig:
    return replace(config, detector={"face": replace(config.detector["face"], **values)})  # type: ignore[arg-type]


def with_model_hash(config: AnonymizeConfig) -> AnonymizeConfig:
    return with_face(config, model=replace(config.detector["face"].model, sha256="0" * 64))


CHANGES: dict[str, tuple[Callable[[AnonymizeConfig], AnonymizeConfig], str]] = {
    "nothing": (lambda c: c, ""),
    "where it runs": (lambda c: replace(c, runtime=replace(c.runtime, max_attempts=9, lease_s=5)), ""),
    "mask": (lambda c: replace(c, mask={"face": replace(c.mask["face"], margin=0.5)}), "plan segments"),
    "codec": (lambda c: replace(c, video=replace(c.video, crf=30)), "plan segments"),
    "stabilise": (lambda c: replace(c, stabilise=replace(c.stabilise, extend_after_s=0.1)), "plan segments"),
    "threshold": (lambda c: with_face(c, threshold=0.35), "tracks plan segments"),
    "model": (with_model_hash, "detections tracks plan segments"),
    "detector": (lambda c: with_face(c, nms_iou=0.3), "detections tracks plan segments"),
    "chunks": (
        lambda c: replace(c, chunk=replace(c.chunk, length_s=0.4)),
        "index detections tracks plan segments",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_redoes_what_depends_on_it(begun: Begun, change: str) -> None:
    changed, kinds = CHANGES[change]
    again = redone(begun, changed(begun.world.config))
    assert {kind for kind, how in again.items() if how == AGAIN} == set(kinds.split())
    assert (begun.detector.calls > begun.calls) == ("detections" in kinds)


def test_an_input_that_is_replaced_is_done_again_and_the_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, detector = World.make(tmp_path), use_detector(monkeypatch, FixedDetector())
    world.clip("a.mp4")
    world.clip("b.mp4")
    assert {o.status for o in run_all(world.rows(), world.context("run1"))} == {Status.PUBLISHED}
    calls = detector.calls
    world.clip("b.mp4", Clip(n_frames=10))
    ends = {o.relative_path: o.status for o in run_all(world.rows(), world.context("run2"))}
    assert ends == {"a.mp4": Status.UNCHANGED, "b.mp4": Status.PUBLISHED}
    assert 0 < detector.calls - calls < calls / 2


def test_finished_chunks_are_found_again_when_the_set_of_inputs_changed(begun: Begun) -> None:
    begun.world.clip("0_new.mp4")
    (begun.world.root / "in" / "z_new.mp4").write_bytes(b"no video")
    ends = {o.relative_path: o.status for o in run_all(begun.world.rows(), begun.world.context("second"))}
    assert ends == {"0_new.mp4": Status.PUBLISHED, "a.mp4": Status.PUBLISHED, "z_new.mp4": Status.QUARANTINED}
    assert begun.detector.calls == 2 * begun.calls, "only the new video was looked at"


def test_a_touched_input_is_another_version(begun: Begun) -> None:
    path = begun.world.root / "in" / "a.mp4"
    before = list_sources(begun.world.config.input, begun.world.output, begun.world.config.source).sources[0]
    os.utime(path, (1, 1))
    after = list_sources(begun.world.config.input, begun.world.output, begun.world.config.source).sources[0]
    assert Row.of(before).video_id != Row.of(after).video_id
