from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from anonflow.config import RegionConfig, TimeSpan, VideoRegions
from anonflow.pipeline import context as context_module
from anonflow.pipeline.context import FrameMeter, SilentProgress, derive_keys
from tests.pipeline.worlds import World, configuration

NAMES = ("plan", "detections", "tracks", "masks")


def changed(*overrides: str, base: Any = ()) -> Any:
    one, other = derive_keys(configuration(*base)), derive_keys(configuration(*base, *overrides))
    return {name for name in NAMES if getattr(one, name) != getattr(other, name)}


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("chunk.length_s=7", {"plan", "detections", "tracks", "masks"}),
        ("chunk.overlap_frames=7", {"plan", "detections", "tracks", "masks"}),
        ("source.on_damage=hide_frame", {"plan", "detections", "tracks", "masks"}),
        ("detector.face.long_side_px=640", {"detections", "tracks", "masks"}),
        ("detector.face.floor=0.02", {"detections", "tracks", "masks"}),
        ("detector.face.nms_iou=0.3", {"detections", "tracks", "masks"}),
        ("detector.face.max_upscale=1.5", {"detections", "tracks", "masks"}),
        ("detector=faces", {"detections", "tracks", "masks"}),
        ("model@detector.face.model=centerface", {"detections", "tracks", "masks"}),
        ("detector.face.model.sha256=abc", {"detections", "tracks", "masks"}),
        ("detector.face.threshold=0.3", {"tracks", "masks"}),
        ("detector.face.keep_threshold=0.15", {"tracks", "masks"}),
        ("tracker.buffer_s=2", {"tracks", "masks"}),
        ("tracker=sort", {"tracks", "masks"}),
        ("adaptive.enabled=false", {"tracks", "masks"}),
        ("label.plate.hide=false", {"tracks", "masks"}),
        ("label.person.hide=false", set()),
        ("policy=balanced", {"tracks", "masks"}),
        ("stabilise.reverse.enabled=false", {"masks"}),
        ("rules.extend_at_edge.enabled=false", {"masks"}),
        ("stabilise.max_gap_s=2", {"masks"}),
        ("mask=blur", {"masks"}),
        ("mask.face.margin=0.3", {"masks"}),
        ("video=hevc", {"masks"}),
        ("video.crf=30", {"masks"}),
        ("debug.mask_digests=true", {"masks"}),
        ("detector.face.batch_size=1", set()),
        ("mask.person.margin=1", set()),
        ("runtime.max_attempts=9", set()),
        ("runtime.provider=cpu", set()),
        ("runtime.mask.max_workers=3", set()),
        ("source.extensions=[mp4]", set()),
        ("limits.max_frames=9", set()),
    ],
)
def test_a_key_changes_with_what_its_results_depend_on(override: str, expected: Any) -> None:
    assert changed(override) == expected


@pytest.mark.parametrize(
    "regions",
    [
        [VideoRegions("*", hide=(RegionConfig(box=(0.0, 0.0, 1.0, 0.1)),))],
        [VideoRegions("*", keep=(RegionConfig(box=(0.0, 0.0, 1.0, 0.1)),))],
        [VideoRegions("a*", hide=(RegionConfig(box=(0.0, 0.0, 1.0, 0.1)),))],
        [VideoRegions("*", hide=(RegionConfig(box=(0.0, 0.0, 1.0, 0.1), to_s=2.0),))],
        [VideoRegions("*", process=(TimeSpan(0.0, 3.0),))],
    ],
)
def test_only_what_is_masked_depends_on_regions(regions: Any) -> None:
    plain, other = configuration(), VideoRegions("*", hide=(RegionConfig(box=(0.0, 0.0, 1.0, 0.2)),))
    keys = [derive_keys(replace(plain, regions=given)) for given in ([], regions, [other], [*regions, other])]
    assert all(len({getattr(key, name) for key in keys}) == 1 for name in NAMES[:3])
    assert len({key.masks for key in keys}) == 4


def test_input_and_output_do_not_matter() -> None:
    """The results of a video are its own, wherever it was named."""
    assert changed("input=/a/b", "output=/c") == set()


def test_another_algorithm_gives_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    before = derive_keys(configuration())
    monkeypatch.setattr(context_module, "ALGORITHM_VERSION", context_module.ALGORITHM_VERSION + 1)
    after = derive_keys(configuration())
    assert all(getattr(before, name) != getattr(after, name) for name in NAMES)


def test_keys_are_all_different() -> None:
    keys = derive_keys(configuration())
    assert len({getattr(keys, name) for name in NAMES}) == 4


class Told:
    def __init__(self) -> None:
        self.told = []

    def add(self, stage: Any, frames: Any) -> None:
        self.told.append((stage, frames))

    def planned(self, frames: Any) -> None:
        raise AssertionError


def test_a_meter_tells_of_every_frame_in_few_messages() -> None:
    progress = Told()
    with FrameMeter(progress, "mask", every_frames=16) as meter:
        for _ in range(40):
            meter.tick()
    assert progress.told == [("mask", 16), ("mask", 16), ("mask", 8)]


def test_a_meter_tells_of_what_was_done_before_a_failure() -> None:
    progress = Told()
    with pytest.raises(ValueError, match="broken"), FrameMeter(progress, "mask") as meter:
        meter.tick()
        raise ValueError("broken")
    assert progress.told == [("mask", 1)]


def test_silence_takes_everything() -> None:
    SilentProgress().add("mask", 3)
    SilentProgress().planned(3)
    SilentProgress().task("mask", "made", 1.0)
    SilentProgress().failed("mask", "encode")
    SilentProgress().retried("mask")
    SilentProgress().began("mask v", 60)
    SilentProgress().left("mask v")


def test_a_stage_has_the_run_with_its_own_name(world: World) -> None:
    context = world.context()
    assert context.stage == "" and context.at("mask") == replace(context, stage="mask")
