from __future__ import annotations

import itertools
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonflow.config import RegionConfig, VideoRegions
from anonflow.pipeline.copies import Copies, read_copies, refuse_copies
from anonflow.pipeline.stages import join as join_stage
from anonflow.pipeline.stages import mask as mask_stage
from anonflow.types import Check, Status, Verdict
from anonflow.video.copying import Run
from anonflow.video.decode import decode_range
from anonflow.video.planes import plane_set
from anonflow.video.probe import probe
from tests.media import Clip
from tests.pipeline.worlds import FixedDetector, World, masked

GROUPS = Clip(n_frames=50, options={"preset": "veryfast", "g": "10", "bf": "3", "x264-params": "scenecut=0"})
_numbers = itertools.count()


def planes_of(path: Path) -> list[list[np.ndarray[Any, Any]]]:
    """All planes of all frames."""
    index = probe(path)
    decoded = decode_range(path, index, int(index.pts[0]), index.end_pts)
    return [[plane.copy() for plane in plane_set(frame).planes] for _, frame in decoded]


def second_decoder(path: Path) -> list[str]:
    """MD5 of each frame by another FFmpeg, which must not warn."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "warning",
        "-i",
        str(path),
        "-map",
        "0:v",
        "-f",
        "framemd5",
        "-",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    return [line.split(",")[-1].strip() for line in ended.stdout.splitlines() if not line.startswith("#")]


def equal(first: Any, second: Any) -> bool:
    """Whether two frames are the same in every plane."""
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def hiding(world: World, *frames: int) -> World:
    """The world in which a box is hidden in these frames (25 are shown a second), and copies are made."""
    spans = [(n / 25 + 0.01, n / 25 + 0.03) for n in frames]
    hide = tuple(RegionConfig(from_s=a, to_s=b, box=(0.1, 0.2, 0.5, 0.6)) for a, b in spans)
    regions = [VideoRegions(videos="*", hide=hide)] if hide else []
    video = replace(world.config.video, copy_clean=True)
    return World(world.root, replace(world.config, regions=regions, video=video))


def test_groups_without_a_mask_come_out_bit_for_bit(world: World, blind: FixedDetector) -> None:
    source = world.clip(clip=GROUPS)
    made = hiding(world, 12, 33)
    outcome = made.outcome()
    assert outcome.status is Status.PUBLISHED
    assert outcome.details["video"]["copied_frames"] == 30 and not outcome.details["video"]["not_copied_because"]
    before, after = planes_of(source), planes_of(world.output / "clip.mp4")
    equal = [
        all(np.array_equal(x, y) for x, y in zip(a, b, strict=True)) for a, b in zip(before, after, strict=True)
    ]
    encoded = {*range(10, 20), *range(30, 40)}
    assert [n for n in range(50) if equal[n]] == [n for n in range(50) if n not in encoded]
    for number in (12, 33):
        assert after[number][0][14:38, 11:47].mean() < 20
    first, second = second_decoder(source), second_decoder(world.output / "clip.mp4")
    assert [n for n in range(50) if first[n] == second[n]] == [n for n in range(50) if n not in encoded]


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, 49), max_size=4), st.sampled_from([0.3, 0.6, 5.0]))
def test_any_hidden_frames_and_any_chunks(
    tmp_path: Path, blind: FixedDetector, hidden: set[int], length_s: float
) -> None:
    root = tmp_path / str(next(_numbers))
    root.mkdir()
    world = hiding(World.make(root, f"chunk.length_s={length_s}"), *hidden)
    source = world.clip(clip=GROUPS)
    outcome = world.outcome()
    assert outcome.status is Status.PUBLISHED, outcome.message
    dirty = {n // 10 for n in hidden}
    assert outcome.details["video"]["copied_frames"] == 10 * (5 - len(dirty))
    assert outcome.details["masked_frames"] == len(hidden)
    before, after = planes_of(source), planes_of(world.output / "clip.mp4")
    for number, (a, b) in enumerate(zip(before, after, strict=True)):
        if number // 10 not in dirty:
            assert equal(a, b)
        assert (b[0][14:38, 11:47].mean() < 20) == (number in hidden)
    assert len(second_decoder(world.output / "clip.mp4")) == 50


@pytest.mark.parametrize(
    ("hidden", "crf", "detail"),
    [([], [], "all 50 frames copied bit for bit"), ([12], [20.0], "; 40 of 50 frames copied bit for bit")],
)
def test_what_is_told_of_the_quality_is_of_the_encoded_frames(
    world: World, blind: FixedDetector, hidden: list[int], crf: list[float], detail: str
) -> None:
    world.clip(clip=GROUPS)
    outcome = hiding(world, *hidden).outcome()
    assert outcome.details["video"]["crf"] == crf
    told = {check["name"]: check["detail"] for check in outcome.details["checks"]}
    assert told["picture outside the masks"].endswith(detail)


def test_nothing_is_copied_when_it_is_not_wanted_or_not_possible(tmp_path: Path, blind: FixedDetector) -> None:
    kinds = "only H.264 in MP4 and MOV"
    cases = [
        ("a.mp4", ["video.copy_clean=false"], "video.copy_clean=false"),
        ("a.mkv", ["video.copy_clean=true"], kinds),
        ("a.mp4", ["video=hevc", "video.copy_clean=true"], kinds),
    ]
    for number, (file, overrides, why) in enumerate(cases):
        (tmp_path / str(number)).mkdir()
        world = World.make(tmp_path / str(number), *overrides)
        world.clip(file, GROUPS)
        outcome = world.outcome()
        assert outcome.status is Status.PUBLISHED, outcome.message
        assert outcome.details["video"]["copied_frames"] == 0
        assert why in outcome.details["video"]["not_copied_because"]


@pytest.mark.parametrize("hidden", [(12,), (12, 22), (2, 12, 22, 32, 41)])
def test_a_copy_that_is_broken_is_encoded_after_all(
    world: World, blind: FixedDetector, monkeypatch: pytest.MonkeyPatch, hidden: tuple[int, ...]
) -> None:
    """Also beside chunks of which nothing was to be copied."""
    source = world.clip(clip=GROUPS)
    real = join_stage.compare_copied

    def broken(*given: Any) -> Check:
        found: Check = real(*given)
        return Check(found.name, Verdict.BROKEN, "made up") if "none" not in found.detail else found

    monkeypatch.setattr(join_stage, "compare_copied", broken)
    outcome = hiding(world, *hidden).outcome()
    assert outcome.status is Status.PUBLISHED, outcome.message
    video = outcome.details["video"]
    assert video["copied_frames"] == 0
    assert ("the copy was broken" if len(hidden) < 5 else "something is hidden") in video["not_copied_because"]
    assert probe(world.output / "clip.mp4").n_frames == probe(source).n_frames


@pytest.mark.parametrize("n_made", [0, 1, 2])
def test_a_task_that_is_run_again_after_the_refusal_goes_on_from_there(
    world: World, blind: FixedDetector, monkeypatch: pytest.MonkeyPatch, n_made: int
) -> None:
    """Killed when some segments of all frames were made, and the note of the next one was written."""
    world.clip(clip=GROUPS)
    made = hiding(world, 12, 22)
    context = made.context()
    rows = masked(made.row(), context)
    assert read_copies(rows[0], context).n_frames == 30
    refuse_copies(rows[0], context, probe(Path(rows[0].uri)), "made up")
    assert read_copies(rows[0], context).n_frames == 0
    real, calls = mask_stage.write_json, itertools.count()

    def killed(path: Path, value: Any) -> None:
        real(path, value)
        if next(calls) == n_made:
            raise SystemExit(9)

    monkeypatch.setattr(mask_stage, "write_json", killed)
    with pytest.raises(SystemExit):
        [join_stage.join(row, context) for row in rows]
    monkeypatch.setattr(mask_stage, "write_json", real)
    outcome = made.outcome("run2")
    assert outcome.status is Status.PUBLISHED, outcome.message
    assert outcome.details["video"]["copied_frames"] == 0


def test_the_plan_survives_json() -> None:
    copies = Copies((Run(0, 3, is_copied=True), Run(3, 5, is_copied=False)), 1, "")
    assert Copies.from_json(copies.to_json()) == copies
