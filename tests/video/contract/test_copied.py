from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.types import Verdict
from anonflow.video.contract.copied import compare_copied
from anonflow.video.copying import Run
from anonflow.video.join import join
from anonflow.video.probe import probe
from tests.media import make_clip
from tests.splices import CLOSED, MIXED, segment


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", CLOSED)


def test_copies_that_decode_to_the_source_are_equal(source: Path, tmp_path: Path) -> None:
    index, segments = probe(source), [segment(tmp_path / "a.nut", source, MIXED)]
    join(segments, source, index, tmp_path / "out.mp4", ".mp4", runs=MIXED)
    found = compare_copied(source, index, tmp_path / "out.mp4", MIXED, segments)
    assert found.verdict is Verdict.EQUAL and found.detail == "20 frames in 2 runs"


def test_what_is_no_copy_is_broken(source: Path, tmp_path: Path) -> None:
    """All of it was encoded, and claims to be copied."""
    whole = (Run(0, 40, is_copied=False),)
    index, segments = probe(source), [segment(tmp_path / "a.nut", source, whole)]
    join(segments, source, index, tmp_path / "out.mp4", ".mp4")
    assert compare_copied(source, index, tmp_path / "out.mp4", MIXED, []).verdict is Verdict.BROKEN


def test_a_segment_that_is_not_in_the_output_is_broken(source: Path, tmp_path: Path) -> None:
    index, segments = probe(source), [segment(tmp_path / "a.nut", source, MIXED)]
    join([], source, index, tmp_path / "out.mp4", ".mp4", runs=(Run(0, 40, is_copied=True),))
    assert compare_copied(source, index, tmp_path / "out.mp4", MIXED, segments).verdict is Verdict.BROKEN


def test_without_copies_there_is_nothing_to_compare(source: Path, tmp_path: Path) -> None:
    found = compare_copied(source, probe(source), tmp_path / "nothing", (Run(0, 40, is_copied=False),), [])
    assert found.verdict is Verdict.EQUAL and found.detail == "none"
