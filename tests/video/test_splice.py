from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonflow.errors import FidelityError
from anonflow.video import h264
from anonflow.video.copying import Run
from anonflow.video.decode import decode_range
from anonflow.video.join import join
from anonflow.video.probe import probe
from anonflow.video.splice import Splice
from tests.media import Clip, make_clip
from tests.splices import CLOSED, MIXED, segment


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("splice") / "clip.mp4", CLOSED)


def test_packets_come_run_by_run_with_the_times_of_the_source(source: Path, tmp_path: Path) -> None:
    index = probe(source)
    splice = Splice.of([segment(tmp_path / "a.nut", source, MIXED)], source, index, MIXED)
    assert splice.has_copies and sorted(splice.order.tolist()) == list(range(40))
    for run in MIXED:
        assert set(splice.order[run.start_frame : run.stop_frame]) == set(range(run.start_frame, run.stop_frame))
    join([tmp_path / "a.nut"], source, index, tmp_path / "out.mp4", ".mp4", runs=MIXED)
    made = probe(tmp_path / "out.mp4")
    assert (made.pts * made.time_base == index.pts * index.time_base).all() and made.end_pts == index.end_pts


def test_the_header_has_the_sets_of_both_and_the_most_demanding_first(tmp_path: Path) -> None:
    options = {**CLOSED.options, "profile": "baseline", "bf": "0"}
    source = make_clip(tmp_path / "baseline.mp4", Clip(n_frames=40, options=options))
    splice = Splice.of([segment(tmp_path / "a.nut", source, MIXED)], source, probe(source), MIXED)
    units = list(h264.split_annex_b(splice.header() or b""))
    assert [h264.kind(unit) for unit in units] == [h264.SPS, h264.SPS, h264.PPS, h264.PPS]
    profiles = [h264.demands(unit)[0] for unit in units[:2]]
    assert profiles == [100, 66]


def test_without_copies_the_header_is_the_templates(source: Path, tmp_path: Path) -> None:
    index = probe(source)
    whole = (Run(0, 40, is_copied=False),)
    splice = Splice.of([segment(tmp_path / "a.nut", source, whole)], source, index)
    assert splice.header() is None and not splice.has_copies and splice.runs == whole


def test_a_video_that_is_copied_whole_needs_no_segment(source: Path, tmp_path: Path) -> None:
    index = probe(source)
    (tmp_path / "empty.nut").touch()
    runs = (Run(0, 40, is_copied=True),)
    join([tmp_path / "empty.nut"], source, index, tmp_path / "out.mp4", ".mp4", runs=runs)
    made = probe(tmp_path / "out.mp4")
    pairs: Any = zip(_planes(source), _planes(tmp_path / "out.mp4"), strict=True)
    assert made.n_frames == 40 and all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        ((Run(0, 40, is_copied=False),), "does not hold"),
        ((Run(0, 30, is_copied=True), Run(30, 40, is_copied=False)), "does not hold"),
        ((Run(0, 20, is_copied=False), Run(20, 40, is_copied=True)), "does not hold"),
        ((Run(0, 10, is_copied=True), Run(10, 40, is_copied=False)), "20 frames of 30"),
    ],
)
def test_segments_that_do_not_fit_the_runs(tmp_path: Path, runs: tuple[Run, ...], why: str) -> None:
    uneven = [512 * n + (n >= 20) * 256 for n in range(40)]
    source = make_clip(tmp_path / "clip.mp4", Clip(pts=uneven, options=CLOSED.options))
    made = segment(tmp_path / "a.nut", source, MIXED)
    with pytest.raises(FidelityError, match=why):
        Splice.of([made], source, probe(source), runs)


def test_a_run_that_begins_without_a_keyframe_is_refused(source: Path, tmp_path: Path) -> None:
    runs = (
        Run(0, 7, is_copied=False),
        Run(7, 20, is_copied=True),
        Run(20, 40, is_copied=False),
    )
    made = segment(tmp_path / "a.nut", source, runs, starts=False)
    with pytest.raises(FidelityError, match="keyframe"):
        Splice.of([made], source, probe(source), runs)


def _planes(path: Path) -> list[Any]:
    index = probe(path)
    return [f.to_ndarray() for _, f in decode_range(path, index, int(index.pts[0]), index.end_pts)]
