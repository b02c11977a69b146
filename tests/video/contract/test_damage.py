from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from anonflow.types import FrameIndex, Verdict
from anonflow.video.contract import inspect
from anonflow.video.contract.damage import compare_damage
from anonflow.video.probe import probe
from tests.media import Clip, make_clip
from tests.video.conftest import write_segments


def joined(source: Path, index: FrameIndex, folder: Path) -> Path:
    """The source as it is published when these frames are damaged."""
    from anonflow.video.join import join

    join(write_segments(source, index, folder, 0.6), source, index, folder / "out.mp4", ".mp4")
    return folder / "out.mp4"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "source.mp4", Clip(options={"g": "12", "bf": "2"}))


def test_hidden_frames_are_a_change_by_policy_and_all_else_is_equal(source: Path, tmp_path: Path) -> None:
    index = replace(probe(source), damaged=np.array([3, 4, 5, 20], np.int64))
    checks = {check.name: check for check in inspect(source, index, joined(source, index, tmp_path))}
    assert checks["hidden frames"].verdict is Verdict.CHANGED_BY_POLICY
    assert checks["hidden frames"].detail == "4 damaged frames are black"
    assert {check.verdict for name, check in checks.items() if name != "hidden frames"} == {Verdict.EQUAL}


def test_a_damaged_frame_that_can_be_seen_is_broken(source: Path, tmp_path: Path) -> None:
    index = probe(source)
    output = joined(source, index, tmp_path)
    (check,) = compare_damage(replace(index, damaged=np.array([7], np.int64)), output, probe(output))
    assert (check.verdict, check.detail) == (Verdict.BROKEN, "1 of 1 damaged frames can be seen")
    shorter = make_clip(tmp_path / "shorter.mp4", Clip(n_frames=20))
    (check,) = compare_damage(replace(index, damaged=np.array([7], np.int64)), shorter, probe(shorter))
    assert check.verdict is Verdict.BROKEN


def test_of_a_sound_source_nothing_is_said(source: Path, tmp_path: Path) -> None:
    index = probe(source)
    assert compare_damage(index, source, index) == ()
